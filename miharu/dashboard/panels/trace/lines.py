"""A row of the tree: its name, what failed, its bars on the axis, its figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from miharu.analysis.trees import Node, walk
from miharu.batch import Span
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import cost_cell, error_tag, token_cell
from miharu.dashboard.charts.axis import Axis
from miharu.dashboard.charts.colors import Palette
from miharu.dashboard.panels.trace.guides import guides
from miharu.dashboard.panels.trace.outline import Row, toggled
from miharu.stores.tooling import names_in
from miharu.wording.names import model_name
from miharu.wording.numbers import UNKNOWN, counted, money

__all__ = ("Bar", "SessionLine", "bars_of", "call_bars", "lines")

_BARS, _LOOKED_AT = 60, 600
"""Bars in a row that stands for many, and nodes that are looked at for them."""
_CELL = 0.3
"""Percent of the axis below which two bars are one."""


@dataclass(frozen=True, slots=True)
class Bar:
    css: str
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A span or a call of the tree."""

    depth: int
    id: str
    name: str
    css: str
    """The colour of a call's model."""
    kind: str
    """``call``, ``tool`` or ``step``."""
    note: str
    status: str
    error: str
    said: str = ""
    """What the error says."""
    is_origin: bool = False
    failed_below: int = 0
    """Errors that began below and did not come up to it."""
    bars: Sequence[Bar] = ()
    ms: int
    tokens: str
    cost: str
    why: str
    is_own_cost: bool = False
    """Whether the cost stands in no other row that is seen."""
    is_at_most: bool = False
    """Whether nobody has measured how long it took."""
    so_far: int | None
    """Nano-dollars of all calls up to this one, in the order of their starts."""
    link: str
    is_call: bool
    guides: Sequence[tuple[str, str]] = ()
    is_open: bool | None = None
    toggle: str = ""
    """Where the row is folded or opened."""
    focus: str = ""
    """Where the tree starts with it, for what is too deep here."""
    times: int = 1
    link_id: str = ""
    """What the row opens."""
    inside: str = ""
    """What a folded row holds."""


def lines(
    rows: Sequence[Row], axis: Axis, view: View, *, colors: Palette, so_far: Mapping[str, int]
) -> Iterator[SessionLine]:
    """What is drawn in each of the rows."""
    plain = view.link("sessions", sel=None, tab="pretty")
    opening = f"{plain}{'&' if '?' in plain else '?'}sel="  # made once: an address takes as long as a row
    for row in rows:
        line = _line(row, axis, view, colors, so_far)
        yield replace(line, link=opening + quote(row.node.id, safe="/:=", errors="replace"))


def _line(row: Row, axis: Axis, view: View, colors: Palette, so_far: Mapping[str, int]) -> SessionLine:
    node = row.node
    facts = _of_call(node.call, colors) if node.call is not None else _of_span(node)
    last = row.alike[-1] if row.alike else node
    spent = sum(one.spent for one in row.alike) if row.alike else node.spent
    unpriced = sum(one.unpriced for one in row.alike) if row.alike else node.unpriced
    calls = len(row.alike) if row.alike and node.call else node.number_of_calls
    folded = row.is_open is False or row.is_too_deep
    if row.alike or node.call is None:
        facts["cost"] = money(spent) if calls > unpriced else UNKNOWN if calls else ""
        facts["why"] = f"{counted(unpriced, 'call')} without a known price" if unpriced else ""
    if row.alike:
        facts["ms"] = last.end - node.start
        facts["is_at_most"] = False
        facts["tokens"] = _tokens(row.alike)
    return SessionLine(
        **facts,  # type: ignore[arg-type] # by name
        id=row.key,
        depth=row.depth,
        is_origin=node.is_origin,
        failed_below=0 if node.source is not None else node.errors - int(node.is_origin),
        bars=bars_of(row.alike or [node], axis) if folded or row.alike else _own_bars(node, axis),
        is_own_cost=(node.call is not None and not row.alike) or folded,
        so_far=so_far.get(last.id) if node.call is not None else None,
        link="",
        is_call=node.call is not None,
        guides=guides(row),
        is_open=row.is_open,
        toggle=view.link("sessions", **toggled(view, row)) if row.is_open is not None else "",
        focus=view.link("sessions", focus=node.id, page=1) if row.is_too_deep else "",
        times=len(row.alike) or 1,
        link_id=node.id,
        inside=_inside(node) if folded and not row.alike else "",
    )


