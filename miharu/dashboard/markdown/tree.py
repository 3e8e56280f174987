"""JSON as a tree that opens and closes without scripts: as much as a page can hold, the rest as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from miharu.dashboard.markdown.visible import visible
from miharu.wire.abridged import abridged
from miharu.wire.exact import Pairs, exact
from miharu.wire.exact import items as items_of
from miharu.wire.indented import CUT, indented, on_one_line
from miharu.wire.json import loads

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("Tree", "Trees")

_NODES = 4_000
"""Values, and lines of texts, of all trees on a page."""
_DEEPEST = 12
_ITEMS = 200
"""Of one object or list that stand in the tree."""
_REST = 10_000
"""Characters of what is deeper or further on."""
_LONG, _LINES = 400, 12
"""Characters and lines of a text from which on it is closed at first."""
_OPEN = 40
"""A tree of so few values is open."""
_FEW, _FEW_BESIDE = 8, 12
"""In a larger one, what has few values and stands beside few others is open; of the second level, more is."""
_PREVIEW = 90
_NAMED = 4
_MARK = 60
_BREAK = "<i>\\n</i><br>"

Items = Sequence[tuple[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One JSON text."""

    id: str
    html: "Markup"
    original: "Markup | None"
    """The text as it was sent; ``None`` where its end is missing."""


class Trees:
    """Draws the trees of one page, which have room for so many values together."""

    def __init__(self) -> None:
        self._left = _NODES
        self._number = 0

    def of(self, text: str, source: str = "", *, is_cut: bool = False) -> Tree | None:
        """The text as a tree; ``None`` where it is neither an object nor a list, or there is no room left.

        Args:
            text: JSON, or its beginning.
            source: The same as it was sent, where ``text`` is another form of it.
            is_cut: Its end is missing.
        """
        from markupsafe import Markup

        whole = source or text
        if self._left <= 0 or whole[:64].lstrip()[:1] not in {"{", "["}:
            return None
        mark = CUT.search(whole, max(0, len(whole) - _MARK))
        is_cut = is_cut or mark is not None
        read = whole[: mark.start()] if mark else whole
        short = abridged(read.encode("utf-8", "replace"), unfinished=is_cut)
        value = exact(short.body) or loads(short.body)
        if not value or not isinstance(value, dict | list):
            return None
        self._number += 1
        original = None if is_cut else escape(whole, quote=False).replace("\r", "&#13;")
        return Tree(
            id=f"json-{self._number}",
            html=Markup(visible("".join(_Drawing(self, value).pieces))),  # noqa: S704 - each piece is escaped
            original=None if original is None else Markup(original),  # noqa: S704 - escaped
        )

    def take(self, number: int = 1) -> int:
        """How many of so many values there is room for."""
        found = min(number, max(self._left, 0))
        self._left -= found
        return found


class _Drawing:
    def __init__(self, trees: Trees, value: Any) -> None:
        self.trees = trees
        self.pieces: list[str] = []
        self.is_small = _size(value, _OPEN) < _OPEN
        self._holder(value, "", 0, 1)

    def _value(self, value: Any, name: str, depth: int, beside: int) -> None:
        if value and isinstance(value, dict | list):
            self._holder(value, name, depth, beside)
        elif isinstance(value, str) and (inner := _json_in(value)):
            self._holder(inner, f'{name}<span class="s">"</span> ', depth, beside)
        elif isinstance(value, str) and (len(value) > _LONG or value.count("\n") > _LINES):
            preview = f'{name}<span class="s">{_quoted(value[:_PREVIEW])[:-1]}…</span>'
            self._open(preview, f"{len(value):,} characters", is_open=False)
            self.pieces.append(f"{self._leaf(value)}</div></details>")
        else:
            self.pieces.append(f"<div>{name}{self._leaf(value)}</div>")

    def _holder(self, value: Any, name: str, depth: int, beside: int) -> None:
        if depth == _DEEPEST:
            self._rest(value, name)
            return
        items = items_of(value)
        size = f"{{{len(items):,}}}" if isinstance(value, dict) else f"[{len(items):,}]"
        few = beside <= _FEW_BESIDE and (
            _size(value, _FEW) < _FEW or (depth == 1 and len(items) <= _FEW_BESIDE)
        )
        preview = f'{name}<span class="jt-p">{escape(_preview(value, items))}</span>'
        self._open(preview, size, is_open=not depth or self.is_small or few)
        for number, (inner, one) in enumerate(items):
            if number == _ITEMS or not self.trees.take():
                self._rest(
                    _like(value, items[number:]), f'<span class="dim">{len(items) - number:,} more:</span> '
                )
                break
            label = f'<span class="k">{_quoted(inner)}</span>: ' if isinstance(value, dict) else _index(inner)
            self._value(one, label, depth + 1, len(items))
        self.pieces.append("</div></details>")

    def _open(self, words: str, size: str, *, is_open: bool) -> None:
        tag = "details open" if is_open else "details"
        self.pieces.append(f'<{tag}><summary>{words} <span class="dim">{size}</span></summary><div>')

    def _rest(self, value: Any, name: str) -> None:
        self.pieces.append(f'<div class="jt-t">{name}{escape(indented(value, _REST)[0])}</div>')

    def _leaf(self, value: Any) -> str:
        if not isinstance(value, str):
            return f'<span class="nn">{escape(on_one_line(value))}</span>'
        lines = value.split("\n", self.trees.take(value.count("\n")))
        return f'<span class="s">"{_BREAK.join(_quoted(line)[1:-1] for line in lines)}"</span>'


def _json_in(text: str) -> Any:
    """The object or the list that a text is, as what tools return often is."""
    if not text.startswith(("{", "[")) or not text.endswith(("}", "]")):
        return None
    value = exact(text)
    return value if isinstance(value, dict | list) else None


def _quoted(text: Any) -> str:
    return escape(on_one_line(text), quote=False)


def _index(number: int) -> str:
    return f'<span class="dim">{number}:</span> '


def _like(value: Any, items: Items) -> Any:
    """A value with only these."""
    if isinstance(value, list):
        return [one for _, one in items]
    found = Pairs(items)
    found.pairs = items
    return found


def _size(value: Any, most: int) -> int:
    """How many values it holds, counted up to ``most``."""
    found, waiting = 0, [value]
    while waiting and found < most:
        for _, one in islice(items_of(waiting.pop()), most):
            found += 1
            if isinstance(one, dict | list):
                waiting.append(one)
    return found


def _preview(value: Any, items: Items) -> str:
    """The first of them on one line, for when it is closed."""
    is_object = isinstance(value, dict)
    shown = [f"{name}: {_brief(one)}" if is_object else _brief(one) for name, one in items[:_NAMED]]
    text = ", ".join(shown) + (", …" if len(items) > _NAMED else "")
    return text if len(text) <= _PREVIEW else f"{text[:_PREVIEW]}…"


def _brief(value: Any) -> str:
    if isinstance(value, dict | list):
        return ("{…}" if value else "{}") if isinstance(value, dict) else "[…]" if value else "[]"
    return on_one_line(value[:_PREVIEW] if isinstance(value, str) else value)
