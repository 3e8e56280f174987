"""How many calls took how long, step by step: a cell for each, darker the more calls it holds."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from miharu.dashboard.charts.plot import HEIGHT, Chart, ChartLine, grid_lines, number, polyline, time_labels

__all__ = ("Heat", "heat")

_LEVELS = 6
_ROWS_A_DECADE = 5


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
        return HEIGHT * (1 - min(1.0, max(0.0, share)))


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
    tall = HEIGHT / rows
    most = max((calls for column in field.cells for calls in column), default=0)
    levels: dict[int, list[str]] = {}
    for i, column in enumerate(field.cells):
        for row, calls in enumerate(column):
            if calls:
                # The root lets single calls be seen beside hundreds.
                level = min(_LEVELS, 1 + int(math.sqrt(calls / most) * (_LEVELS - 0.01)))
                top = number(HEIGHT - (row + 1) * tall + 0.75)
                levels.setdefault(level, []).append(f"M{number(i + 0.05)} {top}h.9v{number(tall - 1.5)}h-.9z")
    return Chart(
        kind="heat",
        columns=len(times),
        height=HEIGHT,
        grid=grid_lines(field.decades, len(times)),
        shapes=[(f"heat l{level}", "".join(path)) for level, path in sorted(levels.items())],
        lines=[
            (f"line {one.css}", polyline([None if v is None else field.y(v) for v in one.values]))
            for one in lines
        ],
        y=[label(10 ** (field.low + field.decades - i)) for i in range(field.decades + 1)],
        x=time_labels(times, ticks),
        data={
            "t": list(times),
            "end": end,
            "unit": "ms",
            "calls": [sum(column.values()) for column in counts],
            "series": [{"n": one.name, "c": one.css, "v": list(one.values)} for one in lines],
            "previous": None,
        },
    )
