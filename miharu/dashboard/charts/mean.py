"""A mean as a line, step by step, over bars that say of how many it is."""

import math
from collections.abc import Sequence

from miharu.dashboard.charts.plot import HEIGHT, Chart, grid_lines, number, polyline, time_labels
from miharu.stores.base import ScoreSum
from miharu.wording.numbers import rating

__all__ = ("mean_chart", "scale")

_PARTS = 2
_BARS = HEIGHT * 0.45
"""How high the highest bar is: the line is read, the bars say how far to trust it."""


def mean_chart(
    edges: Sequence[int], sums: Sequence[ScoreSum | None], *, name: str, ticks: Sequence[int]
) -> Chart:
    """The mean of each step; ``edges`` are when each step starts, and when the last one ends."""
    *times, end = edges
    low, high = scale([one.mean for one in sums if one])
    most = max((one.number for one in sums if one), default=1)
    bars = [
        f"M{number(i + 0.14)} {HEIGHT}h.72v-{number(max(2.0, one.number / most * _BARS))}h-.72z"
        for i, one in enumerate(sums)
        if one
    ]
    ys = [None if one is None else HEIGHT * (high - one.mean) / (high - low) for one in sums]
    return Chart(
        kind="mean",
        columns=len(times),
        height=HEIGHT,
        grid=grid_lines(_PARTS, len(times)),
        shapes=[("bar so", "".join(bars))] if bars else [],
        lines=[("line mean", polyline(ys))],
        y=[rating(high - (high - low) * i / _PARTS) for i in range(_PARTS + 1)],
        x=time_labels(times, ticks),
        data={
            "t": list(times),
            "end": end,
            "unit": "",
            "calls": [one.number if one else 0 for one in sums],
            "counted": "scored",
            "series": [{"n": name, "c": "mean", "v": [round(one.mean, 4) if one else None for one in sums]}],
            "previous": None,
        },
    )


def scale(means: Sequence[float]) -> tuple[float, float]:
    """From where to where an axis goes: round numbers around all of them, from 0 to 1 where these do."""
    if not means or (min(means) >= 0 and max(means) <= 1):
        return 0.0, 1.0
    lowest, highest = min(0.0, *means), max(0.0, *means)
    step = 10.0 ** math.floor(math.log10(highest - lowest))
    step = next(step * part for part in (0.2, 0.5, 1.0) if (highest - lowest) / (step * part) <= 10)
    return math.floor(lowest / step) * step, math.ceil(highest / step) * step
