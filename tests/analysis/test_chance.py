"""Whether chance explains a difference: known answers, and no answer where there are too few calls."""

import random

import pytest

from miharu.analysis.chance import ENOUGH, SURE, of_amounts, of_shares, of_sums, of_times


def test_shares_are_compared_as_the_books_have_it() -> None:
    # z = (0.15 - 0.10) / sqrt(0.125 * 0.875 * (1/200 + 1/200)) = 1.5119; twice the tail beyond it
    assert of_shares(30, 200, 20, 200) == pytest.approx(0.1306, abs=0.0005)


def test_means_are_compared_as_the_books_have_it() -> None:
    values, others = [1.0, 2.0, 3.0] * 20, [1.5, 2.5, 3.5] * 20
    # variance 0.678 each: t = 0.5 / sqrt(2 * 0.678 / 60) = 3.326
    assert of_amounts(values, others) == pytest.approx(0.00088, abs=0.00005)


def test_means_of_sums_are_those_of_the_values_themselves() -> None:
    values, others = [1.0, 2.0, 3.0] * 20, [1.5, 2.5, 3.5] * 20

    def sums(some: list[float], squares: bool = True) -> tuple[int, float, float | None]:
        return len(some), sum(some), sum(one * one for one in some) if squares else None

    assert of_sums(sums(values), sums(others)) == pytest.approx(of_amounts(values, others))
    assert of_sums(sums([0.1] * 40), sums([0.1] * 50)) == pytest.approx(1.0)
    assert of_sums(sums(values[: ENOUGH - 1]), sums(others)) is None
    assert of_sums(sums(values, squares=False), sums(others)) is None


def test_ranks_are_compared_as_the_books_have_it() -> None:
    values, others = [float(i) for i in range(30)], [i + 10.5 for i in range(30)]
    # U = 190 of 450 +- sqrt(30 * 30 * 61 / 12) = 67.64: z = 3.8439
    assert of_times(values, others) == pytest.approx(0.000121, abs=0.00001)


@pytest.mark.parametrize("test", [of_amounts, of_times])
def test_chance_is_called_sure_about_as_often_as_it_says(test: object) -> None:
    rng, sure = random.Random(5), 0
    for _ in range(2000):
        values, others = ([rng.lognormvariate(0, 0.5) for _ in range(60)] for _ in range(2))
        sure += (test(values, others) or 0) < SURE  # type: ignore[operator]
    assert sure < 2000 * 2 * SURE


@pytest.mark.parametrize("few", [0, 1, ENOUGH - 1])
def test_a_few_calls_tell_nothing(few: int) -> None:
    some, many = [1.0] * few, [float(i) for i in range(200)]
    assert of_amounts(some, many) is None
    assert of_times(many, some) is None
    assert of_shares(0, few, 10, 200) is None
    assert of_shares(0, ENOUGH, 10, 200) is not None


def test_what_is_the_same_is_chance_and_what_never_varies_is_none() -> None:
    assert of_amounts([1.0] * 50, [1.0] * 50) == of_times([1.0] * 50, [1.0] * 50) == 1.0
    assert of_amounts([1.0] * 50, [2.0] * 50) == 0.0
    assert of_shares(0, 50, 0, 50) == 1.0