def _of_span(node: Node) -> dict[str, object]:
    span = node.span
    assert isinstance(span, Span)
    return {
        "name": span.name,
        "css": "",
        "kind": "tool" if span.is_tool else "step",
        "note": "" if span.is_tool or span.kind is None else span.kind.replace("_", " "),
        "status": "unknown" if span.is_untold else span.status,
        "error": "" if span.status == "success" else span.error_type or span.status,
        "is_at_most": span.result_in is not None,
        "said": span.error_message or "",
        "ms": span.duration_ms,
        "tokens": "",
        "cost": "",
        "why": "",
    }


def _of_call(call: Call, colors: Palette) -> dict[str, object]:
    cost = cost_cell(call)
    tokens = (token_cell(call, call.usage.prompt_tokens), token_cell(call, call.usage.completion_tokens))
    asked = names_in(call.tools) if call.tools else ()
    notes = (
        f"try {call.attempt}" if (call.attempt or 1) > 1 else "",
        f"asks for {', '.join(dict.fromkeys(asked))}" if asked else "",
    )
    return {
        "name": model_name(call.model),
        "css": colors.model(call.model, call.provider),
        "kind": "call",
        "note": " · ".join(filter(None, notes)),
        "status": call.outcome.status,
        "error": error_tag(call.outcome),
        "said": call.outcome.error_message or "",
        "ms": call.duration_ms,
        "tokens": " / ".join(cell.text for cell in tokens),
        "cost": cost.text,
        "why": cost.why,
    }


def _tokens(nodes: Sequence[Node]) -> str:
    usages = [node.call.usage for node in nodes if node.call is not None]
    if not usages:
        return ""
    return (
        f"{sum(u.prompt_tokens or 0 for u in usages):,} / {sum(u.completion_tokens or 0 for u in usages):,}"
    )


def _inside(node: Node) -> str:
    steps = node.number_of_steps - (node.call is None and not node.is_tool)
    counts = (
        (node.number_of_calls, "call"),
        (node.number_of_tools - node.is_tool, "tool"),
        (0 if node.number_of_calls else steps, "step"),
    )
    return " · ".join(counted(number, word) for number, word in counts if number)


def _own_bars(node: Node, axis: Axis) -> Sequence[Bar]:
    if node.call is not None:
        return call_bars(node.call, axis)
    left, width = axis.bar(node.start, node.ms)
    return (Bar(_css(node), left, width),)


def call_bars(call: Call, axis: Axis) -> Sequence[Bar]:
    """Its time, and the part of it until the first token."""
    left, width = axis.bar(call.timestamp, call.duration_ms)
    if call.outcome.status == "error":
        return (Bar("e", left, width),)
    wait = axis.at(call.timestamp + call.ttft_ms) - left if call.ttft_ms else 0
    wait = round(max(0.0, min(wait, width)), 2)
    return (Bar("b", left, width), *((Bar("a", left, wait),) if wait else ()))


def bars_of(nodes: Sequence[Node], axis: Axis, most: int = _BARS) -> Sequence[Bar]:
    """The calls and tools of all of them, those that nearly touch as one."""
    found: dict[str, list[list[float]]] = {}
    for number, (_, node) in enumerate(walk(nodes)):
        if number >= _LOOKED_AT * most // _BARS:
            break
        if node.call is None and not node.is_tool and node.inner:
            continue
        left, width = axis.bar(node.start, node.ms)
        pieces = found.setdefault(_css(node), [])
        if pieces and pieces[-1][0] - _CELL <= left <= pieces[-1][1] + _CELL:
            pieces[-1][1] = max(pieces[-1][1], left + width)
        else:
            pieces.append([left, left + width])
    each = max(1, most // max(1, len(found)))
    return [
        Bar(css, left, round(end - left, 2)) for css, pieces in found.items() for left, end in pieces[:each]
    ]


def _css(node: Node) -> str:
    if node.has_failed:
        return "e" if node.call is not None else "e tl" if node.is_tool else "e sp"
    return "b" if node.call is not None else "tl" if node.is_tool else "sp"
