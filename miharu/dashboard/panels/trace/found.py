"""The errors of a run, in the order in which they are read, and the way from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.analysis.trees import Node, walk
from miharu.dashboard.address.view import View
from miharu.dashboard.panels.trace.outline import DEEPEST, Row, ancestors, outline

__all__ = ("Errors", "errors_of", "page_of")

_ROOM = 4
"""Levels above an error that a tree starts with, where the error lies too deep."""


@dataclass(frozen=True, slots=True)
class Errors:
    number: int
    """Of the calls and spans in which an error began."""
    place: int | None
    """Of the one that is open, from 1 on."""
    before: str
    after: str


def errors_of(trees: Sequence[Node], view: View, rows: Sequence[Row], per_page: int) -> Errors | None:
    """All of them; ``None`` where nothing failed."""
    found = [node for _, node in walk(trees) if node.is_origin]
    if not found:
        return None
    order = {node.id: place for place, (_, node) in enumerate(walk(trees))}
    at = order.get(view.sel or "", -1)
    place = next((n for n, node in enumerate(found) if node.id == view.sel), None)
    after = next((node for node in found if order[node.id] > at), found[0])
    before = next((node for node in reversed(found) if order[node.id] < at), found[-1])
    return Errors(
        len(found),
        None if place is None else place + 1,
        _link(before, view, rows, per_page),
        _link(after, view, rows, per_page),
    )


def _link(node: Node, view: View, rows: Sequence[Row], per_page: int) -> str:
    page = page_of(node, rows, per_page)
    if page is not None:
        return _to(view, node, page=page)
    above = ancestors(node)
    focus = above[-_ROOM].id if len(above) > DEEPEST else None
    shown = [above[-_ROOM]] if focus else [above[0] if above else node]
    page = page_of(node, outline(shown, View(sel=node.id, focus=focus)), per_page)
    return _to(view, node, page=page or 1, fold=None, focus=focus)


def _to(view: View, node: Node, **changes: object) -> str:
    return view.link("sessions", sel=node.id, tab="pretty", **changes)


def page_of(node: Node, rows: Sequence[Row], per_page: int) -> int | None:
    """The page that has the row; ``None`` where it is not among them."""
    return next((n // per_page + 1 for n, row in enumerate(rows) if row.key == node.id), None)
