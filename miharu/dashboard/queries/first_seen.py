"""When each kind of error came for the first time, however long ago: what is old must not look new.

Sums are kept by day and hour, so it is found by going from months to days, to hours, to the call itself; what
was found may be a minute old.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from miharu.dashboard.address.ranges import DAY, HOUR
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.cache import kept
from miharu.dashboard.queries.together import together
from miharu.stores.base import Order, Query, Questions

__all__ = ("beginnings",)

_SUMMED = {"model", "provider", "route", "service", "error", "status"}
"""The filters by which sums of errors are kept; with any other all calls would have to be looked through."""
_MOST = 12
_OLDEST = Order(descending=False)


async def beginnings(view: View, site: Site, kinds: Sequence[str | None]) -> Mapping[str, int]:
    """The moment of the first of each of the first kinds, up to the end of the window, where it is known."""
    named = tuple(kind for kind in kinds if kind is not None)[:_MOST]
    if not named or view.fields_asked - _SUMMED:
        return {}
    query = replace(view.during(0, view.window(site.clock()).end), status="error", error_type=None)
    found = await kept(site, ("beginnings", query, named), partial(_found, site.store, query, named))
    return {kind: at for kind, at in found.items() if at is not None}


async def _found(store: Questions, query: Query, kinds: Sequence[str]) -> Mapping[str, int | None]:
    points = await store.series(query, 30 * DAY, "error_type", kinds)
    first: dict[str, int] = {}
    for point in points:
        if point.key is not None and point.totals.calls:
            first.setdefault(point.key, point.t)
    async with together() as ask:
        found = {
            kind: ask(_first, store, replace(query, error_type=kind), month) for kind, month in first.items()
        }
    return {kind: answer.value for kind, answer in found.items()}


async def _first(store: Questions, query: Query, month: int) -> int | None:
    at, length = month, 30 * DAY
    for step in (DAY, HOUR):
        part = replace(query, start=max(query.start, at), end=min(query.end, at + length))
        points = await store.series(part, step)
        found = next((point.t for point in points if point.totals.calls), None)
        if found is None:
            return None
        at, length = found, step
    part = replace(query, start=max(query.start, at), end=min(query.end, at + length))
    calls = await store.calls(part, 1, None, _OLDEST)
    return calls[0].timestamp if calls else None
