"""The one route table. Both doors call ``respond`` and send what it returns, unchanged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from miharu._guard import swallowed
from miharu.dashboard import calls, overview
from miharu.dashboard.assets import AssetsMissing, asset
from miharu.dashboard.headers import make_page
from miharu.dashboard.page import Page, PageRequest, Site
from miharu.dashboard.templates import render
from miharu.errors import StoreError

__all__ = ("METHODS", "PATHS", "STATIC", "respond")

METHODS = ("GET", "HEAD")
STATIC = "static/"
_VIEWS: Mapping[str, Callable[[PageRequest, Site], Awaitable[Page]]] = {
    "": overview.page,
    "overview-now": overview.now,
    "overview-charts": overview.charts,
    "calls": calls.page,
    "calls-rows": calls.listing,
}
PATHS = tuple(_VIEWS)
"""Every page and fragment; assets are at ``STATIC`` and one more segment."""


async def respond(request: PageRequest, site: Site) -> Page:
    """The whole response: status, all headers, body. What fails is a page as well."""
    try:
        page = await _find(request, site)
    except AssetsMissing as error:
        page = make_page(str(error), status=500, content_type="text/plain; charset=utf-8")
    except StoreError as error:
        page = _notice(request, site, 503, "The calls cannot be read", str(error))
    except Exception:  # noqa: BLE001 - the guard
        swallowed("showing a page of the dashboard")
        page = _notice(request, site, 500, "This page could not be made", "The log of this process says why.")
    return replace(page, body=b"") if request.method == "HEAD" else page


async def _find(request: PageRequest, site: Site) -> Page:
    if request.method not in METHODS:
        text = "The dashboard is for reading: it answers GET and HEAD only."
        return _notice(request, site, 405, "Nothing to do here", text, extra=(("Allow", ", ".join(METHODS)),))
    if view := _VIEWS.get(request.path):
        return await view(request, site)
    found = asset(request.path.removeprefix(STATIC), request) if request.path.startswith(STATIC) else None
    return found or _notice(
        request, site, 404, "There is no such page", "The overview and the calls are there."
    )


def _notice(
    request: PageRequest,
    site: Site,
    status: int,
    title: str,
    text: str,
    *,
    extra: tuple[tuple[str, str], ...] = (),
) -> Page:
    up = "../" * request.path.count("/")
    html = render("notice.html", site=site, title=title, text=text, up=up)
    return make_page(html, status=status, extra=extra)
