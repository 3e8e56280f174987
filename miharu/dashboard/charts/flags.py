"""Flags on a chart: where a marker stands, and how much of its name there is room for.

Where two would touch, the older keeps only its flag; where even these would touch, the newer stands for both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from miharu.batch import Marker
from miharu.dashboard.address.windows import Window
from miharu.dashboard.charts.plot import number

__all__ = ("HALF", "SMALL", "WIDE", "Flag", "flags")

WIDE, HALF, SMALL = 620, 400, 240
"""Pixels of a plot in each kind of card, on a narrow screen for it."""
_DRAWN = 12
_LONGEST = 18
_FLAG, _LETTER = 16.0, 6.2
"""Pixels of a flag, and of a letter beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A marker as it is drawn."""

    marker: Marker
    at: str
    """Percent of the width."""
    name: str
    """Shortened; empty where only the flag has room."""
    width: str
    """Pixels of its box."""
    left: bool = False
    """Whether the box is left of the line: at the right edge there is no room."""
    older: bool = False
    """Whether there is a newer one: on a narrow screen it keeps only its flag."""
    link: str = ""
    others: int = 0
    """Older markers that it stands for."""


def flags(
    markers: Sequence[Marker], window: Window, wide: int, link: Callable[[Marker], str]
) -> Sequence[Flag]:
    """What is drawn of them, the newest first.

    Args:
        markers: The newest first.
        window: What the chart shows.
        wide: Pixels of the plot, about.
        link: Where a flag leads.
    """
    first, last = window.edges[0], window.edges[-1]
    drawn: list[Flag] = []
    taken: list[tuple[float, float]] = []
    for marker in markers:
        if not first <= marker.timestamp < last:
            continue
        share = (marker.timestamp - first) / (last - first)
        place = share * wide
        if drawn and (len(drawn) >= _DRAWN or _near(place, place + _FLAG, taken)):
            drawn[-1] = replace(drawn[-1], others=drawn[-1].others + 1)
            continue
        name = marker.name if len(marker.name) <= _LONGEST else f"{marker.name[: _LONGEST - 1]}…"
        width = _FLAG + 6 + _LETTER * len(name)
        left = place + width > wide
        box = (place - width, place) if left else (place, place + width)
        if box[0] < 0 or _near(*box, taken):
            name, width, left = "", _FLAG, False
            box = (place, place + width)
        taken.append(box)
        drawn.append(
            Flag(
                marker=marker,
                at=number(share * 100),
                name=name,
                width=number(width),
                left=left,
                older=bool(drawn),
                link=link(marker),
            )
        )
    return drawn


def _near(start: float, end: float, taken: Sequence[tuple[float, float]]) -> bool:
    return any(start < other_end + 2 and other_start < end + 2 for other_start, other_end in taken)
