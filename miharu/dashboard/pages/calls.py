"""The calls: a list, newest first or in another order, and one of them opened beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from miharu.call import Call, Cost, Outcome, Usage
from miharu.dashboard.address.view import View
from miharu.dashboard.call import opened
from miharu.dashboard.call.hits import HITS, hits
from miharu.dashboard.call.rows import rows
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet, Sorted, Value, usd
from miharu.dashboard.queries.together import together
from miharu.stores.base import NEWEST, RANKED, Order, Query, Ranking

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
_LOOKED_UP = ("user", "session", "trace")
"""Of one of these all calls are put in order, however many there are."""


def _sorted(view: View) -> Sorted:
    """The order that was asked for, if there is such a one."""
    sort = view.sort or "-timestamp"
    name = sort.removeprefix("-")
    return Sorted(name, sort.startswith("-")) if name in _ORDERS else Sorted("timestamp", descending=True)


def _order(view: View) -> Order:
    wanted = _sorted(view)
    return Order(_ORDERS[wanted.name][0], wanted.descending)


async def _listed(view: View, site: Site) -> tuple[Sequence[Call], bool]:
    """One page of calls, and whether there are more."""
    query = view.query(site.clock())
    page = HITS if view.words else _PAGE
    found = await site.store.calls(query, page + 1, view.before, _order(view))
    return found[:page], len(found) > page


async def _rows(view: View, site: Site) -> Mapping[str, Any]:
    query, wanted = view.query(site.clock()), _sorted(view)
    async with together() as ask:
        listed = ask(_listed, view, site)
        totals = ask(site.store.totals, query)
        whole = ask(site.store.totals, Query(start=query.start, end=query.end))
        colors = ask(palette, site)
    calls, more = listed.value
    found = await hits(calls, view, site, whole.value.calls) if view.words else {}
    all_known = wanted.name == "timestamp" or any(getattr(view, name) for name in _LOOKED_UP)
    return {
        **found,
        "rows": rows(calls, view, colors.value),
        "total": totals.value.calls,
        "order": wanted,
        "in_order": _ORDERS[wanted.name][1 if wanted.descending else 2],
        "is_newest": _order(view) == NEWEST,
        "among": None if all_known or whole.value.calls <= RANKED else RANKED,
        "more": view.link("calls", before=calls[-1].id, sel=None) if more else None,
    }


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    calls, more = await _listed(view, site)
    ids = [call.id for call in calls]
    facts = await opened(view, site, "calls", ids) | {"is_newest": _order(view) == NEWEST}
    if more and view.sel == ids[-1]:  # the list turns its page together with the drawer
        following = await site.store.calls(view.query(site.clock()), 1, view.sel, _order(view))
        facts["older_call"] = view.link("calls", sel=following[0].id, before=view.sel) if following else None
    return facts


SCREEN = Screen(
    path="calls",
    template="pages/calls.html",
    panels=(
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
    query, before, order = view.query(site.clock()), view.before, _order(view)
    at_once = min(_FILE, _AT_ONCE if order.by == "timestamp" else _RANKED_AT_ONCE)
    found: list[list[Value]] = []
    size = 0
    while len(found) < _FILE and size < _LARGEST_FILE:
        some = await site.store.calls(query, at_once, before, order)
        found.extend(map(_fact_row, some))
        size += sum(len(call.usage.usage_raw or "") + len(call.rate_limit or "") for call in some)
        if len(some) < at_once:
            before = None
            break
        before = some[-1].id
    return Sheet("calls", ("cost_usd", *FACTS), found, {"next_before": before})


def _fact_row(call: Call) -> list[Value]:
    holders: tuple[Any, ...] = (call, call.outcome, call.usage, call.cost)
    nano = call.cost.cost_nanousd if call.cost else None
    row: list[Value] = [usd(nano)]
    for name in FACTS:
        holder = next((one for one in holders if hasattr(one, name)), None)
        row.append(getattr(holder, name, None))
    return row
