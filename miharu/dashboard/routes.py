"""The one route table. Both doors call ``respond`` and send what it returns, unchanged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from miharu._guard import swallowed
from miharu.dashboard.address.view import FILTERS, NAMES, View
from miharu.dashboard.address.zones import zone_of
from miharu.dashboard.http.assets import AssetsMissing, asset
from miharu.dashboard.http.compression import packed
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.dashboard.pages import (
    alerts,
    calls,
    compare,
    errors,
    find,
    live,
    models,
    overview,
    pair,
    prompts,
    refused,
    routes,
    sessions,
    tags,
    tools,
    users,
)
from miharu.dashboard.panels.screens import Screen, show, show_panel
from miharu.dashboard.queries.together import once
from miharu.dashboard.resources import body, choices, export, health, media, metrics
from miharu.errors import ConditionError, StoreError

__all__ = ("METHODS", "PATHS", "SCREENS", "STATIC", "respond")

METHODS = ("GET", "HEAD")
STATIC = "static/"
SCREENS: tuple[Screen, ...] = (
    overview.SCREEN,
    live.SCREEN,
    calls.SCREEN,
    routes.SCREEN,
    models.SCREEN,
    users.SCREEN,
    tags.SCREEN,
    tools.SCREEN,
    prompts.SCREEN,
    sessions.SCREEN,
    errors.SCREEN,
    alerts.SCREEN,
    compare.SCREEN,
)
_VIEWS: Mapping[str, Callable[[PageRequest, Site], Awaitable[Page]]] = {
    **{screen.path: partial(show, screen) for screen in SCREENS},
    **{panel.path: partial(show_panel, panel) for screen in SCREENS for panel in screen.panels},
    "find": find.page,
    "pair": pair.page,
    "choices": choices.page,
    "body": body.page,
    "media": media.page,
    "export.csv": export.as_csv,
    "export.json": export.as_json,
    "healthz": health.page,
    "metrics": metrics.page,
}
PATHS = tuple(path for path in _VIEWS if path not in {"body", "media"})
"""Every page, part and file; beside them are assets (``STATIC`` and one segment), and bodies, by their id."""


async def respond(request: PageRequest, site: Site) -> Page:
    """The whole response: status, all headers, body. What fails is a page as well."""
    now = site.clock()  # one for all parts of the page: they divide the same time into the same steps
    site = replace(site, store=once(site.store), clock=lambda: now)
    try:
        page = await _find(request, site)
    except ConditionError as error:
        page = refused.page(request, site, error)
    except AssetsMissing as error:
        page = make_page(str(error), status=500, content_type="text/plain; charset=utf-8")
    except StoreError as error:
        page = _notice(request, site, 503, "The calls cannot be read", str(error))
    except Exception:  # noqa: BLE001 - the guard
        swallowed("showing a page of the dashboard")
        page = _notice(request, site, 500, "This page could not be made", "The log of this process says why.")
    page = packed(page, request)
    return replace(page, body=b"") if request.method == "HEAD" else page


async def _find(request: PageRequest, site: Site) -> Page:
    if request.method not in METHODS:
        text = "The dashboard is for reading: it answers GET and HEAD only."
        return _notice(request, site, 405, "Nothing to do here", text, extra=(("Allow", ", ".join(METHODS)),))
    if view := _VIEWS.get(request.path):
        if twice := [name for name in request.repeated if name in NAMES and name not in FILTERS]:
            text = f"{twice[0]} is given several values; it takes one."
            return _notice(request, site, 400, "Which one?", text)
        return await view(request, site)
    found = asset(request.path.removeprefix(STATIC), request) if request.path.startswith(STATIC) else None
    return found or _notice(request, site, 404, "There is no such page", "The menu lists all pages.")


def _notice(
    request: PageRequest,
    site: Site,
    status: int,
    title: str,
    text: str,
    *,
    extra: tuple[tuple[str, str], ...] = (),
) -> Page:
    html = render(
        "notice.html",
        site=site,
        view=View(zone=zone_of(request.headers)),
        title=title,
        text=text,
        status=status,
        up="../" * request.path.count("/"),
    )
    return make_page(html, status=status, extra=extra)
