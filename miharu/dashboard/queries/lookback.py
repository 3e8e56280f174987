"""How far back a page looks where no sums are kept by a filter, so that calls have to be looked through.

A page asks twenty questions, and asks again while it is open: over a month of calls each would take a second.
"""

from dataclasses import replace

from miharu.dashboard.address.ranges import DAY, HOUR
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.http.page import Site
from miharu.stores.base import By, Query

__all__ = ("LOOKED_THROUGH", "LOOKED_THROUGH_FOR_CONDITIONS", "since_when", "within_reach")

LOOKED_THROUGH = 50_000
"""Calls, whether they match or not, in whole hours."""
LOOKED_THROUGH_BY = 10_000
"""The same where a page has sums, and only a part of it has none."""
LOOKED_THROUGH_FOR_CONDITIONS = 20_000
"""The same where conditions are asked for: each call is compared with all of them."""
_FIRST_LOOK = 3 * HOUR
"""Where there are many calls, few hours hold as many: not every hour of a month has to be asked for."""


async def within_reach(view: View, site: Site, by: By | None = None) -> View:
    """The same view; over the newest calls where there are many, and no sums by its filters.

    ``by`` is what is grouped by, where that is more than the page is about.
    """
    if view.since is not None or view.words or (by is None and not view.is_filtered):
        return view  # words lead to few calls, or to the newest of many
    now = site.clock()
    since = await since_when(view.query(now), view.window(now), site, by)
    return view if since is None else replace(view, since=since)


async def since_when(query: Query, window: Window, site: Site, by: By | None = None) -> int | None:
    """From when on a question is to be asked; ``None`` where all of its window can be."""
    if await site.store.has_sums(query, by):
        return None
    most = LOOKED_THROUGH if by is None else LOOKED_THROUGH_BY
    if query.conditions:
        most = min(most, LOOKED_THROUGH_FOR_CONDITIONS)
    return await _since(site, window, most)


async def _since(site: Site, window: Window, most: int) -> int | None:
    """The hour from which on there are so many calls; ``None`` where there are not as many in the window."""
    seen, since, until = 0, None, window.end
    for length in (_FIRST_LOOK, DAY, window.length):
        first = max(window.start, (window.end - length) // HOUR * HOUR)
        points = await site.store.series(Query(start=first, end=until), HOUR) if first < until else ()
        for point in reversed(points):
            seen += point.totals.calls
            if seen > most:
                return point.t if since is None else since
            since = point.t
        until = min(until, first)
    return None
