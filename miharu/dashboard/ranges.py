"""Which time a page is about: one of a few ranges up to now, or two moments, and how it is cut into steps."""

from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ("DAY", "HOUR", "MINUTE", "RANGES", "Range", "Window", "read_instant", "steps", "write_instant")

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_COLUMNS = 96
_LABELS = 9
_LADDER = (
    *(MINUTE * n for n in (1, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 5, 10, 30, 90, 360)),
)
_LAST = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True, slots=True)
class Range:
    """A length of time up to now, the width of a bar in it and of a label under it; each divides the next."""

    name: str
    label: str
    length: int
    step: int
    tick: int


RANGES = {
    r.name: r
    for r in (
        Range("1h", "1 hour", HOUR, MINUTE, 10 * MINUTE),
        Range("24h", "24 hours", DAY, HOUR, 3 * HOUR),
        Range("7d", "7 days", 7 * DAY, 3 * HOUR, DAY),
        Range("30d", "30 days", 30 * DAY, DAY, 5 * DAY),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Unix milliseconds in [start, end), in whole minutes."""

    start: int
    end: int
    step: int
    tick: int
    label: str
    """Its length in words."""

    @classmethod
    def of_range(cls, named: Range, now: int) -> "Window":
        """The range up to the end of the running minute, from the beginning of a step.

        So only its end lies inside one, and the sums that are kept by hour and day do for the rest.
        """
        end = (now // MINUTE + 1) * MINUTE
        start = (end - named.length) // named.step * named.step
        return cls(start=start, end=end, step=named.step, tick=named.tick, label=named.label)

    @classmethod
    def between(cls, start: int, end: int) -> "Window":
        """From the minute of one moment to the minute of another, in as many steps as a chart can show."""
        start = start // MINUTE * MINUTE
        end = max(start + MINUTE, -(-end // MINUTE) * MINUTE)
        length = end - start
        step = next((s for s in _LADDER if length <= s * _COLUMNS), _LADDER[-1])
        tick = next(
            (t for t in _LADDER if t % step == 0 and length <= t * _LABELS), length // step * step or step
        )
        return cls(start=start, end=end, step=step, tick=tick, label=_in_words(length))

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def unit(self) -> str:
        """How its labels say a moment."""
        return "hour" if self.tick < DAY else "day"


def steps(start: int, end: int, step: int) -> list[int]:
    """When each step of the window starts; the first and the last may lie partly outside."""
    return list(range(start // step * step, end, step))


def read_instant(text: str) -> int | None:
    """Unix milliseconds, from themselves or from ISO 8601; a time without a zone is UTC."""
    if text.isascii() and text.isdecimal():
        ms = int(text) if len(text) < 16 else _LAST
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return ms if 0 <= ms < _LAST else None


def write_instant(ms: int) -> str:
    """ISO 8601 in UTC, as short as it is exact."""
    at = datetime.fromtimestamp(ms // 1000, UTC)
    if ms % 1000:
        return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
    return f"{at:%Y-%m-%dT%H:%M}Z" if at.second == 0 else f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _in_words(ms: int) -> str:
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if ms >= size * 2 or (ms >= size and name == "minute"):
            number = f"{ms / size:.1f}".removesuffix(".0")
            return f"{number} {name}s" if number != "1" else f"1 {name}"
    return "1 minute"
