"""Charts as SVG paths, drawn here and stretched by the browser.

A plot is one column per step wide and stretches to any width, so no text stands inside it: labels are HTML
or unscaled SVG, colours are classes, and nothing needs a ``style`` attribute. What a tooltip says travels as
data beside the picture; the same numbers stand in a table under it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ("Chart", "ChartLine", "Heat", "Series", "Twin", "heat", "percentile", "spark", "stack")

_TICKS = 4
_LEVELS = 6
_ROWS_A_DECADE = 5
_PLOT = 240
_SPARK_WIDTH, _SPARK_HEIGHT = 100, 28


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked chart: a value for each step."""

    name: str
    css: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class ChartLine:
    name: str
    css: str
    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template needs to draw."""

    kind: str
    columns: int
    height: int
    grid: str
    """Path of the horizontal lines but the lowest."""
    shapes: Sequence[tuple[str, str]]
    """(CSS class, path), filled."""
    lines: Sequence[tuple[str, str]]
    """(CSS class, path), stroked."""
    y: Sequence[str]
    """Labels from the top down."""
    x: Sequence[tuple[str, int]]
    """(position in percent, Unix milliseconds)."""
    data: Mapping[str, Any]
    """The values that the tooltip shows."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A chart in words and figures."""

    head: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Heat:
    """How many calls took how long, on a logarithmic scale of whole decades."""

    low: int
    """Exponent of the lowest label, in milliseconds."""
    decades: int
    cells: Sequence[Sequence[int]]
    """Calls per column, from the quickest row up."""

    @classmethod
    def of(cls, counts: Sequence[Mapping[int, int]]) -> "Heat":
        """From how many calls took each number of milliseconds, step by step."""
        seen = [ms for column in counts for ms in column]
        low = min(2, max(0, math.floor(math.log10(max(1, min(seen)))))) if seen else 2
        high = min(6, max(low + 2, math.ceil(math.log10(max(1, *seen, 1))))) if seen else 5
        rows = (high - low) * _ROWS_A_DECADE
        cells = []
        for column in counts:
            cell = [0] * rows
            for ms, calls in column.items():
                row = math.floor((math.log10(max(1, ms)) - low) * _ROWS_A_DECADE)
                cell[max(0, min(rows - 1, row))] += calls
            cells.append(cell)
        return cls(low, high - low, cells)

    def y(self, ms: int) -> float:
        """The place of a duration, from the top of a plot."""
        share = (math.log10(max(1, ms)) - self.low) / self.decades
        return _PLOT * (1 - min(1.0, max(0.0, share)))


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The value that this share of the calls does not exceed; ``None`` of none."""
    rank = math.ceil(sum(counts.values()) * share)
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0 and counts[value]:
            return value
    return None


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
    top = _nice(max((*totals, *(previous or ()), 0)))
    base = [0] * columns
    shapes = []
    for one in series:
        path = []
        for i, value in enumerate(one.values):
            if value > 0:
                height = _n(value / top * _PLOT)
                path.append(f"M{_n(i + 0.14)} {_n(_PLOT - base[i] / top * _PLOT)}h.72v-{height}h-.72z")
                base[i] += value
        shapes.append((f"bar {one.css}", "".join(path)))
    lines = [("cmp", _polyline([_PLOT - v / top * _PLOT for v in previous]))] if previous else []
    return Chart(
        kind="stack",
        columns=columns,
        height=_PLOT,
        grid=_grid(_TICKS, columns),
        shapes=shapes,
        lines=lines,
        y=[label(top * (_TICKS - i) // _TICKS) for i in range(_TICKS + 1)],
        x=_axis(times, ticks),
        data={
            "t": list(times),
            "end": end,
            "unit": unit,
            "series": [{"n": s.name, "c": s.css, "v": list(s.values)} for s in series],
            "previous": list(previous) if previous else None,
        },
    )


def heat(
    edges: Sequence[int],
    counts: Sequence[Mapping[int, int]],
    lines: Sequence[ChartLine],
    *,
    ticks: Sequence[int],
    label: Callable[[int], str],
) -> Chart:
    """A cell for each step and duration, darker the more calls it holds, with lines on the same scale."""
    *times, end = edges
    field = Heat.of(counts)
    rows = field.decades * _ROWS_A_DECADE
    tall = _PLOT / rows
    most = max((calls for column in field.cells for calls in column), default=0)
    levels: dict[int, list[str]] = {}
    for i, column in enumerate(field.cells):
        for row, calls in enumerate(column):
            if calls:
                # The root lets single calls be seen beside hundreds.
                level = min(_LEVELS, 1 + int(math.sqrt(calls / most) * (_LEVELS - 0.01)))
                top = _n(_PLOT - (row + 1) * tall + 0.75)
                levels.setdefault(level, []).append(f"M{_n(i + 0.05)} {top}h.9v{_n(tall - 1.5)}h-.9z")
    return Chart(
        kind="heat",
        columns=len(times),
        height=_PLOT,
        grid=_grid(field.decades, len(times)),
        shapes=[(f"heat l{level}", "".join(path)) for level, path in sorted(levels.items())],
        lines=[
            (f"line {one.css}", _polyline([None if v is None else field.y(v) for v in one.values]))
            for one in lines
        ],
        y=[label(10 ** (field.low + field.decades - i)) for i in range(field.decades + 1)],
        x=_axis(times, ticks),
        data={
            "t": list(times),
            "end": end,
            "unit": "ms",
            "calls": [sum(column.values()) for column in counts],
            "series": [{"n": one.name, "c": one.css, "v": list(one.values)} for one in lines],
            "previous": None,
        },
    )


def spark(values: Iterable[float | None]) -> tuple[str, str]:
    """The paths (line, area) of a small line from zero, 100 by 28; empty of less than two values."""
    places = list(values)
    known = [(i, value) for i, value in enumerate(places) if value is not None]
    highest = max((value for _, value in known), default=0)
    if len(known) < 2 or highest <= 0:
        return "", ""
    across, up = _SPARK_WIDTH / (len(places) - 1), (_SPARK_HEIGHT - 4) / highest
    points = (f"{_n(i * across)} {_n(_SPARK_HEIGHT - 2 - value * up)}" for i, value in known)
    line = f"M{' '.join(points)}"
    return line, f"{line}V{_SPARK_HEIGHT}H{_n(known[0][0] * across)}z"


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


def _grid(parts: int, columns: int) -> str:
    return "".join(f"M0 {_n(_PLOT * i / parts)}H{columns}" for i in range(parts))


def _axis(times: Sequence[int], ticks: Sequence[int]) -> list[tuple[str, int]]:
    columns, labelled = len(times), set(ticks)
    marks = [(i, t) for i, t in enumerate(times) if t in labelled]
    # A label in the last columns would hang over the edge.
    return [(_n((i + 0.5) / columns * 100), t) for i, t in marks if 0.02 < (i + 0.5) / columns < 0.975]


def _polyline(ys: Sequence[float | None]) -> str:
    """A line through the middle of each column, broken where there is nothing; a lone point is a dash."""
    runs: list[list[str]] = [[]]
    for i, y in enumerate(ys):
        if y is None:
            runs.append([])
        else:
            runs[-1].append(f"{_n(i + 0.5)} {_n(y)}")
    return "".join(f"M{' '.join(run)}" + ("h.3h-.6" if len(run) == 1 else "") for run in runs if run)


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".") or "0"
