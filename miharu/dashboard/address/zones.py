"""The viewer's time zone, in which days, weeks and months begin; UTC where it is not known.

A script tells it in a cookie: its name, and how many minutes east of UTC that is today, for a server that has
no data about zones.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC as _UTC
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from urllib.parse import unquote
from zoneinfo import ZoneInfo

__all__ = ("COOKIE", "UTC", "Zone", "zone_named", "zone_of")

COOKIE = "miharu-zone"
_MINUTE, _DAY = 60_000, 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_GIVEN = re.compile(rf"({_NAME.pattern})(?:,(-?\d{{1,4}}))?")
_FURTHEST = 18 * 60


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    rules: tzinfo
    known: bool = True
    """Whether the viewer has told it."""

    def offset(self, ms: int) -> int:
        """Milliseconds east of UTC at that moment, in whole minutes."""
        try:
            found = datetime.fromtimestamp(ms / 1000, self.rules).utcoffset()
        except (ValueError, OverflowError, OSError):  # beyond the calendar
            found = None
        return 0 if found is None else int(found.total_seconds()) // 60 * _MINUTE

    def day(self, ms: int) -> int:
        """The day of that moment, counted from the first of 1970."""
        return (ms + self.offset(ms)) // _DAY

    def midnight(self, day: int) -> int:
        """When that day begins, in Unix milliseconds; where clocks skip midnight, at the moment they do."""
        try:
            begins = datetime.combine(date.fromordinal(_EPOCH + day), time(), self.rules).timestamp()
        except (ValueError, OverflowError):
            return day * _DAY
        return int(begins) // 60 * _MINUTE

    def month(self, ms: int, back: int = 0) -> int:
        """The day on which the month of that moment begins, or one of the months before."""
        at = date.fromordinal(_EPOCH + self.day(ms))
        months = at.year * 12 + at.month - 1 - back
        return date(months // 12, months % 12 + 1, 1).toordinal() - _EPOCH


UTC = Zone("UTC", _UTC, known=False)


def zone_of(headers: Mapping[str, str]) -> Zone:
    """The zone that the visitor's browser has told."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return UTC
    found = _GIVEN.fullmatch(unquote(cookies[COOKIE].value)) if COOKIE in cookies else None
    if found is None:
        return UTC
    return zone_named(found[1]) or _fixed(found[1], int(found[2] or 0))


@lru_cache(maxsize=64)
def zone_named(name: str) -> Zone | None:
    """The zone of that name, such as ``Europe/Vienna``; ``None`` where this machine knows none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return Zone(name, ZoneInfo(name))
    except (ValueError, OSError, LookupError):
        return None


def _fixed(name: str, minutes: int) -> Zone:
    """A zone of a fixed offset, for where its rules are not known."""
    east = max(-_FURTHEST, min(_FURTHEST, minutes))
    return Zone(name, timezone(timedelta(minutes=east)))
