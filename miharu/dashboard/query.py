"""The address as state: what a URL asks for, the window of time it means, and the links to its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from miharu.call import Status
from miharu.stores.base import Query

__all__ = ("BREAKDOWNS", "MEASURES", "RANGES", "Breakdown", "Measure", "Range", "View", "steps")

Measure = Literal["cost", "tokens", "requests"]
Breakdown = Literal["model", "provider", "route"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)
_FILTERS = ("model", "provider", "route", "status")
_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_LONGEST_VALUE = 500


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
        Range("1h", "1 hour", _HOUR, _MINUTE, 10 * _MINUTE),
        Range("24h", "24 hours", _DAY, _HOUR // 2, 3 * _HOUR),
        Range("7d", "7 days", 7 * _DAY, 3 * _HOUR, _DAY),
        Range("30d", "30 days", 30 * _DAY, _DAY // 2, 5 * _DAY),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a URL asks for. What it does not understand it leaves out."""

    range: Range = RANGES["24h"]
    model: str | None = None
    provider: str | None = None
    route: str | None = None
    status: Status | None = None
    measure: Measure = "cost"
    by: Breakdown = "model"
    before: str | None = None
    sel: str | None = None

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "View":
        given = {name: value for name, value in params.items() if value and _storable(value)}
        status, measure, by = given.get("status"), given.get("measure"), given.get("by")
        return cls(
            range=RANGES.get(given.get("range", ""), RANGES["24h"]),
            model=given.get("model"),
            provider=given.get("provider"),
            route=given.get("route"),
            status=cast("Status", status) if status in get_args(Status) else None,
            measure=measure if measure in MEASURES else "cost",
            by=by if by in BREAKDOWNS else "model",
            before=given.get("before"),
            sel=given.get("sel"),
        )

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name in _FILTERS if (value := getattr(self, name))}

    def query(self, now: int) -> Query:
        """The calls of the range, whole minutes only, the running one included."""
        end = (now // _MINUTE + 1) * _MINUTE
        return Query(
            start=end - self.range.length,
            end=end,
            model=self.model,
            provider=self.provider,
            route=self.route,
            status=self.status,
        )

    def previous(self, now: int) -> Query:
        """The same calls, one range earlier."""
        query = self.query(now)
        return replace(query, start=query.start - self.range.length, end=query.start)

    def link(self, path: str, **changes: Any) -> str:
        """The relative URL of this state on that page, with changes; ``None`` takes a part away."""
        view = replace(self, **changes)
        parts = {} if view.range.name == "24h" else {"range": view.range.name}
        parts |= view.filters
        if path.startswith("calls"):
            parts |= {name: value for name in ("before", "sel") if (value := getattr(view, name))}
        else:
            parts |= {} if view.measure == "cost" else {"measure": view.measure}
            parts |= {} if view.by == "model" else {"by": view.by}
        return (path or "./") + (f"?{urlencode(parts, errors='replace')}" if parts else "")


def _storable(value: str) -> bool:
    # PostgreSQL takes no NUL in a text, and no engine half of a surrogate pair.
    return len(value) <= _LONGEST_VALUE and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)


def steps(query: Query, step: int) -> list[int]:
    """When each step of the window starts; the first and the last may lie partly outside."""
    return list(range(query.start // step * step, query.end, step))
