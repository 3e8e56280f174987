"""The calls: a list, newest first, and one of them opened beside it (``sel`` in the URL)."""

from collections.abc import Sequence
from typing import Any

from miharu.call import Call
from miharu.dashboard.colors import palette
from miharu.dashboard.drawer import drawer
from miharu.dashboard.filters import choices
from miharu.dashboard.headers import make_page
from miharu.dashboard.live import tag, tagged, unchanged
from miharu.dashboard.page import Page, PageRequest, Site
from miharu.dashboard.query import View
from miharu.dashboard.rows import rows
from miharu.dashboard.templates import render

__all__ = ("listing", "page")

_PAGE = 50
_BUCKET = 60_000


async def page(request: PageRequest, site: Site) -> Page:
    view = View.read(request.params)
    listing_tag = await tag(site, _question(view), _BUCKET)
    listed = await _listed(view, site)
    html = render(
        "calls.html",
        listing_tag=listing_tag,
        choices=await choices(view, site),
        path="calls",
        **await _list(view, site, listed),
        **await _selected(view, site, listed),
        **_context(view, site),
    )
    return make_page(html)


async def listing(request: PageRequest, site: Site) -> Page:
    """The list alone, for the tick."""
    view = View.read(request.params)
    listing_tag = await tag(site, _question(view), _BUCKET)
    if same := unchanged(request, listing_tag):
        return same
    facts = await _list(view, site, await _listed(view, site))
    return tagged(
        render("calls-rows.html", listing_tag=listing_tag, **facts, **_context(view, site)), listing_tag
    )


def _question(view: View) -> str:
    return view.link("calls", sel=None)


def _context(view: View, site: Site) -> dict[str, Any]:
    return {"view": view, "site": site, "now": site.clock(), "losses": site.losses()}


async def _listed(view: View, site: Site) -> Sequence[Call]:
    """One page of calls, and one more that tells whether there is another page."""
    return await site.store.calls(view.query(site.clock()), limit=_PAGE + 1, before=view.before)


async def _list(view: View, site: Site, listed: Sequence[Call]) -> dict[str, Any]:
    shown = listed[:_PAGE]
    return {
        "rows": rows(shown, view, await palette(site)),
        "total": (await site.store.totals(view.query(site.clock()))).calls,
        "older": view.link("calls", before=shown[-1].id, sel=None) if len(listed) > _PAGE else None,
    }


async def _selected(view: View, site: Site, listed: Sequence[Call]) -> dict[str, Any]:
    """The opened call and the links to its neighbours in the list."""
    if view.sel is None:
        return {"open": False}
    call = await site.store.call(view.sel)
    ids = [one.id for one in listed]
    newer = older = None
    if view.sel in ids:
        place = ids.index(view.sel)
        if place:
            newer = view.link("calls", sel=ids[place - 1])
        if place + 1 < len(ids):
            # The list turns its page together with the drawer.
            turned = view.before if place + 1 < _PAGE else view.sel
            older = view.link("calls", sel=ids[place + 1], before=turned)
    return {
        "open": True,
        "drawer": drawer(call, await palette(site)) if call else None,
        "newer": newer,
        "older_call": older,
        "close": view.link("calls", sel=None),
    }
