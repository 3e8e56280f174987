"""The calls: a list, newest first or in another order, and one of them opened beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from miharu.call import Call, Cost, Outcome, Usage
from miharu.dashboard.address.view import View
from miharu.dashboard.call import opened
from miharu.dashboard.call.hits import HITS, hits
from miharu.dashboard.call.rows import rows
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.near import offers
from miharu.dashboard.panels.said import said
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet, Sorted, Value, usd
from miharu.dashboard.queries.together import together
from miharu.stores.base import RANKED, Order, Query, Ranking

__all__ = ("FACTS", "SCREEN", "file")

_PAGE = 50
_FILE = 10_000
_AT_ONCE, _RANKED_AT_ONCE = 100, 1000
"""Calls that are asked for at once; in an order of its own all are looked through for each part."""
_LARGEST_FILE = 16 << 20
"""Characters of what providers said, in the calls of one file."""
_ORDERS: Mapping[str, tuple[Ranking, str, str]] = {
    "timestamp": ("timestamp", "newest first", "oldest first"),
    "input": ("prompt_tokens", "most input first", "least input first"),
    "output": ("completion_tokens", "most output first", "least output first"),
    "first": ("ttft_ms", "longest wait for the first token first", "quickest first token first"),
    "total": ("duration_ms", "slowest first", "quickest first"),
    "cost": ("cost_nanousd", "most expensive first", "cheapest first"),
}
"""By the name in the address: what the store calls it, and what it means, largest and smallest first."""
_NEWEST = Sorted("timestamp", descending=True)
_SCORE = "score:"
"""Before the name of the score by which calls are put in order."""
_LOOKED_UP = ("user", "session", "trace")
"""Of one of these all calls are put in order, however many there are."""


def _sorted(view: View) -> Sorted:
    """The order that was asked for, if there is such a one."""
    sort = view.sort or "-timestamp"
    name = sort.removeprefix("-")
    known = name in _ORDERS or (name.startswith(_SCORE) and name != _SCORE)
    return Sorted(name, sort.startswith("-")) if known else _NEWEST


def _score_in(order: Sorted) -> str | None:
    """The name of the score by which calls are put in order, if by one."""
    return order.name.removeprefix(_SCORE) if order.name.startswith(_SCORE) else None


class _Place(NamedTuple):
    """A call in its order."""

    id: str
    """What stands for the place: of the call, or of its score."""
    call: Call
    score: float | None = None


def _in_words(order: Sorted) -> str:
    """What comes first."""
    if (name := _score_in(order)) is not None:
        return f"{'highest' if order.descending else 'lowest'} {name} first"
    return _ORDERS[order.name][1 if order.descending else 2]


async def _found(view: View, site: Site, most: int, behind: str | None) -> Sequence[_Place]:
    """The first calls behind a place; one with several such scores comes with each."""
    query, order = view.query(site.clock()), _sorted(view)
    if (name := _score_in(order)) is not None:
        scored = await site.store.scored(query, name, most, behind, descending=order.descending)
        return [_Place(one.score_id, one.call, one.value) for one in scored]
    by = Order(_ORDERS[order.name][0], order.descending)
    return [_Place(call.id, call) for call in await site.store.calls(query, most, behind, by)]


async def _listed(view: View, site: Site) -> tuple[Sequence[_Place], bool]:
    """One page of calls, and whether there are more."""
    page = HITS if view.words else _PAGE
    found = await _found(view, site, page + 1, view.before)
    return found[:page], len(found) > page


async def _rows(view: View, site: Site) -> Mapping[str, Any]:
    query, wanted = view.query(site.clock()), _sorted(view)
    async with together() as ask:
        listed = ask(_listed, view, site)
        totals = ask(site.store.totals, query)
        whole = ask(site.store.totals, Query(start=query.start, end=query.end))
        colors = ask(palette, site)
    places, more = listed.value
    scored = _score_in(wanted)
    passages = (
        await hits([place.call for place in places], view, site, whole.value.calls) if view.words else {}
    )
    all_known = wanted.name == "timestamp" or any(getattr(view, name) for name in _LOOKED_UP)
    once = {place.call.id: place for place in reversed(places)}  # of a call with several, the first
    shown = [place for place in places if once[place.call.id] is place]
    found = rows([place.call for place in shown], view, colors.value)
    near = await offers(view, site) if view.is_filtered and not totals.value.calls else ()
    return {
        "rows": [replace(row, score=place.score) for row, place in zip(found, shown, strict=True)],
        "scored": scored,
        "offers": near,
        **passages,
        "total": totals.value.calls,
        "order": wanted,
        "in_order": _in_words(wanted),
        "is_newest": wanted == _NEWEST,
        "among": None if all_known or scored or whole.value.calls <= RANKED else RANKED,
        "more": view.link("calls", before=places[-1].id, sel=None) if more else None,
    }


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    places, more = await _listed(view, site)
    ids = list(dict.fromkeys(place.call.id for place in places))
    facts = await opened(view, site, "calls", ids) | {"is_newest": _sorted(view) == _NEWEST}
    if more and view.sel == ids[-1]:  # the list turns its page together with the drawer
        last = places[-1].id
        following = await _found(view, site, 1, last)
        facts["older_call"] = view.link("calls", sel=following[0].call.id, before=last) if following else None
    return facts


SCREEN = Screen(
    path="calls",
    template="pages/calls.html",
    panels=(
        Panel(path="calls-said", template="panels/said.html", facts=said),
        Panel(
            path="calls-rows",
            template="panels/calls.html",
            facts=_rows,
            every="tick",
            is_open_ended=lambda view, now: view.is_open_ended(now) and view.before is None,
        ),
    ),
    facts=_selected,
)

FACTS = tuple(
    field.name
    for part in (Call, Outcome, Usage, Cost)
    for field in fields(part)
    if field.name not in {"outcome", "usage", "cost", "body", "completes", "tags"}
)
"""Everything but what was said, under the names of the columns of ``llm_calls``."""


async def file(view: View, site: Site) -> Sheet:
    """The first ten thousand of the order, or those behind ``before``, with the address of the rest."""
    before, order = view.before, _sorted(view)
    at_once = min(_FILE, _AT_ONCE if order.name == "timestamp" else _RANKED_AT_ONCE)
    scored = order.name if _score_in(order) is not None else None
    found: list[list[Value]] = []
    size = 0
    while len(found) < _FILE and size < _LARGEST_FILE:
        some = await _found(view, site, at_once, before)
        found.extend([*_fact_row(one.call), *([one.score] if scored else ())] for one in some)
        size += sum(len(one.call.usage.usage_raw or "") + len(one.call.rate_limit or "") for one in some)
        if len(some) < at_once:
            before = None
            break
        before = some[-1].id
    return Sheet("calls", ("cost_usd", *FACTS, *([scored] if scored else ())), found, {"next_before": before})


def _fact_row(call: Call) -> list[Value]:
    holders: tuple[Any, ...] = (call, call.outcome, call.usage, call.cost)
    nano = call.cost.cost_nanousd if call.cost else None
    row: list[Value] = [usd(nano)]
    for name in FACTS:
        holder = next((one for one in holders if hasattr(one, name)), None)
        row.append(getattr(holder, name, None))
    return row
