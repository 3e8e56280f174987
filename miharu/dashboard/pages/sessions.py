"""The sessions: a list, and one of them, or one trace, opened as a tree on an axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.batch import Score, Span
from miharu.call import Call
from miharu.dashboard.asking import together
from miharu.dashboard.axis import Axis
from miharu.dashboard.colors import Palette, palette
from miharu.dashboard.drawer import opened
from miharu.dashboard.format import money
from miharu.dashboard.page import Site
from miharu.dashboard.query import View
from miharu.dashboard.ranges import MINUTE
from miharu.dashboard.rows import cost_cell, error_tag, token_cell
from miharu.dashboard.screens import Panel, Screen
from miharu.dashboard.tables import Column, Sheet, sheet, usd
from miharu.dashboard.trees import Node, forest, walk
from miharu.stores.base import Session

__all__ = ("SCREEN", "file")

_PAGE = 50
_CALLS = 300
"""Of one session that are drawn; the newest."""
_TRACES = 20
_FILE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A span or a call of the tree."""

    depth: int
    id: str
    name: str
    css: str
    """Of a call, its model's colour."""
    kind: str
    status: str
    error: str
    left: float
    width: float
    wait: float
    """Percent of the axis until the first token."""
    ms: int
    tokens: str
    cost: str
    why: str
    so_far: int | None
    """Nano-dollars of all calls up to the end of this one."""
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A session of the list."""

    session: Session
    link: str
    share: float
    """Percent of the dearest one in view."""


def _is_open(view: View) -> bool:
    return view.session is not None or view.trace is not None


async def _listed(view: View, site: Site) -> Mapping[str, Any]:
    if _is_open(view):
        return await _opened(view, site)
    now = site.clock()
    found = await site.store.sessions(view.query(now), _PAGE + 1, _before(view))
    most = max((session.totals.cost_nanousd for session in found), default=0) or 1
    shown = [
        Entry(
            session=session,
            link=view.to("sessions", session=session.id),
            share=100 * session.totals.cost_nanousd / most,
        )
        for session in found[:_PAGE]
    ]
    older = view.link("sessions", before=str(found[_PAGE - 1].last)) if len(found) > _PAGE else None
    return {"tree": None, "sessions": shown, "older": older}


def _before(view: View) -> int | None:
    text = view.before or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


async def _opened(view: View, site: Site) -> Mapping[str, Any]:
    """All of it, whenever that was: a session knows no range."""
    now = site.clock()
    # The end is round, so that the same page asks the same question.
    query = view.during(0, (now // MINUTE + 1) * MINUTE)
    async with together() as ask:
        found = ask(site.store.calls, query, _CALLS)
        totals = ask(site.store.totals, query)
        colors = ask(palette, site)
    calls = list(reversed(found.value))
    traces = list(dict.fromkeys(call.trace_id for call in found.value if call.trace_id))[:_TRACES]
    if view.trace and view.trace not in traces:
        traces.append(view.trace)
    async with together() as ask:
        spans_of = [ask(site.store.spans, trace) for trace in traces]
        scores_of = [ask(_scores, site, trace) for trace in traces]
    spans = [span for answer in spans_of for span in answer.value if _belongs(span, view)]
    scores = [score for answer in scores_of for score in answer.value]
    trees = forest(calls, spans)
    axis = Axis.over((n.start, max(n.end, n.start + 1)) for _, n in walk(trees)) if trees else None
    return {
        "tree": _lines(trees, axis, view, colors.value) if axis else [],
        "axis": axis,
        "totals": totals.value,
        "drawn": len(calls),
        "first": min((node.start for node in trees), default=None),
        "last": max((node.end for node in trees), default=None),
        "busy": sum(call.duration_ms for call in calls),
        "user": next((call.user_id for call in found.value if call.user_id), None),
        "models": list(dict.fromkeys(call.model for call in calls if call.model)),
        "traces": traces,
        "session": view.session or next((call.session_id for call in calls if call.session_id), None),
        "scores": scores,
    }


def _belongs(span: Span, view: View) -> bool:
    return view.session is None or span.session_id in {None, view.session}


async def _scores(site: Site, trace: str) -> Sequence[Score]:
    return await site.store.scores(trace_id=trace)


def _lines(trees: Sequence[Node], axis: Axis, view: View, colors: Palette) -> list[Line]:
    so_far = _running_cost(trees)
    lines = []
    for depth, node in walk(trees):
        left, width = axis.bar(node.start, node.ms)
        if node.call is not None:
            lines.append(
                _call_line(node.call, depth, axis, view=view, colors=colors, so_far=so_far[node.call.id])
            )
        elif node.span is not None:
            span, calls = node.span, list(node.calls)
            costs = [call.cost.cost_nanousd for call in calls if call.cost]
            lines.append(
                Line(
                    depth=depth,
                    id=span.id,
                    name=span.name,
                    css="",
                    kind=f"{len(calls)} calls" if len(calls) > 1 else "",
                    status=span.status,
                    error=span.error_type or "",
                    left=left,
                    width=width,
                    wait=0,
                    ms=span.duration_ms,
                    tokens="",
                    cost=money(sum(costs)) if costs else "",
                    why="",
                    so_far=None,
                    link=None,
                )
            )
    return lines


def _call_line(call: Call, depth: int, axis: Axis, *, view: View, colors: Palette, so_far: int) -> Line:
    left, width = axis.bar(call.timestamp, call.duration_ms)
    cost = cost_cell(call)
    wait = axis.at(call.timestamp + call.ttft_ms) - left if call.ttft_ms else 0
    tokens = (token_cell(call, call.usage.prompt_tokens), token_cell(call, call.usage.completion_tokens))
    return Line(
        depth=depth,
        id=call.id,
        name=call.model or "unknown model",
        css=colors.model(call.model, call.provider),
        kind=f"try {call.attempt}" if (call.attempt or 1) > 1 else "",
        status=call.outcome.status,
        error=error_tag(call.outcome),
        left=left,
        width=width,
        wait=round(max(0.0, min(wait, width)), 2),
        ms=call.duration_ms,
        tokens=" / ".join(cell.text for cell in tokens),
        cost=cost.text,
        why=cost.why,
        so_far=so_far,
        link=view.link("sessions", sel=call.id, tab="pretty"),
    )


def _running_cost(trees: Sequence[Node]) -> dict[str, int]:
    """What had been spent when each call ended, in the order of their ends."""
    calls = sorted((call for node in trees for call in node.calls), key=lambda c: c.timestamp + c.duration_ms)
    spent, so_far = 0, {}
    for call in calls:
        spent += call.cost.cost_nanousd if call.cost else 0
        so_far[call.id] = spent
    return so_far


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    facts = await _listed(view, site)
    ids = [line.id for line in facts["tree"] or () if line.link]
    return await opened(view, site, "sessions", ids)


SCREEN = Screen(
    path="sessions",
    template="pages/sessions.html",
    panels=(
        Panel(
            path="sessions-list",
            template="panels/sessions.html",
            facts=_listed,
            moves=lambda view, now: _is_open(view) or (view.moves(now) and view.before is None),
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
_TREE: Sequence[Column[Line]] = (
    Column("depth", "Depth", lambda line: line.depth),
    Column("id", "Id", lambda line: line.id),
    Column("name", "Name", lambda line: line.name),
    Column("status", "Status", lambda line: line.status),
    Column("error", "Error", lambda line: line.error or None),
    Column("duration_ms", "Duration", lambda line: line.ms),
    Column("tokens", "Tokens", lambda line: line.tokens or None),
    Column("cost", "Cost", lambda line: line.cost or None),
    Column("so_far_usd", "So far", lambda line: usd(line.so_far)),
)


async def file(view: View, site: Site) -> Sheet:
    if _is_open(view):
        facts = await _opened(view, site)
        name = "session" if view.session else "trace"
        return sheet(name, _TREE, facts["tree"])
    query = view.query(site.clock())
    return sheet("sessions", _COLUMNS, await site.store.sessions(query, _FILE, _before(view)))
