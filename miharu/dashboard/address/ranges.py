"""Which time a page is about: one of a few ranges up to now, or two moments."""

from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ("DAY", "HOUR", "LAST", "MINUTE", "RANGES", "Range", "read_instant", "write_instant")

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LAST = 253_402_300_800_000
"""The year 10000."""


@dataclass(frozen=True, slots=True)
class Range:
    """A length of time up to now, or a part of the calendar, and the width of a bar in it and of a label."""

    name: str
    label: str
    length: int
    """Milliseconds; for a part of the calendar, the most that it may be."""
    step: int
    tick: int
    before: str
    """The period it is compared with, in words."""
    calendar: bool = False


RANGES = {
    r.name: r
    for r in (
        Range("1h", "1 hour", HOUR, MINUTE, 10 * MINUTE, "the hour before"),
        Range("24h", "24 hours", DAY, HOUR, 3 * HOUR, "the 24 hours before"),
        Range("7d", "7 days", 7 * DAY, 3 * HOUR, DAY, "the 7 days before"),
        Range("30d", "30 days", 30 * DAY, DAY, 5 * DAY, "the 30 days before"),
        Range("today", "today", DAY, HOUR, 3 * HOUR, "yesterday until this time", calendar=True),
        Range(
            "month", "this month", 31 * DAY, DAY, 5 * DAY, "last month until this day and time", calendar=True
        ),
    )
}


def read_instant(text: str) -> int | None:
    """Unix milliseconds, from themselves or from ISO 8601; a time without a zone is UTC."""
    if text.isascii() and text.isdecimal():
        ms = int(text) if len(text) < 16 else LAST
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return ms if 0 <= ms < LAST else None


def write_instant(ms: int) -> str:
    """ISO 8601 in UTC, as short as it is exact."""
    at = datetime.fromtimestamp(ms // 1000, UTC)
    if ms % 1000:
        return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
    return f"{at:%Y-%m-%dT%H:%M}Z" if at.second == 0 else f"{at:%Y-%m-%dT%H:%M:%S}Z"
