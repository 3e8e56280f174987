"""The overview: what it cost, how much it was, how long it took, what failed, and the newest calls.

Three fragments of one page: the figures (every tick), the drawings (``drawings.py``, less often), the whole.
"""

from typing import Any

from miharu.dashboard.colors import palette
from miharu.dashboard.drawings import drawings
from miharu.dashboard.figures import figures
from miharu.dashboard.filters import choices
from miharu.dashboard.live import tag, tagged, unchanged
from miharu.dashboard.page import Page, PageRequest, Site
from miharu.dashboard.query import View
from miharu.dashboard.rows import rows
from miharu.dashboard.templates import render
from miharu.stores.base import Query

__all__ = ("charts", "now", "page")

_RECENT = 8
_FIGURES_BUCKET = 10_000
_DRAWINGS_BUCKET = 60_000


async def page(request: PageRequest, site: Site) -> Page:
    view = View.read(request.params)
    figures_tag = await tag(site, view.link(""), _FIGURES_BUCKET)
    if same := unchanged(request, figures_tag):
        return same
    context = _context(view, site)
    if not await site.store.calls(Query(start=0, end=site.clock() + 1), limit=1):
        return tagged(render("waiting.html", tag=figures_tag, **context), figures_tag)
    html = render(
        "overview.html",
        figures_tag=figures_tag,
        drawings_tag=await tag(site, view.link(""), _DRAWINGS_BUCKET),
        choices=await choices(view, site),
        path="",
        **await _figures(view, site),
        **await drawings(view, site),
        **context,
    )
    return tagged(html, figures_tag)


async def now(request: PageRequest, site: Site) -> Page:
    view = View.read(request.params)
    figures_tag = await tag(site, view.link(""), _FIGURES_BUCKET)
    if same := unchanged(request, figures_tag):
        return same
    facts = await _figures(view, site)
    return tagged(
        render("overview-now.html", figures_tag=figures_tag, **facts, **_context(view, site)), figures_tag
    )


async def charts(request: PageRequest, site: Site) -> Page:
    view = View.read(request.params)
    drawings_tag = await tag(site, view.link(""), _DRAWINGS_BUCKET)
    if same := unchanged(request, drawings_tag):
        return same
    facts = await drawings(view, site)
    return tagged(
        render("overview-charts.html", drawings_tag=drawings_tag, **facts, **_context(view, site)),
        drawings_tag,
    )


async def _figures(view: View, site: Site) -> dict[str, Any]:
    recent = await site.store.calls(view.query(site.clock()), limit=_RECENT)
    return {
        **await figures(view, site),
        "recent": rows(recent, view, await palette(site)),
    }


def _context(view: View, site: Site) -> dict[str, Any]:
    return {"view": view, "site": site, "now": site.clock(), "losses": site.losses()}
