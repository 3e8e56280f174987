"""What a visitor types into the search: a call, or what the calls can be filtered by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from miharu.call import Call
from miharu.conditions.language import LONGEST_TEXT
from miharu.conditions.parsing import has_conditions, parse
from miharu.conditions.writing import write
from miharu.dashboard.address.view import FILTERS, View
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.dashboard.panels.near import offers
from miharu.dashboard.panels.screens import Screen, show
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together
from miharu.errors import ConditionError
from miharu.stores.base import Dimension
from miharu.stores.words import phrases
from miharu.wording.names import provider_name

__all__ = ("page",)

_SEARCHED: Mapping[str, Dimension] = {
    "model": "model",
    "provider": "provider",
    "route": "route",
    "user": "user_id",
    "service": "service",
    "prompt": "prompt_name",
    "error": "error_type",
}
_EXACT = ("user", "session", "trace")
"""Filters with too many values to search: found by the whole name."""
_PAGES = {"session": "sessions", "trace": "sessions", "error": "errors", "prompt": "prompts"}
_MOST = 8
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    kind: str
    text: str
    link: str


async def _found(view: View, site: Site, text: str) -> Mapping[str, Any]:
    if not text:
        return {"q": "", "hits": []}
    if has_conditions(text):
        return {"q": text, "hits": [_conditions(view, text), *await _offered(view, site, text)]}
    query = view.query(site.clock())
    window = view.window(site.clock())
    async with together() as ask:
        call = ask(site.store.call, text)
        keys = {name: ask(site.store.keys, query, dimension, 200) for name, dimension in _SEARCHED.items()}
        exact = {
            name: ask(site.store.totals, view.only(name, text).during(window.start, window.end))
            for name in _EXACT
        }
    hits = _calls(call.value, view)
    for name in FILTERS:
        if name in keys:
            matching = [key for key in keys[name].value if _matches(text, key, name)]
            hits += [_hit(view, name, key) for key in matching[:_MOST]]
        if name in exact and exact[name].value.calls:
            hit = _hit(view, name, text)
            hits += [] if hit in hits else [hit]
    if (kept := await site.store.searched(query)).kept and phrases([text]):
        said = Hit(kind="said in a call", text=f"“{text}”", link=view.to("calls", words=(text,)))
        hits.append(said if kept.indexed else replace(said, kind="said in a call, not searchable yet"))
    return {"q": text, "hits": hits}


def _conditions(view: View, text: str) -> Hit:
    """The calls that meet what was typed; or why it is not understood, which that page says in full."""
    try:
        kind, shown = "calls with", write(parse(text, of_groups=True))
    except ConditionError as error:
        kind, shown = "not yet a filter", error.faults[0].reason
    return Hit(kind=kind, text=shown, link=_to_calls(view, text))


async def _offered(view: View, site: Site, text: str) -> list[Hit]:
    """What would find calls, where what was typed finds none."""
    try:
        asked = replace(View.read({"q": text}, view.zone), range=view.range)
    except ConditionError:
        return []
    asked = await within_reach(asked, site)
    if (await site.store.totals(asked.query(site.clock()))).calls:
        return []
    return [Hit(kind="none; perhaps", text=one.text, link=one.link) for one in await offers(asked, site)]


def _to_calls(view: View, text: str) -> str:
    plain = View(range=view.range).link("calls")
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode({'q': text}, errors='replace')}"


def _calls(call: Call | None, view: View) -> list[Hit]:
    if call is None:
        return []
    return [Hit(kind="call", text=call.id, link=View(range=view.range).link("calls", sel=call.id))]


def _matches(text: str, key: str, name: str) -> bool:
    shown = f"{key} {provider_name(key)}" if name == "provider" else key
    return all(word in shown.casefold() for word in text.casefold().split())


def _hit(view: View, name: str, key: str) -> Hit:
    page = _PAGES.get(name, "calls")
    return Hit(kind=name, text=key, link=view.to(page, **{name: key}))


async def page(request: PageRequest, site: Site) -> Page:
    typed = request.params.get("q", "").strip()[:LONGEST_TEXT]
    text = (typed if has_conditions(typed) else typed[:_LONGEST]).replace("\0", "")
    text = text.encode("utf-8", "ignore").decode()

    if not request.headers.get("hx-request") and has_conditions(text):
        return make_page("", status=303, extra=(("Location", _to_calls(request.view, text)),))

    async def facts(view: View, site: Site) -> Mapping[str, Any]:
        return await _found(view, site, text)

    screen = Screen(path="find", template="pages/find.html", facts=facts)
    if request.headers.get("hx-request"):
        view = request.view
        return make_page(render("pages/found.html", **await facts(view, site)))
    return await show(screen, request, site)
