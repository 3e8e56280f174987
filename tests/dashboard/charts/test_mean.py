import pytest

from miharu.dashboard.charts.mean import mean_chart, scale
from miharu.stores.base import ScoreSum


@pytest.mark.parametrize(
    ("means", "axis"),
    [
        ([], (0, 1)),
        ([0.2, 0.9], (0, 1)),
        ([0, 1], (0, 1)),
        ([3.2, 4.6], (0, 5)),
        ([-0.5, 0.5], (-0.6, 0.6)),
        ([88, 91], (0, 100)),
        ([-40], (-40, 0)),
    ],
)
def test_the_axis_has_room_for_every_mean(means: list[float], axis: tuple[float, float]) -> None:
    assert scale(means) == pytest.approx(axis)


def test_a_step_without_scores_breaks_the_line_and_has_no_bar() -> None:
    sums = [ScoreSum(t=0, key=None, number=4, total=2.0), None, ScoreSum(t=2, key=None, number=1, total=1.0)]
    chart = mean_chart([0, 1, 2, 3], sums, name="helpful", ticks=[])
    assert chart.lines == [("line mean", "M0.5 120h.3h-.6M2.5 0h.3h-.6")]
    ((_, bars),) = chart.shapes
    assert bars.count("M") == 2
    assert chart.data["calls"] == [4, 0, 1]
    assert chart.data["series"][0]["v"] == [0.5, None, 1.0]
    assert chart.y == ["1.00", "0.50", "0.00"]
