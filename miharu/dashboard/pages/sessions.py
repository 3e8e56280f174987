"""The sessions: a list, and one of them, or one trace, opened as a tree on an axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.trees import walk
from miharu.conditions.counts import within
from miharu.dashboard.address.view import View
from miharu.dashboard.call import opened
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.session import drawn, every_line, is_open
from miharu.dashboard.panels.tables import Column, Sheet, sheet, usd
from miharu.dashboard.panels.trace.lines import SessionLine
from miharu.stores.base import Session

__all__ = ("SCREEN", "file")

_PAGE = 50
_FILE = 1000
_AT_ONCE, _LOOKED_THROUGH = 200, 1000
"""Sessions that are looked through for those with so many errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A session of the list."""

    session: Session
    link: str
    share: float
    """Percent of the dearest one in view."""


async def _listed(view: View, site: Site) -> Mapping[str, Any]:
    if is_open(view):
        return {"tree": await drawn(view, site)}
    found, behind = await _found(view, site, _PAGE + 1)
    most = max((one.totals.cost_nanousd for one in found), default=0) or 1
    shown = [
        Entry(
            session=one,
            link=view.to("sessions", session=one.id),
            share=100 * one.totals.cost_nanousd / most,
        )
        for one in found[:_PAGE]
    ]
    last = found[_PAGE - 1].last if len(found) > _PAGE else behind
    older = view.link("sessions", before=str(last)) if last is not None else None
    return {"tree": None, "sessions": shown, "older": older, "looked": _LOOKED_THROUGH if behind else None}


async def _found(view: View, site: Site, most: int) -> tuple[Sequence[Session], int | None]:
    """The newest sessions; of those with so many errors, as many as there are among the newest of all.

    And behind which moment there are more, where not all were looked through.
    """
    query, before = view.query(site.clock()), _before(view)
    if not view.group_errors:
        return await site.store.sessions(query, most, before), None
    found: list[Session] = []
    for _ in range(_LOOKED_THROUGH // _AT_ONCE):
        some = await site.store.sessions(query, _AT_ONCE, before)
        found += [one for one in some if within(view.group_errors, one.totals.errors)]
        if len(found) >= most or len(some) < _AT_ONCE:
            return found[:most], None
        before = some[-1].last
    return found, before


def _before(view: View) -> int | None:
    text = view.before or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    if not is_open(view):
        return await opened(view, site, "sessions", [])
    page = await drawn(view, site)
    ids = [line.link_id for line in page.tree]
    nodes = {node.id: node for _, node in walk(page.run.trees) if node.span is not None}
    return {**await opened(view, site, "sessions", ids, nodes), "run_errors": page.errors}


SCREEN = Screen(
    path="sessions",
    template="pages/sessions.html",
    panels=(
        Panel(
            path="sessions-list",
            template="panels/sessions.html",
            facts=_listed,
            is_open_ended=lambda view, now: (
                view.before is None and (is_open(view) or view.is_open_ended(now))
            ),
        ),
    ),
    facts=_selected,
)

_COLUMNS: Sequence[Column[Session]] = (
    Column("session_id", "Session", lambda one: one.id),
    Column("user_id", "User", lambda one: one.user_id),
    Column("first", "First call", lambda one: one.first),
    Column("last", "Last call", lambda one: one.last),
    Column("calls", "Calls", lambda one: one.totals.calls),
    Column("errors", "Errors", lambda one: one.totals.errors),
    Column("prompt_tokens", "Input", lambda one: one.totals.prompt_tokens),
    Column("completion_tokens", "Output", lambda one: one.totals.completion_tokens),
    Column("unpriced", "Unpriced", lambda one: one.totals.unpriced),
    Column("cost_usd", "Cost", lambda one: usd(one.totals.cost_nanousd)),
)
_TREE: Sequence[Column[SessionLine]] = (
    Column("depth", "Depth", lambda line: line.depth),
    Column("id", "Id", lambda line: line.id),
    Column("name", "Name", lambda line: line.name),
    Column("kind", "Kind", lambda line: line.kind),
    Column("status", "Status", lambda line: line.status),
    Column("error", "Error", lambda line: line.error or None),
    Column("error_message", "It says", lambda line: line.said or None),
    Column("duration_ms", "Duration", lambda line: line.ms),
    Column("tokens", "Tokens", lambda line: line.tokens or None),
    Column("cost", "Cost", lambda line: line.cost or None),
    Column("so_far_usd", "So far", lambda line: usd(line.so_far)),
    Column("at_most", "Took at most that long", lambda line: int(line.is_at_most) or None),
)


async def file(view: View, site: Site) -> Sheet:
    if is_open(view):
        tree, next_before = await every_line(view, site)
        name = "session" if view.session else "trace"
        return replace(sheet(name, _TREE, tree), more={"next_before": next_before})
    found, _ = await _found(view, site, _FILE)
    return sheet("sessions", _COLUMNS, found)
