"""Points of a series as one list for each key, with a place for each step of the window."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from miharu.dashboard.address.windows import Stretch, Window
from miharu.dashboard.queries.together import together
from miharu.stores.base import By, Point, Query, Questions, ScoreSum, Timing, Totals

__all__ = ("DRAWN", "Grid", "counts_in", "grid_of", "scores_in", "sums_in")

Grid = Mapping[str | None, Sequence[Totals]]
DRAWN = ("calls", "errors", "cost_nanousd", "prompt_tokens", "completion_tokens")
"""What charts and small lines show; of anything else nothing is added up step by step."""


async def sums_in(
    store: Questions,
    window: Window,
    query: Query,
    by: By | None = None,
    *,
    among: Sequence[str | None] | None = None,
    shift: int = 0,
) -> Grid:
    """``DRAWN`` of each key in each step; ``shift`` moves an earlier time under the window."""
    async with together() as ask:
        parts = [
            ask(
                store.series,
                part,
                stretch.step,
                by,
                among,
                (stretch.start - shift) % stretch.step,
                measures=DRAWN,
            )
            for stretch, part in _parts(window, query, shift)
        ]
    return grid_of(window, [point for part in parts for point in part.value], shift)


async def counts_in(
    store: Questions, window: Window, query: Query, of: Timing = "duration_ms"
) -> list[dict[int, int]]:
    """For each step, how many calls took each number of milliseconds."""
    async with together() as ask:
        parts = [
            ask(store.durations, part, stretch.step, of, stretch.offset)
            for stretch, part in _parts(window, query, 0)
        ]
    place = {t: number for number, t in enumerate(window.times)}
    counts: list[dict[int, int]] = [{} for _ in window.times]
    for t, ms, calls in (found for part in parts for found in part.value):
        column = counts[place[t]]
        column[ms] = column.get(ms, 0) + calls
    return counts


async def scores_in(store: Questions, window: Window, query: Query, name: str) -> list[ScoreSum | None]:
    """What the scores of that name come to in each step; ``None`` where there are none."""
    async with together() as ask:
        parts = [
            ask(store.score_sums, part, name, step_ms=stretch.step, offset_ms=stretch.offset)
            for stretch, part in _parts(window, query, 0)
        ]
    found = {one.t: one for part in parts for one in part.value}
    return [found.get(t) for t in window.times]


def grid_of(window: Window, points: Sequence[Point], shift: int = 0) -> dict[str | None, list[Totals]]:
    """The points of each key, one total for each step of the window."""
    place = {t: number for number, t in enumerate(window.times)}
    grid: dict[str | None, list[Totals]] = defaultdict(lambda: [Totals()] * len(place))
    for point in points:
        grid[point.key][place[point.t + shift]] = point.totals
    return dict(grid)


def _parts(window: Window, query: Query, shift: int) -> Iterator[tuple[Stretch, Query]]:
    """The query, parted where the steps change their length."""
    for stretch in window.stretches:
        start, end = max(query.start, stretch.start - shift), min(query.end, stretch.end - shift)
        if start < end:
            yield stretch, replace(query, start=start, end=end)
