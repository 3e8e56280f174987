"""One span in full: a piece of the program's work, how it ended, and whose it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from miharu.analysis.trees import Node, walk
from miharu.batch import RECOGNISED, UNTOLD, Span
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import cost_cell, split_route
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.markdown import Trees
from miharu.stores.base import Query
from miharu.stores.tooling import names_in
from miharu.wire.indented import of_text
from miharu.wording.names import model_name
from miharu.wording.numbers import UNKNOWN, count, counted, duration, money

__all__ = ("Made", "Step", "Work", "work")

_CALLS, _CRUMBS, _STEPS = 12, 6, 20
_LONGEST_NAME = 60
_RETRIED_WITHIN = 130_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A call that belongs to it."""

    css: str
    name: str
    note: str
    figure: str
    link: str


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the way that an error went."""

    names: str
    what: str
    is_end: bool = False
    """Whether it came no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    span: Span
    is_tool: bool
    error: str
    """The error it ended with; empty for a success."""
    method: str
    route: str
    crumbs: Sequence[tuple[str, str]]
    """What it lies in, with links; a text without a link stands for several."""
    began: str
    """After the first of the run."""
    calls_below: str
    cost: str
    way: Sequence[Step]
    """How far its error went, or that of what failed in it."""
    input: str
    output: str
    trees: Trees
    asked: Sequence[Made]
    """The call whose answer asked for this tool."""
    brought: Sequence[Made]
    """The call that brought its result, where it was recognised by that."""
    made: Sequence[Made]
    more: int
    """Calls of it that are not shown here."""
    meta: Sequence[tuple[str, str]]
    tags: Sequence[tuple[str, str]]
    """Each with the calls that have it."""
    calls: str
    """Where the calls of its trace are listed."""


async def work(node: Node, view: View, site: Site) -> Work:
    """All that is known of the span, read whole."""
    assert node.span is not None
    span = await site.store.span(node.span.trace_id, node.span.id) or node.span
    colors = await palette(site)
    method, route = split_route(span.route)
    above = _above(node)
    root = above[0] if above else node

    def made(call: Call, note: str) -> Made:
        return Made(
            css=colors.model(call.model, call.provider),
            name=model_name(call.model),
            note=note,
            figure=f"{duration(call.duration_ms)} · {cost_cell(call).text}",
            link=view.only("trace", call.trace_id).to("sessions", sel=call.id)
            if call.trace_id not in {None, span.trace_id} and view.session is None
            else view.link("sessions", sel=call.id, tab="pretty"),
        )

    calls = list(node.calls)
    asked = _asking(node, span.name) if span.is_tool else None
    return Work(
        span=span,
        is_tool=span.is_tool,
        error="" if span.status == "success" else span.error_type or span.status,
        method=method,
        route=route,
        crumbs=_crumbs(above, view),
        began=f"+{duration(span.timestamp - root.start)}" if above else "0 ms",
        calls_below=count(node.number_of_calls),
        cost=(money(node.spent) + " +?" * bool(node.unpriced)) if node.number_of_calls else UNKNOWN,
        way=list(_way(node)),
        input=of_text(span.input or ""),
        output=of_text(span.output or ""),
        trees=Trees(),
        asked=[made(asked, f"{duration(max(0, span.timestamp - asked.timestamp))} before")] if asked else [],
        brought=[made(call, "") for call in await _bringing(span, site)],
        made=[made(call, "") for call in calls[:_CALLS]],
        more=max(0, len(calls) - _CALLS),
        meta=[(name, value) for name, value in _facts(span) if value],
        tags=[
            (f"{name}={value}", view.only("tag", f"{name}={value}").to("calls"))
            for name, value in (span.tags or {}).items()
            if name not in {RECOGNISED, UNTOLD}
        ],
        calls=view.only("trace", span.trace_id).to("calls"),
    )


def _facts(span: Span) -> Sequence[tuple[str, str | None]]:
    return (
        ("Kind", span.kind),
        ("Service", span.service),
        ("Route", span.route),
        ("User", span.user_id),
        ("Session", span.session_id),
        *((f"Tag {name}", value) for name, value in (span.tags or {}).items()),
        ("Trace", span.trace_id),
        ("Span", span.id),
        ("Parent span", span.parent_id),
    )


def _above(node: Node) -> list[Node]:
    found: list[Node] = []
    at = node.outer
    while at is not None:
        found.append(at)
        at = at.outer
    return found[::-1]


def _crumbs(above: Sequence[Node], view: View) -> list[tuple[str, str]]:
    named = [(node.name, view.link("sessions", sel=node.id, tab="pretty")) for node in above]
    if len(named) <= _CRUMBS:
        return named
    return [named[0], (f"… {len(named) - _CRUMBS + 1} …", ""), *named[2 - _CRUMBS :]]


def _way(node: Node) -> Iterator[Step]:
    """From where the error began up to where it was handled, as far as that can be told from what failed."""
    if not node.has_failed:
        return
    at = node
    while at.source is not None:
        at = at.source
    yield Step(_shown(at), "began here")
    passed: list[str] = []
    while at.outer is not None and at.outer.source is at:
        error, at = _type(at), at.outer
        if _type(at) == error:
            passed.append(_shown(at))
            continue
        yield from _through(passed)
        passed = []
        yield Step(_shown(at), f"became {_type(at)}")
    yield from _through(passed)
    if at.outer is None:
        yield Step("nothing above it", "it ended the run", is_end=True)
    else:
        yield Step(_shown(at.outer), "failed later" if at.outer.has_failed else "went on", is_end=True)


def _through(names: Sequence[str]) -> Iterator[Step]:
    if names:
        shown = ", ".join(names[:_STEPS]) + " …" * (len(names) > _STEPS)
        yield Step(shown, f"passed through {counted(len(names), 'step')}")


def _shown(node: Node) -> str:
    return (model_name(node.call.model) if node.call is not None else node.name)[:_LONGEST_NAME]


def _type(node: Node) -> str:
    if node.span is not None:
        return node.span.error_type or node.span.status
    return node.call.outcome.error_type or node.call.outcome.status if node.call is not None else ""


async def _bringing(span: Span, site: Site) -> Sequence[Call]:
    """The last attempt of the call that brought its result."""
    if span.result_in is None:
        return ()
    end = span.timestamp + span.duration_ms
    query = Query(start=end, end=end + _RETRIED_WITHIN, call_group=span.result_in)
    return await site.store.calls(query, 1)


def _asking(node: Node, name: str) -> Call | None:
    """The last call before it that asked for this tool, beside it or around it."""
    at, levels = node.outer, 0
    while at is not None and levels < _STEPS:
        before = [
            call
            for number, (_, one) in zip(range(2_000), walk([at]), strict=False)
            if (call := one.call) is not None
            and call.tools
            and call.timestamp + call.duration_ms <= node.start + 1
            and name in names_in(call.tools)
        ]
        if before:
            return max(before, key=lambda call: call.timestamp)
        at, levels = at.outer, levels + 1
    return None
