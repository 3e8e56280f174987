from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.charts.axis import Axis

spans = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(1, 10**7)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=30,
)


@given(spans)
def test_keeps_the_order_and_stays_within(held: list[tuple[int, int]]) -> None:
    axis = Axis.over(held)
    moments = sorted({moment for span in held for moment in span})
    places = [axis.at(moment) for moment in moments]
    assert places == sorted(places)
    assert abs(places[0]) < 1e-6
    assert abs(places[-1] - 100) < 1e-6
    for start, end in held:
        left, width = axis.bar(start, end - start)
        assert 0 <= left <= left + width <= 100.5
        assert width >= 0.4


@given(spans)
def test_draws_all_work_to_one_scale(held: list[tuple[int, int]]) -> None:
    axis = Axis.over(held)
    work = [piece for piece in axis.pieces if not piece.silent]
    scales = [(piece.right - piece.left) / (piece.end - piece.start) for piece in work]
    assert max(scales) - min(scales) <= 1e-9 + 1e-6 * max(scales)
    silent = sum(piece.right - piece.left for piece in axis.pieces if piece.silent)
    assert silent <= 36.01


def test_folds_a_long_silence_and_says_how_long_it_was() -> None:
    axis = Axis.over([(0, 1000), (601_000, 602_000)])
    assert [mark.text for mark in axis.silences] == ["10 min"]
    assert [round(axis.at(ms), 1) for ms in (0, 1000, 601_000, 602_000)] == [0, 48.5, 51.5, 100]
    assert [mark.ms for mark in axis.marks()] == [0, 601_000]


def test_keeps_a_short_silence() -> None:
    axis = Axis.over([(0, 1000), (1050, 2000)])
    assert axis.silences == []
    assert [mark.text for mark in axis.marks()] == ["0", "500 ms", "1 s", "1.5 s"]


def test_folds_no_silence_within_a_second() -> None:
    axis = Axis.over([(0, 30), (140, 160), (1100, 1150)])
    assert axis.silences == []
    assert [mark.text for mark in axis.marks()] == ["0", "200 ms", "400 ms", "600 ms", "800 ms", "1 s"]
    assert len(Axis.over([(0, 30), (1031, 1040)]).silences) == 1


@given(spans, st.floats(0, 100))
def test_a_place_is_a_moment_and_that_moment_is_there(held: list[tuple[int, int]], place: float) -> None:
    axis = Axis.over(held)
    ms = axis.moment(place)
    assert axis.at(ms - 1) - 1e-6 <= place <= axis.at(ms + 1) + 1e-6
    assert (axis.moment(0), axis.moment(100)) == (axis.pieces[0].start, axis.pieces[-1].end)


def test_a_part_counts_from_when_the_whole_began_and_no_two_labels_are_alike() -> None:
    part = Axis.over([(20_250, 20_750)])
    assert [mark.text for mark in part.marks(0)] == ["20.3 s", "20.4 s", "20.5 s", "20.6 s", "20.7 s"]
    assert [round(mark.at, 6) for mark in part.marks(0)] == [10, 30, 50, 70, 90]
    assert [mark.text for mark in Axis.over([(125_000, 131_000)]).marks(0)][:2] == ["125 s", "126 s"]


def test_labels_of_moments_do_not_touch() -> None:
    axis = Axis.over([(600_000 * turn, 600_000 * turn + 1000) for turn in range(8)])
    places = [mark.at for mark in axis.marks()]
    assert len(places) == 4
    assert all(after - before > 16 for before, after in pairwise(places))
