"""Calls and the work that they belong to, as trees: what ran inside of what, and what it came to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from miharu.batch import Span
from miharu.call import Call

__all__ = ("Node", "forest", "walk")

_DEEPEST = 40


@dataclass(slots=True)
class Node:
    """A span or a call, with what ran inside."""

    start: int
    ms: int
    span: Span | None = None
    call: Call | None = None
    inner: "list[Node]" = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + self.ms

    @property
    def calls(self) -> "Iterator[Call]":
        """All calls in it, at any depth."""
        if self.call is not None:
            yield self.call
        for node in self.inner:
            yield from node.calls


def forest(calls: Sequence[Call], spans: Sequence[Span]) -> list[Node]:
    """The trees, in order of time. What names a parent that is not here is a root."""
    nodes = {span.id: Node(span.timestamp, span.duration_ms, span=span) for span in spans}
    below: dict[str, list[Node]] = defaultdict(list)
    roots: list[Node] = []
    for span in spans:
        home = _home(span.parent_id, span.id, nodes)
        (below[home] if home else roots).append(nodes[span.id])
    for call in calls:
        node = Node(call.timestamp, call.duration_ms, call=call)
        home = next((one for one in (call.parent_id, call.span_id) if one in nodes), None)
        (below[home] if home else roots).append(node)
    for id_, inner in below.items():
        nodes[id_].inner = sorted(inner, key=lambda node: node.start)
    return sorted(roots, key=lambda node: node.start)


def walk(trees: Sequence[Node], depth: int = 0) -> Iterator[tuple[int, Node]]:
    """Each node with how deep it lies, in the order in which it is read."""
    for node in trees:
        yield depth, node
        if depth < _DEEPEST:
            yield from walk(node.inner, depth + 1)


def _home(parent: str | None, id: str, nodes: dict[str, Node]) -> str | None:  # noqa: A002 - the span's word
    """The parent, unless the chain upwards comes round to the span itself."""
    seen = {id}
    at = parent
    while at in nodes:
        if at in seen:
            return None
        seen.add(at)
        span = nodes[at].span
        at = span.parent_id if span else None
    return parent if parent in nodes else None
