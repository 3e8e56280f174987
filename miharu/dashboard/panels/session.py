"""One session or one trace: figures over all of it, and a page of calls and spans on an axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.trees import Node, forest, walk, weigh
from miharu.batch import Score, Span
from miharu.call import Call
from miharu.dashboard.address.ranges import MINUTE
from miharu.dashboard.address.view import View
from miharu.dashboard.charts.axis import Axis
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.trace.found import Errors, errors_of, page_of
from miharu.dashboard.panels.trace.lines import Bar, SessionLine, bars_of, lines
from miharu.dashboard.panels.trace.outline import ALL, Row, focused, outline
from miharu.dashboard.panels.trace.part import WHOLE, Part, counts, line_data, narrowed, quarters
from miharu.dashboard.queries.together import Once, together
from miharu.stores.base import MOST_SPANS, Extent, Query, Totals
from miharu.stores.tooling import recorded_once

__all__ = ("ROWS", "Run", "drawn", "every_line", "is_open", "run")

_CALLS = 2_000
"""Calls that are read at once; at first the newest."""
ROWS = 200
"""Rows of one page."""
_MINI = 240
"""Bars of the line that shows all of it."""
_CRUMBS = 8
_TRACES = 20
_NAMED = 20
_AT_ONCE = 500


def is_open(view: View) -> bool:
    return view.session is not None or view.trace is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that is known of a session or a trace, before any of it is drawn."""

    trees: Sequence[Node]
    axis: Axis | None
    totals: Totals
    extent: Extent | None
    failed_spans: int
    began: int
    """Calls and spans in which an error began, of those that were read."""
    passed_on: int
    """And those that failed because of what failed in them."""
    place: tuple[int, int] | None
    """Which of its calls these are, where there are too many to be read at once."""
    next_before: str | None
    more_spans: bool
    user: str | None
    models: Sequence[str]
    session: str | None
    scores: Sequence[Score]
    colors: Palette
    so_far: Mapping[str, int]
    tools_ms: int
    """How long tools ran, those at the same time counted once."""
    is_at_most: bool
    """Whether nobody has measured some of them."""

    @property
    def since(self) -> int | None:
        """When it began, where moments are told from there on: no silence is folded then."""
        return self.axis.pieces[0].start if self.axis is not None and self.axis.is_whole else None


async def run(view: View, site: Site) -> Run:
    """The whole session or trace, also outside of the page's range; read once for a page."""
    if isinstance(site.store, Once):
        plain = replace(view, sel=None, tab="pretty", fold=None, unfold=None, focus=None, **WHOLE)
        return await site.store.worked_out(_run, plain, site)
    return await _run(view, site)


