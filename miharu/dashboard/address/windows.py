"""A window of time, cut into steps that a chart can show: minutes, hours, or the viewer's own days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from miharu.dashboard.address.ranges import DAY, HOUR, MINUTE, Range
from miharu.dashboard.address.zones import UTC, Zone

__all__ = ("Stretch", "Window")

_COLUMNS = 96
_LABELS = 9
_LADDER = (
    *(MINUTE * n for n in (1, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 5, 10, 30, 90, 360)),
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps of one length, one after another: those of ``offset`` plus any multiple of ``step``."""

    start: int
    end: int
    step: int

    @property
    def offset(self) -> int:
        return self.start % self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Unix milliseconds in [start, end), in whole minutes."""

    start: int
    end: int
    step: int
    """How long a step is; a day on which clocks are changed has 23 or 25 hours."""
    tick: int
    label: str
    """Its length in words."""
    before: str
    """What it is compared with, in words."""
    earlier: tuple[int, int]
    """Start and end of the period that it is compared with."""
    zone: Zone
    edges: tuple[int, ...]
    """When each step starts, and when the last one ends; the first and the last may lie partly outside."""

    @classmethod
    def of_range(cls, named: Range, now: int, zone: Zone = UTC) -> "Window":
        """The range up to now: to the end of the running minute, of days to that of the running hour.

        It is always as long as its name says, so no sum falls by itself at midnight; and the sums that are
        kept by hour do for all of the longer ones.
        """
        if named.calendar:
            return cls._of_calendar(named, now, zone)
        grain = MINUTE if named.length <= DAY else HOUR
        end = (now // grain + 1) * grain
        start = end - named.length
        earlier = (start - named.length, start)
        return cls._cut(
            start,
            end,
            named.step,
            named.tick,
            label=named.label,
            before=named.before,
            earlier=earlier,
            zone=zone,
        )

    @classmethod
    def _of_calendar(cls, named: Range, now: int, zone: Zone) -> "Window":
        end = (now // MINUTE + 1) * MINUTE
        if named.name == "month":
            day, day_before = zone.month(now), zone.month(now, 1)
        else:
            day = zone.day(now)
            day_before = day - 1
        start, start_before = zone.midnight(day), zone.midnight(day_before)
        # As long as this one by now; a shorter month is over before.
        earlier = (start_before, min(start, start_before + end - start))
        return cls._cut(
            start,
            end,
            named.step,
            named.tick,
            label=named.label,
            before=named.before,
            earlier=earlier,
            zone=zone,
        )

    @classmethod
    def between(cls, start: int, end: int, zone: Zone = UTC) -> "Window":
        """From the minute of one moment to the minute of another, in as many steps as a chart can show."""
        start = start // MINUTE * MINUTE
        end = max(start + MINUTE, -(-end // MINUTE) * MINUTE)
        length = end - start
        step = next((s for s in _LADDER if length <= s * _COLUMNS), _LADDER[-1])
        tick = next(
            (t for t in _LADDER if t % step == 0 and length <= t * _LABELS), length // step * step or step
        )
        label = _in_words(length)
        earlier = (start - length, start)
        return cls._cut(
            start, end, step, tick, label=label, before=f"the {label} before", earlier=earlier, zone=zone
        )

    @classmethod
    def _cut(
        cls,
        start: int,
        end: int,
        step: int,
        tick: int,
        *,
        label: str,
        before: str,
        earlier: tuple[int, int],
        zone: Zone,
    ) -> "Window":
        return cls(
            start=start,
            end=end,
            step=step,
            tick=tick,
            label=label,
            before=before,
            earlier=earlier,
            zone=zone,
            edges=tuple(_edges(start, end, step, zone)),
        )

    def moved(self, start: int, end: int) -> "Window":
        """Another time of about that length, in the same steps."""
        return replace(self, start=start, end=end, edges=tuple(_edges(start, end, self.step, self.zone)))

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def times(self) -> Sequence[int]:
        """When each step starts."""
        return self.edges[:-1]

    @property
    def ticks(self) -> Sequence[int]:
        """The steps that have a label."""
        if self.tick < DAY:
            offset = self.zone.offset(self.end)
            return [t for t in self.times if (t + offset) % self.tick == 0]
        days = self.tick // DAY
        found = []
        for number, t in enumerate(self.times):
            # where clocks are changed no step begins at midnight, but one soon after
            day = self.zone.day(t)
            first = number == 0 and self.zone.midnight(day) != t
            if (
                not first
                and (number == 0 or self.zone.day(self.times[number - 1]) != day)
                and day % days == 0
            ):
                found.append(t)
        return found

    @property
    def stretches(self) -> Sequence[Stretch]:
        """All steps, those of one length together: a store can be asked for these."""
        return [
            Stretch(pairs[0][0], pairs[-1][1], length)
            for length, some in groupby(pairwise(self.edges), lambda pair: pair[1] - pair[0])
            if (pairs := list(some))
        ]

    @property
    def unit(self) -> str:
        """How its labels say a moment."""
        return "hour" if self.tick < DAY else "day"


def _edges(start: int, end: int, step: int, zone: Zone) -> list[int]:
    if step < DAY:
        offset = zone.offset(end)
        first = (start + offset) // step * step - offset
        return [first + step * number for number in range(-(-(end - first) // step) + 1)]
    days = step // DAY
    day = zone.day(start) // days * days
    edges = [zone.midnight(day)]
    while edges[-1] < end:
        day += days
        begins = zone.midnight(day)
        if begins > edges[-1]:  # else there was no such day: an island has changed its side of the date line
            edges.append(begins)
    return edges


def _in_words(ms: int) -> str:
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if ms >= size * 2 or (ms >= size and name == "minute"):
            number = f"{ms / size:.1f}".removesuffix(".0")
            return f"{number} {name}s" if number != "1" else f"1 {name}"
    return "1 minute"
