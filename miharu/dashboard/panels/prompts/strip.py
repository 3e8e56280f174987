"""When each version of a prompt was called: a strip over the range."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from miharu.dashboard.address.ranges import DAY, HOUR, MINUTE
from miharu.dashboard.address.windows import Window
from miharu.stores.base import Versions

__all__ = ("Segment", "Span", "css_of", "segments", "spans_of", "step_of")

_STEPS = ((6 * HOUR, 5 * MINUTE), (2 * DAY, HOUR), (14 * DAY, 6 * HOUR))


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a strip, in percent of it."""

    css: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a version was called, to the step."""

    version: str | None
    number: int
    """1 for the version that was called first, of those in the range."""
    first: int
    """Unix milliseconds at the start of the first step that has a call of it."""
    last: int
    """Unix milliseconds at the start of the last one."""


def step_of(window: Window) -> int:
    """How long a step is, in milliseconds: of days in a month, whose sums are kept."""
    length = window.end - window.start
    return next((step for most, step in _STEPS if length <= most), DAY)


def spans_of(found: Versions) -> list[Span]:
    """The versions, the newest first."""
    first: dict[str | None, int] = {}
    last: dict[str | None, int] = {}
    for t, version, _ in found.points:
        first.setdefault(version, t)
        last[version] = t
    known = [version for version in first if version is not None]
    spans = [Span(version, number, first[version], last[version]) for number, version in enumerate(known, 1)]
    return spans[::-1]


def css_of(number: int, newest: int) -> str:
    """The colour of a version: the newest two have their own, and older ones take turns."""
    back = newest - number
    return "v3" if back == 0 else "v2" if back % 2 else "v1"


def segments(found: Versions, window: Window, step: int) -> Sequence[Segment]:
    """The version that was called most in each step; where there was no call, the one before."""
    numbers = {span.version: span.number for span in spans_of(found)}
    if not numbers:
        return ()
    most: dict[int, tuple[int, int]] = {}
    for t, version, calls in found.points:
        if version is not None:
            most[t] = max(most.get(t, (0, 0)), (calls, numbers[version]))
    length, made = window.end - window.start, list[Segment]()
    runs = [
        (number, [t for t, _ in run])
        for number, run in groupby(
            sorted((t, number) for t, (_, number) in most.items()), key=lambda pair: pair[1]
        )
    ]
    for place, (number, times) in enumerate(runs):
        start = max(times[0], window.start)
        end = runs[place + 1][1][0] if place + 1 < len(runs) else min(times[-1] + step, window.end)
        x, width = 100 * (start - window.start) / length, 100 * (max(end, start) - start) / length
        made.append(Segment(css_of(number, len(numbers)), f"{x:.2f}%", f"{max(width, 0.6):.2f}%"))
    return made
