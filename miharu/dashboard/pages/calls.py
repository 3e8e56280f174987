"""The calls: a list, newest first, and one of them opened beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from miharu.call import Call, Cost, Outcome, Usage
from miharu.dashboard.asking import together
from miharu.dashboard.colors import palette
from miharu.dashboard.drawer import opened
from miharu.dashboard.format import count
from miharu.dashboard.page import Site
from miharu.dashboard.query import View
from miharu.dashboard.rows import rows
from miharu.dashboard.screens import Panel, Screen
from miharu.dashboard.tables import Column, Sheet, Sorted, Value, ordered, usd

__all__ = ("FACTS", "SCREEN", "file")

_PAGE = 50
_LOOKED_AT = 500
"""Of how many of the newest calls the largest are found: the store gives them by time only."""
_FILE = 10_000
_AT_ONCE = 500
_NEWEST = Sorted("timestamp", descending=True)
_COLUMNS: Sequence[Column[Call]] = (
    Column("timestamp", "Time", lambda call: call.timestamp),
    Column("input", "In", lambda call: call.usage.prompt_tokens),
    Column("output", "Out", lambda call: call.usage.completion_tokens),
    Column("first", "First token", lambda call: call.ttft_ms),
    Column("total", "Total", lambda call: call.duration_ms),
    Column("cost", "Cost", lambda call: call.cost.cost_nanousd if call.cost else None),
)


async def _listed(view: View, site: Site) -> tuple[Sequence[Call], bool, Sorted]:
    """One page of calls, whether there are older ones, and the order that they are in."""
    query = view.query(site.clock())
    if view.sort is not None:
        found = await site.store.calls(query, _LOOKED_AT)
        calls, order = ordered(found, _COLUMNS, view.sort, _NEWEST)
        if order != _NEWEST:
            return calls[:_PAGE], False, order
    found = await site.store.calls(query, _PAGE + 1, view.before)
    return found[:_PAGE], len(found) > _PAGE, _NEWEST


async def _rows(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        listed = ask(_listed, view, site)
        totals = ask(site.store.totals, view.query(site.clock()))
        colors = ask(palette, site)
    calls, more, order = listed.value
    total = totals.value.calls
    among = f"the newest {count(_LOOKED_AT)}" if total > _LOOKED_AT else "all"
    return {
        "rows": rows(calls, view, colors.value),
        "total": total,
        "order": order,
        "is_newest": order == _NEWEST,
        "among": among,
        "older": view.link("calls", before=calls[-1].id, sel=None) if more else None,
    }


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    calls, more, _ = await _listed(view, site)
    ids = [call.id for call in calls]
    facts = await opened(view, site, "calls", ids)
    if more and view.sel == ids[-1]:  # the list turns its page together with the drawer
        following = await site.store.calls(view.query(site.clock()), 1, view.sel)
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
            moves=lambda view, now: view.moves(now) and view.before is None,
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
    """The newest ten thousand, or those before ``before``, with the address of the rest."""
    query, before = view.query(site.clock()), view.before
    found: list[Call] = []
    while len(found) < _FILE:
        some = await site.store.calls(query, _AT_ONCE, before)
        found.extend(some)
        if len(some) < _AT_ONCE:
            before = None
            break
        before = some[-1].id
    return Sheet("calls", ("cost_usd", *FACTS), [_fact_row(call) for call in found], {"next_before": before})


def _fact_row(call: Call) -> list[Value]:
    holders: tuple[Any, ...] = (call, call.outcome, call.usage, call.cost)
    nano = call.cost.cost_nanousd if call.cost else None
    row: list[Value] = [usd(nano)]
    for name in FACTS:
        holder = next((one for one in holders if hasattr(one, name)), None)
        row.append(getattr(holder, name, None))
    return row
