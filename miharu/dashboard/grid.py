"""Points of a series as one list for each key, with a place for each step of the window."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from miharu.dashboard.ranges import Window, steps
from miharu.stores.base import Point, Totals

__all__ = ("Grid", "counts_of", "grid_of", "times_of")

Grid = Mapping[str | None, Sequence[Totals]]


def times_of(window: Window) -> list[int]:
    """When each step of the window starts."""
    return steps(window.start, window.end, window.step)


def grid_of(window: Window, points: Sequence[Point], shift: int = 0) -> dict[str | None, list[Totals]]:
    """The totals of each key; ``shift`` moves an earlier time under the window."""
    times, step = times_of(window), window.step
    place = {t: i for i, t in enumerate(times)}
    grid: dict[str | None, list[Totals]] = defaultdict(lambda: [Totals()] * len(times))
    for point in points:
        if (i := place.get((point.t + shift) // step * step)) is not None:
            grid[point.key][i] = point.totals
    return dict(grid)


def counts_of(window: Window, durations: Sequence[tuple[int, int, int]]) -> list[dict[int, int]]:
    """For each step, how many calls took each number of milliseconds."""
    times, step = times_of(window), window.step
    place = {t: i for i, t in enumerate(times)}
    counts: list[dict[int, int]] = [{} for _ in times]
    for t, ms, calls in durations:
        if (i := place.get(t // step * step)) is not None:
            counts[i][ms] = counts[i].get(ms, 0) + calls
    return counts
