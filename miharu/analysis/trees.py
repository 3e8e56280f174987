"""Calls and the work that they belong to, as trees: what ran inside of what, what it came to, what failed.

No function here calls itself: a trace may be as deep as its program's stack, or as a mistake makes it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from miharu.batch import Span
from miharu.call import Call

__all__ = ("Node", "forest", "overlapping", "walk", "weigh")


@dataclass(slots=True)
class Node:
    """A span or a call, with what ran inside."""

    start: int
    ms: int
    span: Span | None = None
    call: Call | None = None
    inner: "list[Node]" = field(default_factory=list)
    outer: "Node | None" = None
    is_origin: bool = False
    """Whether it failed, and not because something in it did (``weigh``)."""
    source: "Node | None" = None
    """What failed in it, and made it fail, too."""
    errors: int = 0
    """Origins of errors in it and below."""
    spent: int = 0
    """Nano-dollars of the calls in it and below."""
    unpriced: int = 0
    number_of_calls: int = 0
    number_of_tools: int = 0
    number_of_steps: int = 0

    @property
    def id(self) -> str:
        return self.span.id if self.span is not None else self.call.id if self.call is not None else ""

    @property
    def name(self) -> str:
        return self.span.name if self.span is not None else (self.call and self.call.model) or ""

    @property
    def end(self) -> int:
        return self.start + self.ms

    @property
    def is_tool(self) -> bool:
        return self.span is not None and self.span.is_tool

    @property
    def has_failed(self) -> bool:
        return _error(self) is not None

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it ran between the two moments."""
        return self.start < end and start <= self.end

    @property
    def calls(self) -> "Iterator[Call]":
        """All calls in it, at any depth."""
        for _, node in walk([self]):
            if node.call is not None:
                yield node.call


def forest(calls: Sequence[Call], spans: Sequence[Span]) -> list[Node]:
    """The trees, in order of time. What names a parent that is not here is a root."""
    nodes = {span.id: Node(span.timestamp, span.duration_ms, span=span) for span in spans}
    below: dict[str, list[Node]] = defaultdict(list)
    roots: list[Node] = []
    sound: set[str] = set()
    for span in spans:
        home = _home(span.parent_id, span.id, nodes, sound)
        (below[home] if home else roots).append(nodes[span.id])
    for call in calls:
        node = Node(call.timestamp, call.duration_ms, call=call)
        home = next((one for one in (call.parent_id, call.span_id) if one in nodes), None)
        (below[home] if home else roots).append(node)
    for id_, inner in below.items():
        nodes[id_].inner = sorted(inner, key=lambda node: node.start)
        for node in inner:
            node.outer = nodes[id_]
    return sorted(roots, key=lambda node: node.start)


def walk(trees: Sequence[Node], depth: int = 0) -> Iterator[tuple[int, Node]]:
    """Each node with how deep it lies, in the order in which it is read."""
    left = [(depth, node) for node in reversed(trees)]
    while left:
        at, node = left.pop()
        yield at, node
        left += [(at + 1, inner) for inner in reversed(node.inner)]


def weigh(trees: Sequence[Node]) -> None:
    """Add up what each node comes to, and judge of each that failed whether the error began there."""
    for _, node in reversed(list(walk(trees))):
        node.source = _source(node)
        node.is_origin = node.has_failed and node.source is None
        _add_up(node)


def overlapping(trees: Sequence[Node], start: int, end: int) -> list[Node]:
    """What ran between two moments, and what it lies in, as trees of their own.

    Sums are of what is left; where an error began was judged with everything, and stays.
    """
    left: dict[int, Node] = {}
    for _, node in reversed(list(walk(trees))):
        inner = [left[id(one)] for one in node.inner if id(one) in left]
        if not inner and not node.overlaps(start, end):
            continue
        copy = left[id(node)] = replace(node, inner=inner, source=left.get(id(node.source), node.source))
        for one in inner:
            one.outer = copy
        _add_up(copy)
    return [left[id(root)] for root in trees if id(root) in left]


def _add_up(node: Node) -> None:
    """What the node comes to, with what is in it."""
    call = node.call
    node.number_of_calls = int(call is not None)
    node.number_of_tools = int(call is None and node.is_tool)
    node.number_of_steps = int(call is None and not node.is_tool)
    node.spent = call.cost.cost_nanousd if call is not None and call.cost else 0
    node.unpriced = int(call is not None and call.is_unpriced)
    node.errors = int(node.is_origin)
    for inner in node.inner:
        node.errors += inner.errors
        node.spent += inner.spent
        node.unpriced += inner.unpriced
        node.number_of_calls += inner.number_of_calls
        node.number_of_tools += inner.number_of_tools
        node.number_of_steps += inner.number_of_steps


def _source(node: Node) -> Node | None:
    """The last that failed in it, unless the work went on after that: then that error had been handled.

    What went on may still end in the same error, when it is raised later.
    """
    error = _error(node)
    if error is None:
        return None
    failed = [inner for inner in node.inner if inner.has_failed]
    if not failed:
        return None
    last = max(failed, key=lambda inner: (inner.end, inner.start))
    if _error(last) == error:
        return last
    went_on = any(inner.start >= last.end and inner is not last for inner in node.inner)
    return None if went_on else last


def _error(node: Node) -> tuple[str, str] | None:
    """What it ended with; ``None`` where it did not fail."""
    if node.span is not None:
        failed, kind, said = node.span.status == "error", node.span.error_type, node.span.error_message
    elif node.call is not None:
        outcome = node.call.outcome
        failed, kind, said = outcome.status == "error", outcome.error_type, outcome.error_message
    else:
        return None
    return (kind or "", said or "") if failed else None


def _home(
    parent: str | None,
    id: str,  # noqa: A002 - the span's word
    nodes: Mapping[str, Node],
    sound: set[str],
) -> str | None:
    """The parent, unless the chain upwards comes round to the span itself.

    ``sound`` are those from which it is known to end.
    """
    seen = {id}
    at = parent
    while at is not None and at in nodes and at not in sound:
        if at in seen:
            return None
        seen.add(at)
        span = nodes[at].span
        at = span.parent_id if span else None
    sound |= seen
    return parent if parent in nodes else None
