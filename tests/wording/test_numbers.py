from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.wording.numbers import (
    compact,
    count,
    duration,
    duration_axis,
    instant,
    money,
    money_axis,
    money_parts,
    money_rough,
    percent,
    rate,
)


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (10_000, "$0.00001"),
        (42_400, "$0.000042"),
        (999_900, "$0.001"),
        (3_100_000, "$0.0031"),
        (103_200_000, "$0.1032"),
        (999_990_000, "$1.00"),
        (1_005_000_000, "$1.00"),
        (1_015_000_000, "$1.02"),
        (168_570_000_000, "$168.57"),
        (1_234_567_890_000_000, "$1,234,567.89"),
    ],
)
def test_writes_money(nano: int | None, text: str) -> None:
    assert money(nano) == text


@given(st.integers(0, 10**16))
def test_keeps_money_within_five_percent_of_the_truth_and_half_a_cent(nano: int) -> None:
    shown = Decimal(money(nano).removeprefix("$").replace(",", ""))
    exact = Decimal(nano) / 10**9
    assert abs(shown - exact) <= min(Decimal("0.005"), exact * Decimal("0.051"))
    assert "".join(money_parts(nano)) == money(nano)


@given(st.integers(0, 10**15))
def test_keeps_counts_short_and_close(number: int) -> None:
    text = compact(number)
    assert len(text) <= 6
    unit = {"k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}.get(text[-1], 1)
    shown = Decimal(text.rstrip("kMBT")) * unit
    assert abs(shown - number) <= Decimal(number) * Decimal("0.051")


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_shows_all_and_nothing_only_for_all_and_nothing(part: int, more: int) -> None:
    whole = part + more
    assert percent(part, whole) != "100%"
    assert (percent(part, whole) == "0%") == (part == 0)
    assert percent(whole, whole) == "100%"


@given(st.integers(0, 10**9))
def test_writes_any_duration(ms: int) -> None:
    assert duration(ms)[0].isdigit()


def test_writes_the_rest() -> None:
    assert [duration(ms) for ms in (None, 0, 999, 1000, 15_600, 125_000)] == [
        "\N{EN DASH}",
        "0 ms",
        "999 ms",
        "1.00 s",
        "15.60 s",
        "2 min 5 s",
    ]
    assert [duration_axis(ms) for ms in (100, 1000, 100_000)] == ["100 ms", "1 s", "100 s"]
    assert [compact(n) for n in (None, 864, 999_960, 137_700_000)] == ["\N{EN DASH}", "864", "1M", "137.7M"]
    assert (count(None), count(46_410)) == ("\N{EN DASH}", "46,410")
    assert [percent(a, b) for a, b in ((0, 0), (74, 46_410), (1, 10**6), (31, 1000), (48, 100))] == [
        "\N{EN DASH}",
        "0.16%",
        "<0.01%",
        "3.1%",
        "48%",
    ]
    assert [rate(n, 24) for n in (1, 48, 60, 46_410)] == ["0.04", "2", "2.5", "1,934"]
    assert [money_axis(n) for n in (0, 500_000_000, 8_000_000_000, 20_000)] == [
        "$0",
        "$0.50",
        "$8",
        "$0.00002",
    ]
    assert [money_rough(n) for n in (5_057_400_000_000, 2_500_000_000)] == ["$5,057", "$2.50"]


def test_writes_a_moment_in_utc() -> None:
    ms = 1_795_443_630_007
    assert instant(ms, "full") == "23 Nov 2026, 14:20:30.007 UTC"
    assert instant(ms, "row", ms) == "14:20:30.007"
    assert instant(ms, "row", ms + 86_400_000) == "23 Nov 14:20:30.007"
    assert (instant(ms, "hour"), instant(ms, "day"), instant(ms, "step")) == (
        "14:20",
        "23 Nov",
        "23 Nov 14:20",
    )
