"""Pages of parts: each part is a question and a template, comes with its page, and renews itself.

A part is asked for again under its own address, by the page that shows it and only while it can be seen. The
answer is 304 as long as nothing has changed.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from miharu.dashboard.address.ranges import LAST, MINUTE
from miharu.dashboard.address.view import View
from miharu.dashboard.http.etag import tag, tagged, unchanged
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.dashboard.queries.ahead import ahead
from miharu.dashboard.queries.filters import OFFERED
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.markers import listed, with_marker
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query

__all__ = ("Facts", "Panel", "Screen", "of_page", "show", "show_panel")

Facts = Callable[[View, Site], Awaitable[Mapping[str, Any]]]
_WAITING_BUCKET = 10_000
_OF_GROUPS = frozenset({"users", "tags", "routes", "models", "prompts", "sessions"})
"""Pages that list others than calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page."""

    path: str
    """Its own address, such as ``calls-rows``; what stands before the hyphen names its page."""
    template: str
    facts: Facts
    every: Literal["tick", "slow-tick"] = "slow-tick"
    bucket: int = MINUTE
    """Milliseconds after which it is made again in any case, because its window slides."""
    first: Facts | None = None
    """What only a whole page has to ask for it, because another part will bring it from then on."""
    is_open_ended: Callable[[View, int], bool] = View.is_open_ended
    """Whether it can still change."""
    salt: Callable[[Site], Hashable] = lambda _: None
    """What it depends on that is not in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    path: str
    template: str
    panels: tuple[Panel, ...] = ()
    facts: Facts | None = None
    """What it shows beside its parts."""


def of_page(view: View, page: str) -> View:
    """The view as that page understands it."""
    return replace(view, lists_groups=page in _OF_GROUPS)


async def show(screen: Screen, request: PageRequest, site: Site) -> Page:
    """The page with all its parts; before the first call, what to do to see one."""
    view = of_page(await with_marker(request.view, site), screen.path)
    view, now = await within_reach(view, site), site.clock()
    question = view.query(now)
    async with together() as ask:
        totals = ask(site.store.totals, question)
        size = ask(site.store.size)
        own = ask(screen.facts or _nothing, view, site)
        parts = {panel.path: ask(_part, panel, view, site) for panel in screen.panels}
        waits = ask(_waits, site)
        beyond = ask(ahead, view, site)
        markers = ask(listed, view, site)
    common = {
        **_common(view, site, screen.path),
        "size": size.value,
        "counts": totals.value,
        "offered": OFFERED,
        "ahead": beyond.value,
        "markers": markers.value,
    }
    if waits.value is not None:
        if same := unchanged(request, waits.value):
            return same
        return tagged(render("waiting.html", tag=waits.value, **common), waits.value)
    shown = {path: part.value for path, part in parts.items()}
    return make_page(render(screen.template, parts=shown, **own.value, **common))


async def show_panel(panel: Panel, request: PageRequest, site: Site) -> Page:
    """The part alone, for the page that shows it already."""
    view = of_page(await with_marker(request.view, site), _page_of(panel))
    current = await _tag(panel, view, site)
    if same := unchanged(request, current):
        return same
    view = await within_reach(view, site)
    async with together() as ask:
        totals = ask(site.store.totals, view.query(site.clock()))
        facts = ask(panel.facts, view, site)
    html = render(
        "panel.html",
        panel=panel,
        tag=current,
        alone=True,
        counts=totals.value,
        **_common(view, site, _page_of(panel)),
        **facts.value,
    )
    return tagged(html, current)


async def _part(panel: Panel, view: View, site: Site) -> str:
    async with together() as ask:
        current = ask(_tag, panel, view, site)
        facts = ask(panel.facts, view, site)
        first = ask(panel.first or _nothing, view, site)
    return render(
        "panel.html",
        panel=panel,
        tag=current.value,
        alone=False,
        **_common(view, site, _page_of(panel)),
        **facts.value,
        **first.value,
    )


async def _tag(panel: Panel, view: View, site: Site) -> str:
    moving = panel.is_open_ended(view, site.clock())
    question = f"{view.link(panel.path)} {view.zone.name} {panel.salt(site)!r}"
    return await tag(site, question, panel.bucket if moving else None)


async def _waits(site: Site) -> str | None:
    """The tag of a page that waits for the first call; ``None`` where there has been one."""
    if await site.store.calls(Query(start=0, end=LAST), limit=1):
        return None
    return await tag(site, "waiting", _WAITING_BUCKET)


async def _nothing(_view: View, _site: Site) -> Mapping[str, Any]:
    return {}


def _common(view: View, site: Site, page: str) -> dict[str, Any]:
    now = site.clock()
    return {
        "view": view,
        "site": site,
        "now": now,
        "window": view.window(now),
        "page": page,
        "losses": site.losses(),
    }


def _page_of(panel: Panel) -> str:
    page = panel.path.partition("-")[0]
    return "" if page == "overview" else page
