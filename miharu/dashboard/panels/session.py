"""One session or one trace: figures over all of it, and a page of calls and spans on an axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.trees import Node, forest, walk
from miharu.batch import Score, Span
from miharu.call import Call
from miharu.dashboard.address.ranges import MINUTE
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import cost_cell, error_tag, token_cell
from miharu.dashboard.charts.axis import Axis
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import MOST_SPANS, Extent, Query, Totals
from miharu.wording.names import model_name
from miharu.wording.numbers import money

__all__ = ("SessionLine", "is_open", "session")

_CALLS = 300
"""Calls of one page; the first page has the newest."""
_TRACES = 20
_NAMED = 20
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A span or a call of the tree."""

    depth: int
    id: str
    name: str
    css: str
    """The colour of a call's model."""
    kind: str
    status: str
    error: str
    said: str = ""
    """What the error says."""
    left: float
    width: float
    wait: float
    """Percent of the axis until the first token."""
    ms: int
    tokens: str
    cost: str
    why: str
    so_far: int | None
    """Nano-dollars of all calls up to this one, in the order of their starts."""
    link: str
    is_call: bool


def is_open(view: View) -> bool:
    return view.session is not None or view.trace is not None


async def session(view: View, site: Site) -> Mapping[str, Any]:
    """The whole session or trace, also outside of the page's range."""
    now = site.clock()
    # The end is round, so that the same page asks the same question.
    query = view.during(0, (now // MINUTE + 1) * MINUTE)
    async with together() as ask:
        found = ask(site.store.calls, query, _CALLS + 1, view.before)
        totals = ask(site.store.totals, query)
        extent = ask(site.store.extent, query)
        failed = ask(site.store.failed_spans, query, 1)
        models = ask(site.store.keys, query, "model", _NAMED)
        users = ask(site.store.keys, query, "user_id", 1)
        colors = ask(palette, site)
    calls = list(reversed(found.value[:_CALLS]))
    more = len(found.value) > _CALLS
    earlier = await _earlier(calls, query, site) if more or view.before else Totals()
    traces = list(dict.fromkeys(call.trace_id for call in reversed(calls) if call.trace_id))[:_TRACES]
    if view.trace and view.trace not in traces:
        traces.append(view.trace)
    during = _page_of(calls) if more or view.before else None
    async with together() as ask:
        spans_of = [ask(site.store.spans, trace, during) for trace in traces]
        scores_of = [ask(_scores, site, trace) for trace in traces]
    spans = [span for answer in spans_of for span in answer.value if _belongs(span, view)]
    trees = forest(calls, spans)
    axis = Axis.over((n.start, max(n.end, n.start + 1)) for _, n in walk(trees)) if trees else None
    return {
        "tree": _lines(trees, axis, view, colors=colors.value, spent=earlier.cost_nanousd) if axis else [],
        "axis": axis,
        "totals": totals.value,
        "extent": extent.value,
        "failed_spans": failed.value.number,
        "place": (earlier.calls + 1, earlier.calls + len(calls)) if more or view.before else None,
        "next_before": calls[0].id if more else None,
        "older": view.link("sessions", before=calls[0].id, sel=None) if more else None,
        "more_spans": any(len(answer.value) == MOST_SPANS for answer in spans_of),
        "user": next((call.user_id for call in found.value if call.user_id), next(iter(users.value), None)),
        "models": models.value,
        "traces": traces,
        "session": view.session or next((call.session_id for call in calls if call.session_id), None),
        "scores": [score for answer in scores_of for score in answer.value],
        "spans": {span.id: span for span in spans},
    }


async def _earlier(calls: Sequence[Call], query: Query, site: Site) -> Totals:
    """The totals of the calls that started before the first of this page."""
    if not calls:
        return Totals()
    first = calls[0]
    sums = await site.store.totals(replace(query, end=first.timestamp))
    here = replace(query, start=first.timestamp, end=first.timestamp + 1)
    beside: list[Call] = []
    before = first.id
    while some := await site.store.calls(here, _AT_ONCE, before):
        beside += some
        before = some[-1].id
    return replace(
        sums,
        calls=sums.calls + len(beside),
        cost_nanousd=sums.cost_nanousd + sum(call.cost.cost_nanousd for call in beside if call.cost),
    )


def _page_of(calls: Sequence[Call]) -> Extent | None:
    """When the first call started and the last ended."""
    if not calls:
        return None
    return Extent(calls[0].timestamp, max(call.timestamp + call.duration_ms for call in calls))


def _belongs(span: Span, view: View) -> bool:
    return view.session is None or span.session_id in {None, view.session}


async def _scores(site: Site, trace: str) -> Sequence[Score]:
    return await site.store.scores(trace_id=trace)


def _lines(
    trees: Sequence[Node], axis: Axis, view: View, *, colors: Palette, spent: int
) -> list[SessionLine]:
    so_far = _running_cost(trees, spent)
    lines = []
    for depth, node in walk(trees):
        if node.call is not None:
            lines.append(
                _call_line(node.call, depth, axis, view=view, colors=colors, so_far=so_far[node.call.id])
            )
        elif node.span is not None:
            lines.append(_span_line(node, node.span, depth, axis, view))
    return lines


def _span_line(node: Node, span: Span, depth: int, axis: Axis, view: View) -> SessionLine:
    left, width = axis.bar(node.start, node.ms)
    calls = list(node.calls)
    costs = [call.cost.cost_nanousd for call in calls if call.cost]
    return SessionLine(
        depth=depth,
        id=span.id,
        name=span.name,
        css="",
        kind=f"{len(calls)} calls" if len(calls) > 1 else "",
        status=span.status,
        error="" if span.status == "success" else span.error_type or span.status,
        said=span.error_message or "",
        left=left,
        width=width,
        wait=0,
        ms=span.duration_ms,
        tokens="",
        cost=money(sum(costs)) if costs else "",
        why="",
        so_far=None,
        link=view.link("sessions", sel=span.id, tab="pretty"),
        is_call=False,
    )


def _call_line(
    call: Call, depth: int, axis: Axis, *, view: View, colors: Palette, so_far: int
) -> SessionLine:
    left, width = axis.bar(call.timestamp, call.duration_ms)
    cost = cost_cell(call)
    wait = axis.at(call.timestamp + call.ttft_ms) - left if call.ttft_ms else 0
    tokens = (token_cell(call, call.usage.prompt_tokens), token_cell(call, call.usage.completion_tokens))
    return SessionLine(
        depth=depth,
        id=call.id,
        name=model_name(call.model),
        css=colors.model(call.model, call.provider),
        kind=f"try {call.attempt}" if (call.attempt or 1) > 1 else "",
        status=call.outcome.status,
        error=error_tag(call.outcome),
        said=call.outcome.error_message or "",
        left=left,
        width=width,
        wait=round(max(0.0, min(wait, width)), 2),
        ms=call.duration_ms,
        tokens=" / ".join(cell.text for cell in tokens),
        cost=cost.text,
        why=cost.why,
        so_far=so_far,
        link=view.link("sessions", sel=call.id, tab="pretty"),
        is_call=True,
    )


def _running_cost(trees: Sequence[Node], spent: int) -> dict[str, int]:
    """What had been spent with each call, in the order in which they started."""
    so_far = {}
    for call in sorted((call for node in trees for call in node.calls), key=lambda c: (c.timestamp, c.id)):
        spent += call.cost.cost_nanousd if call.cost else 0
        so_far[call.id] = spent
    return so_far
