"""Calls of the future: they come from a machine whose clock is ahead, and no range that ends now has them."""

from dataclasses import dataclass

from miharu.dashboard.address.ranges import LAST, MINUTE
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.stores.base import Query

__all__ = ("Ahead", "ahead")


@dataclass(frozen=True, slots=True)
class Ahead:
    """The calls that lie beyond the range."""

    calls: int
    newest: int
    """When the last of them started (Unix milliseconds, by that clock)."""
    service: str | None
    link: str
    """To these calls, relative to the dashboard."""


async def ahead(view: View, site: Site) -> Ahead | None:
    """Calls that began a minute after the running one, or later; ``None`` where there are none."""
    if view.is_zoomed:
        return None
    start = (site.clock() // MINUTE + 2) * MINUTE
    newest = await site.store.calls(Query(start=start, end=LAST), limit=1)
    if not newest:
        return None
    last = newest[0].timestamp
    query = Query(start=start, end=(last // MINUTE + 1) * MINUTE)
    totals = await site.store.totals(query)
    link = View().link("calls", start=query.start, end=query.end)
    return Ahead(totals.calls, last, newest[0].service, link)