async def _run(view: View, site: Site) -> Run:
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
    spans = recorded_once([span for answer in spans_of for span in answer.value if _belongs(span, view)])
    trees = forest(calls, spans)
    weigh(trees)
    nodes = [node for _, node in walk(trees)]
    began = counts(trees)[-1]
    return Run(
        trees=trees,
        axis=Axis.over((n.start, max(n.end, n.start + 1)) for n in nodes) if nodes else None,
        totals=totals.value,
        extent=extent.value,
        failed_spans=failed.value.number,
        began=began,
        passed_on=sum(node.has_failed for node in nodes) - began,
        place=(earlier.calls + 1, earlier.calls + len(calls)) if more or view.before else None,
        next_before=calls[0].id if more else None,
        more_spans=any(len(answer.value) == MOST_SPANS for answer in spans_of),
        user=next((call.user_id for call in found.value if call.user_id), next(iter(users.value), None)),
        models=models.value,
        session=view.session or next((call.session_id for call in calls if call.session_id), None),
        scores=[score for answer in scores_of for score in answer.value],
        colors=colors.value,
        so_far=_running_cost(nodes, earlier.cost_nanousd),
        tools_ms=_lasted(nodes),
        is_at_most=any(span.result_in is not None for span in spans),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One page of a run."""

    run: Run
    part: Part | None
    """What it is narrowed to."""
    axis: Axis | None
    line: Mapping[str, Any] | None
    """What the script knows of the line above the tree."""
    quarters: Sequence[tuple[int, int, str]]
    tree: Sequence[SessionLine]
    rows: tuple[int, int, int]
    """The first and the last of the page, and how many there are."""
    mini: Sequence[Bar]
    marks: Sequence[tuple[float, bool]]
    """Where errors began, in percent of the axis; and whether that is the one that is open."""
    errors: Errors | None
    above: Sequence[tuple[str, str]]
    """What the tree lies in, where it starts further down: names and links."""
    folds: tuple[str, str]
    """Links that fold and open everything."""
    previous: str | None
    following: str | None
    older: str | None
    counts: tuple[int, int, int, int]
    """Calls, tools, steps and errors of all of it."""
    shown: tuple[int, int, int, int]
    """And of the part."""


async def drawn(view: View, site: Site) -> Drawn:
    """What the page shows of it."""
    found = await run(view, site)
    part, axis, inside = None, found.axis, found.trees
    if axis is not None:
        inside, axis, part = narrowed(found.trees, axis, view)
    trees, above = focused(inside, view)
    rows = outline(trees, view)
    pages = max(1, -(-len(rows) // ROWS))
    page = min(view.page, pages)
    if view.page == 1 and view.sel:  # a link to a span says no page
        page = next((n for row in rows if row.key == view.sel if (n := page_of(row.node, rows, ROWS))), 1)
    shown = rows[(page - 1) * ROWS : page * ROWS]
    origins = [node for _, node in walk(inside) if node.is_origin]
    return Drawn(
        run=found,
        part=part,
        axis=axis,
        line=line_data(inside, axis, found.since) if axis else None,
        quarters=quarters(axis, view) if axis else (),
        tree=_lines(shown, found, view, axis),
        rows=((page - 1) * ROWS + 1, (page - 1) * ROWS + len(shown), len(rows)),
        mini=bars_of(inside, axis, _MINI) if axis else (),
        marks=[(axis.at(node.start), node.id == view.sel) for node in origins[:_MINI] if axis],
        errors=errors_of(inside, view, rows, ROWS),
        above=_crumbs(above, view),
        folds=(
            view.link("sessions", fold=ALL, unfold=None, sel=None, page=1),
            view.link("sessions", fold=None, unfold=ALL, page=1),
        ),
        previous=view.link("sessions", page=page - 1, sel=None) if page > 1 else None,
        following=view.link("sessions", page=page + 1, sel=None) if page < pages else None,
        older=view.link("sessions", before=found.next_before, sel=None, **WHOLE)
        if found.next_before
        else None,
        counts=counts(found.trees),
        shown=counts(inside),
    )


async def every_line(view: View, site: Site) -> tuple[Sequence[SessionLine], str | None]:
    """All of it, for a file; and before which call more is to be had."""
    found = await run(view, site)
    rows = [Row(node=node, depth=depth) for depth, node in walk(found.trees)]
    flat = [replace(row, depth=0) for row in rows]
    made = _lines(flat, found, view, found.axis)
    return [replace(line, depth=row.depth) for line, row in zip(made, rows, strict=True)], found.next_before


def _lines(rows: Sequence[Row], found: Run, view: View, axis: Axis | None) -> list[SessionLine]:
    if axis is None:
        return []
    return list(lines(rows, axis, view, colors=found.colors, so_far=found.so_far))


def _crumbs(above: Sequence[Node], view: View) -> list[tuple[str, str]]:
    named = [(node.name or "span", view.link("sessions", focus=node.id, page=1)) for node in above]
    if len(named) > _CRUMBS:
        named = [named[0], (f"… {len(named) - _CRUMBS + 1} …", ""), *named[2 - _CRUMBS :]]
    return [("All of it", view.link("sessions", focus=None, page=1)), *named] if view.focus else []


def _lasted(nodes: Sequence[Node]) -> int:
    """How long any tool ran."""
    total, until = 0, 0
    for start, end in sorted((node.start, node.end) for node in nodes if node.is_tool):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total


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


def _running_cost(nodes: Sequence[Node], spent: int) -> dict[str, int]:
    """What had been spent with each call, in the order in which they started."""
    so_far = {}
    for call in sorted((node.call for node in nodes if node.call), key=lambda c: (c.timestamp, c.id)):
        spent += call.cost.cost_nanousd if call.cost else 0
        so_far[call.id] = spent
    return so_far
