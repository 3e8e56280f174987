"""Stacked bars, one for each step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from miharu.dashboard.charts.plot import HEIGHT, Chart, grid_lines, number, polyline, time_labels

__all__ = ("Series", "stack")

_TICKS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked chart: a value for each step."""

    name: str
    css: str
    values: Sequence[int]


def stack(
    edges: Sequence[int],
    series: Sequence[Series],
    previous: Sequence[int] | None,
    *,
    unit: str,
    ticks: Sequence[int],
    label: Callable[[int], str],
) -> Chart:
    """Stacked bars, the first series lowest, and a dashed line for the period before.

    ``edges`` are when each step starts, and when the last one ends.
    """
    *times, end = edges
    columns = len(times)
    totals = [sum(s.values[i] for s in series) for i in range(columns)]
    highest = max((*totals, *(previous or ()), 0))
    top = _nice(highest)
    base = [0] * columns
    shapes = []
    for one in series:
        path = []
        for i, value in enumerate(one.values):
            if value > 0:
                height = number(value / top * HEIGHT)
                path.append(
                    f"M{number(i + 0.14)} {number(HEIGHT - base[i] / top * HEIGHT)}h.72v-{height}h-.72z"
                )
                base[i] += value
        shapes.append((f"bar {one.css}", "".join(path)))
    lines = [("cmp", polyline([HEIGHT - v / top * HEIGHT for v in previous]))] if previous else []
    return Chart(
        kind="stack",
        columns=columns,
        height=HEIGHT,
        grid=grid_lines(_TICKS, columns),
        shapes=shapes,
        lines=lines,
        # Without a value there is no scale.
        y=[label(top * (_TICKS - i) // _TICKS) if highest else "" for i in range(_TICKS)] + [label(0)],
        x=time_labels(times, ticks),
        data={
            "t": list(times),
            "end": end,
            "unit": unit,
            "series": [{"n": s.name, "c": s.css, "v": list(s.values)} for s in series],
            "previous": list(previous) if previous else None,
        },
    )


def _nice(highest: int) -> int:
    """A round top for the axis, not below the highest value, whose quarters are round as well."""
    if highest <= 0:
        return _TICKS
    raw = highest / _TICKS
    magnitude: int = 10 ** math.floor(math.log10(raw)) if raw >= 1 else 1
    for tenths in (10, 15, 20, 25, 30, 40, 50, 60, 80, 100):
        step = tenths * magnitude // 10
        if step * _TICKS >= highest and tenths * magnitude % 10 == 0:
            return step * _TICKS
    raise AssertionError  # pragma: no cover - ten times the magnitude is above it
