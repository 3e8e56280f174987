"""How far back a page looks where no sums are kept by a filter, so that calls have to be looked through.

A page asks twenty questions, and asks again while it is open: over a month of calls each would take a second.
"""

from dataclasses import replace

from miharu.dashboard.page import Site
from miharu.dashboard.query import View
from miharu.dashboard.ranges import HOUR
from miharu.stores.base import Dimension, Query

__all__ = ("LOOKED_THROUGH", "within_reach")

LOOKED_THROUGH = 50_000
"""Calls, whether they match or not, in whole hours."""


async def within_reach(view: View, site: Site, by: Dimension | None = None) -> View:
    """The same view; over the newest calls where there are many, and no sums by its filters.

    ``by`` is what is grouped by, where that is more than the page is about.
    """
    if view.since is not None or not view.filters:
        return view
    if await site.store.has_sums(view.query(site.clock()), by):
        return view
    window, seen, since = view.window(site.clock()), 0, None
    points = await site.store.series(Query(start=window.start, end=window.end), HOUR)
    for point in reversed(points):
        seen += point.totals.calls
        if seen > LOOKED_THROUGH:
            return replace(view, since=point.t if since is None else since)
        since = point.t
    return view
