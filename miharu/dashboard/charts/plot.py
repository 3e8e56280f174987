"""Charts as SVG paths, drawn here and stretched by the browser.

A plot is one column per step wide and stretches to any width, so no text stands inside it: labels are HTML
or unscaled SVG, colours are classes, and nothing needs a ``style`` attribute. What a tooltip says travels as
data beside the picture; the same numbers stand in a table under it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = (
    "HEIGHT",
    "Chart",
    "ChartLine",
    "Twin",
    "grid_lines",
    "number",
    "percentile",
    "polyline",
    "time_labels",
)

HEIGHT = 240
"""Of a plot, in units of its own."""


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


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The value that this share of the calls does not exceed; ``None`` of none."""
    rank = math.ceil(sum(counts.values()) * share)
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0 and counts[value]:
            return value
    return None


def grid_lines(parts: int, columns: int) -> str:
    """The path of the horizontal lines but the lowest."""
    return "".join(f"M0 {number(HEIGHT * i / parts)}H{columns}" for i in range(parts))


def time_labels(times: Sequence[int], ticks: Sequence[int]) -> list[tuple[str, int]]:
    """The labels of an axis: (position in percent, Unix milliseconds)."""
    columns, labelled = len(times), set(ticks)
    marks = [(i, t) for i, t in enumerate(times) if t in labelled]
    # A label in the last columns would hang over the edge.
    return [(number((i + 0.5) / columns * 100), t) for i, t in marks if 0.02 < (i + 0.5) / columns < 0.975]


def polyline(ys: Sequence[float | None]) -> str:
    """A line through the middle of each column, broken where there is nothing; a lone point is a dash."""
    runs: list[list[str]] = [[]]
    for i, y in enumerate(ys):
        if y is None:
            runs.append([])
        else:
            runs[-1].append(f"{number(i + 0.5)} {number(y)}")
    return "".join(f"M{' '.join(run)}" + ("h.3h-.6" if len(run) == 1 else "") for run in runs if run)


def number(value: float) -> str:
    """As a path has it: two digits at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
