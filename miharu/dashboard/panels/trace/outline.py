"""Which nodes of a tree are rows of the page: the upper ones, the ways to errors, and what was opened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from miharu.analysis.trees import Node, walk
from miharu.dashboard.address.view import View

__all__ = ("ALL", "DEEPEST", "Row", "ancestors", "focused", "outline", "toggled")

ALL = "all"
OPEN_DEPTH, DEEPEST = 3, 16
"""Levels that are open unless they are folded; and those that one page draws below each other."""
_ALIKE = 8
"""So many leaves of one name in a row become one row."""
_NAMED = 24
"""Ids that an address names at most; the oldest are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A node of the tree, or several alike, as one row."""

    node: Node
    depth: int
    alike: Sequence[Node] = ()
    """All of them, where it stands for several."""
    is_open: bool | None = None
    """``None`` where there is nothing to fold."""
    is_too_deep: bool = False
    """What is in it is shown when the tree starts there."""
    lines: tuple[int, ...] = ()
    """Of each level the line that passes through the row (``guides``): -1 for none."""
    own: int = 0
    """How the line to the row itself is drawn."""

    @property
    def key(self) -> str:
        """By which an address names it."""
        return f"x{self.node.id}" if self.alike else self.node.id


PLAIN, HANDLED, RAISED = 0, 1, 2


def outline(trees: Sequence[Node], view: View) -> list[Row]:
    """The rows, in the order in which they are read."""
    opened, folded = _named(view.unfold), _named(view.fold)
    for node in ancestors(_of_id(trees, view.sel)):
        opened.add(node.id)
    everything, nothing = view.unfold == ALL, view.fold == ALL
    rows: list[Row] = []
    left: list[tuple[Iterator[tuple[Row, int]], tuple[int, ...]]] = [(_siblings(None, trees), ())]
    while left:
        siblings, prefix = left[-1]
        row, after = next(siblings, (None, -1))
        if row is None:
            left.pop()
            continue
        depth, node = len(left) - 1, row.node
        if row.key in folded or (nothing and row.key not in opened):
            wants = False
        elif row.alike:
            wants = everything or row.key in opened
        else:
            wants = everything or row.key in opened or depth < OPEN_DEPTH or _leads_to_errors(node)
        has_more = bool(row.alike or node.inner)
        too_deep = has_more and depth >= DEEPEST
        is_open = wants and has_more and not too_deep
        rows.append(
            Row(
                node=node,
                depth=depth,
                alike=row.alike,
                is_open=is_open if has_more and not too_deep else None,
                is_too_deep=too_deep,
                lines=(*prefix, after) if depth else (),
                own=row.own,
            )
        )
        if is_open:
            within = _single(row.alike) if row.alike else _siblings(node, node.inner)
            left.append((within, (*prefix, after) if depth else ()))
    return rows


def _leads_to_errors(node: Node) -> bool:
    return node.errors > int(node.is_origin)


def _siblings(parent: Node | None, nodes: Sequence[Node]) -> Iterator[tuple[Row, int]]:
    """Each, or several alike, with the line that goes on below it to later ones; -1 for none."""
    groups = list(_grouped(nodes))
    styles = [_style(parent, group[0]) if parent is not None else PLAIN for group in groups]
    after = [-1] * len(groups)
    for place in range(len(groups) - 2, -1, -1):
        after[place] = max(after[place + 1], styles[place + 1])
    for group, style, later in zip(groups, styles, after, strict=True):
        yield Row(node=group[0], depth=0, alike=group if len(group) > 1 else (), own=style), later


def _single(nodes: Sequence[Node]) -> Iterator[tuple[Row, int]]:
    for place, node in enumerate(nodes):
        yield Row(node=node, depth=0), -1 if place == len(nodes) - 1 else PLAIN


def _grouped(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Leaves of one name that follow each other and did not fail, where they are many; all others alone."""
    group: list[Node] = []
    for node in nodes:
        alike = group and _likeness(node) is not None and _likeness(node) == _likeness(group[-1])
        if not alike:
            yield from _together(group)
            group = []
        group.append(node)
    yield from _together(group)


def _likeness(node: Node) -> tuple[bool, str, bool] | None:
    return None if node.inner or node.has_failed else (node.call is None, node.name, node.is_tool)


def _together(group: list[Node]) -> Iterator[list[Node]]:
    if len(group) >= _ALIKE:
        yield group
    else:
        yield from ([node] for node in group)


def _style(parent: Node, node: Node) -> int:
    if not node.errors:
        return PLAIN
    return RAISED if parent.source is node else HANDLED


def focused(trees: Sequence[Node], view: View) -> tuple[Sequence[Node], list[Node]]:
    """Where the tree starts, and what lies above that."""
    node = _of_id(trees, view.focus)
    return ([node], ancestors(node)) if node is not None else (trees, [])


def ancestors(node: Node | None) -> list[Node]:
    """What it lies in, from the root on."""
    found: list[Node] = []
    while node is not None and node.outer is not None:
        node = node.outer
        found.append(node)
    return found[::-1]


def _of_id(trees: Sequence[Node], id: str | None) -> Node | None:  # noqa: A002 - the node's word
    if id is None:
        return None
    return next((node for _, node in walk(trees) if node.id == id), None)


def toggled(view: View, row: Row) -> dict[str, str | None]:
    """What changes in an address to fold the row, or to open it."""
    names = ("fold", "unfold") if row.is_open else ("unfold", "fold")
    into, out_of = getattr(view, names[0]), getattr(view, names[1])
    changes: dict[str, str | None] = {}
    kept = [key for key in (out_of or "").split(",") if key and key != row.key]
    changes[names[1]] = ",".join(kept) or None
    if into != ALL:
        wanted = [key for key in (into or "").split(",") if key and key != row.key]
        changes[names[0]] = ",".join([*wanted, row.key][-_NAMED:])
    return changes


def _named(text: str | None) -> set[str]:
    return {key for key in (text or "").split(",") if key and key != ALL}
