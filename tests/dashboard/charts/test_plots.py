import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.charts.heat import Heat, heat
from miharu.dashboard.charts.plot import ChartLine, percentile
from miharu.dashboard.charts.spark import spark
from miharu.dashboard.charts.stack import Series, stack

STEP = 1_800_000
values = st.lists(st.integers(0, 10**13), min_size=1, max_size=60)


def edges(count: int) -> list[int]:
    return [i * STEP for i in range(count + 1)]


@given(values)
def test_draws_each_bar_inside_the_plot(numbers: list[int]) -> None:
    chart = stack(edges(len(numbers)), [Series("a", "s1", numbers)], None, unit="$", ticks=(), label=str)
    heights = [float(h) for h in re.findall(r"v-([\d.]+)", chart.shapes[0][1])]
    assert len(heights) == sum(number > 0 for number in numbers)
    assert all(0 <= height <= 240 for height in heights)
    assert "e" not in chart.shapes[0][1]


@given(values)
def test_labels_the_axis_in_equal_round_steps(numbers: list[int]) -> None:
    chart = stack(edges(len(numbers)), [Series("a", "s1", numbers)], None, unit="$", ticks=(), label=str)
    if not any(numbers):
        assert chart.y == ["", "", "", "", "0"]  # a scale of nothing would be made up
        return
    labels = [int(text) for text in chart.y]
    assert labels[0] >= max(numbers)
    assert len({a - b for a, b in pairwise(labels)}) == 1
    assert labels[-1] == 0


def test_stacks_the_second_series_on_the_first() -> None:
    chart = stack(
        edges(1), [Series("a", "s1", [1]), Series("b", "s2", [3])], [2], unit="calls", ticks=(), label=str
    )
    (_, first), (_, second) = chart.shapes
    assert first == "M0.14 240h.72v-60h-.72z"
    assert second == "M0.14 180h.72v-180h-.72z"
    assert chart.lines == [("cmp", "M0.5 120h.3h-.6")]


def test_draws_nothing_of_nothing() -> None:
    chart = stack(edges(3), [], None, unit="$", ticks=(), label=str)
    assert chart.shapes == []
    assert chart.lines == []
    assert chart.y == ["", "", "", "", "0"]
    empty = heat(edges(3), [{}, {}, {}], [ChartLine("p50", "p50", [None] * 3)], ticks=(), label=str)
    assert empty.shapes == []
    assert empty.lines == [("line p50", "")]
    assert spark([]) == spark([1]) == spark([0, 0]) == ("", "")


@given(
    st.lists(
        st.dictionaries(st.integers(0, 10**7), st.integers(1, 1000), max_size=20), min_size=1, max_size=10
    )
)
def test_puts_every_call_into_a_cell(counts: list[dict[int, int]]) -> None:
    field = Heat.of(counts)
    assert [sum(column) for column in field.cells] == [sum(column.values()) for column in counts]
    assert all(len(column) == field.decades * 5 for column in field.cells)
    for column in counts:
        assert all(0 <= field.y(ms) <= 240 for ms in column)


def test_breaks_a_line_where_nothing_was_measured() -> None:
    chart = heat(edges(4), [{100: 1}] * 4, [ChartLine("p", "p", [100, 100, None, 100])], ticks=(), label=str)
    assert chart.lines[0][1].count("M") == 2


@given(st.dictionaries(st.integers(0, 1000), st.integers(1, 50), min_size=1))
def test_finds_percentiles_as_in_a_sorted_list(counts: dict[int, int]) -> None:
    flat = sorted(ms for ms, calls in counts.items() for _ in range(calls))
    for share in (0.5, 0.95):
        found = percentile(counts, share)
        assert found is not None
        below = sum(ms <= found for ms in flat)
        assert below >= share * len(flat) > sum(ms < found for ms in flat) - 1e-9
    assert percentile({}, 0.5) is None


def test_says_where_steps_and_labels_are() -> None:
    chart = stack([0, 10, 20, 45], [Series("a", "s1", [1, 2, 3])], None, unit="$", ticks=[10, 45], label=str)
    assert chart.x == [("50", 10)]
    assert (chart.data["t"], chart.data["end"]) == ([0, 10, 20], 45)
