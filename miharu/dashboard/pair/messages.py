"""The messages of two calls, laid beside each other: the same ones folded, the words that differ marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from miharu.analysis.text_changes import Change, Effort, changes, text_change
from miharu.dashboard.call.media import Finder
from miharu.providers.messages import Message, Part
from miharu.wire.indented import of_text
from miharu.wire.json import loads
from miharu.wording.numbers import size

__all__ = ("LINES", "Half", "Piece", "Row", "Telling", "beside", "title")

LINES = 200
"""Of one message that are shown at once."""
_BRIEF = 60
_ROLES = {
    "assistant": "Assistant",
    "model": "Assistant",
    "user": "User",
    "system": "System",
    "developer": "System",
    "tool": "Tool result",
    "error": "Error",
}
_MONO = frozenset({"call", "result", "data"})

Piece = tuple[str, bool]
"""A text, and whether it is only in this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """A message of one call."""

    shown: Sequence[Piece]
    rest: Sequence[Piece] = ()
    rest_lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Messages that are the same, or one that is not."""

    kind: Literal["same", "changed", "only"]
    title: str
    is_tool: bool = False
    is_mono: bool = False
    first: Half | None = None
    second: Half | None = None
    lines: int = 0
    """How many changed."""
    changed: float = 0.0
    roughly: bool = False
    same: Sequence[Message] = field(default=())
    brief: str = ""
    """Of those that are the same, a few words."""


class Telling:
    """A message as a text that can be compared."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def __call__(self, message: Message) -> str:
        return "\n\n".join(filter(None, map(self._part, message.parts)))

    def _part(self, part: Part) -> str:
        if part.kind == "media":
            kept = self._finder.find(part.data)
            if kept is None:
                return f"[{part.name}: {part.text}]"
            return f"[{kept.type}, {size(len(kept.content))}, SHA-256 {kept.digest}…]"
        if part.kind == "call":
            return (
                f"calls {part.name}\n{part.text}" if part.text and part.text != "{}" else f"calls {part.name}"
            )
        if part.kind == "thinking":
            return f"thinking: {part.text}"
        if part.kind == "rest":
            return "It has more parts than are compared here."
        return of_text(part.text) if _is_json(part) else part.text


def beside(
    first: Sequence[Message],
    second: Sequence[Message],
    tell: tuple[Callable[[Message], str], Callable[[Message], str]],
    effort: Effort,
) -> list[Row]:
    """The rows, in the order of both conversations."""
    texts = [tell[0](one) for one in first], [tell[1](one) for one in second]
    keys = [
        [(_role(one), " ".join(text.split())) for one, text in zip(messages, side, strict=True)]
        for messages, side in zip((first, second), texts, strict=True)
    ]
    rows: list[Row] = []
    runs = changes(keys[0], keys[1], effort)
    at = 0
    while at < len(runs):
        run = runs[at]
        if run.kind == "same":
            rows.append(_same(first[slice(*run.first)]))
        else:
            other = runs[at + 1] if at + 1 < len(runs) and runs[at + 1].kind != "same" else None
            at += other is not None
            gone, new = _range("gone", run, other), _range("new", run, other)
            rows += _replaced((first, second), texts, (gone, new), effort)
        at += 1
    return rows


def title(message: Message) -> str:
    """Who says it; of the result of a tool, which tool."""
    names = [part.name for part in message.parts if part.kind == "result" and part.name]
    return ", ".join(dict.fromkeys(names))[:120] or _ROLES.get(message.role, message.role.capitalize())


def _range(kind: str, run: Change, other: Change | None) -> range:
    for one in (run, other):
        if one is not None and one.kind == kind:
            return range(*(one.first if kind == "gone" else one.second))
    return range(0)


def _replaced(
    messages: tuple[Sequence[Message], Sequence[Message]],
    texts: tuple[Sequence[str], Sequence[str]],
    places: tuple[range, range],
    effort: Effort,
) -> list[Row]:
    """What stands in each other's place: pairs of the same role in order, the others alone."""
    roles = [[_role(messages[side][i]) for i in places[side]] for side in (0, 1)]
    rows: list[Row] = []
    for run in changes(roles[0], roles[1], effort):
        ones, others = places[0][slice(*run.first)], places[1][slice(*run.second)]
        if run.kind == "same":
            for one, other in zip(ones, others, strict=True):
                rows.append(
                    _changed(messages[0][one], messages[1][other], texts[0][one], texts[1][other], effort)
                )
        else:
            rows += [_only(messages[0][one], first=texts[0][one]) for one in ones]
            rows += [_only(messages[1][other], second=texts[1][other]) for other in others]
    return rows


def _changed(one: Message, other: Message, text: str, another: str, effort: Effort) -> Row:
    change = text_change(text, another, effort)
    return Row(
        kind="changed",
        title=title(one) if title(one) == title(other) else f"{title(one)} / {title(other)}",
        is_tool=_is_tool(one) and _is_tool(other),
        is_mono=_is_mono(one) and _is_mono(other),
        first=_half(change.first),
        second=_half(change.second),
        lines=change.lines,
        changed=change.changed,
        roughly=change.roughly,
    )


def _only(message: Message, first: str | None = None, second: str | None = None) -> Row:
    return Row(
        kind="only",
        title=title(message),
        is_tool=_is_tool(message),
        is_mono=_is_mono(message),
        first=None if first is None else _half([(first, True)]),
        second=None if second is None else _half([(second, True)]),
        changed=1.0,
    )


def _same(messages: Sequence[Message]) -> Row:
    words = (
        " ".join(next((part.text for part in one.parts if part.kind == "text"), "")[:200].split())
        for one in messages
    )
    brief = [
        f"{title(one)}: {text[:_BRIEF]}{'…' if len(text) > _BRIEF else ''}"
        if text and place == 0
        else title(one)
        for place, (one, text) in enumerate(zip(messages, words, strict=True))
    ]
    return Row(kind="same", title="", same=messages, brief=" · ".join(brief[:8]))


def _half(pieces: Sequence[Piece]) -> Half:
    """The first lines, and the rest."""
    left = LINES
    for place, (text, is_new) in enumerate(pieces):
        lines = text.count("\n")
        if lines < left:
            left -= lines
            continue
        cut = -1
        for _ in range(left):
            cut = text.index("\n", cut + 1)
        rest = [(text[cut + 1 :], is_new), *pieces[place + 1 :]]
        if any(piece for piece, _ in rest):
            number = "".join(piece for piece, _ in rest).rstrip("\n").count("\n") + 1
            return Half(shown=[*pieces[:place], (text[: cut + 1], is_new)], rest=rest, rest_lines=number)
    return Half(shown=pieces)


def _role(message: Message) -> str:
    role = _ROLES.get(message.role, message.role)
    return f"{role} {title(message)}" if role == "Tool result" else role


def _is_tool(message: Message) -> bool:
    return any(part.kind == "result" for part in message.parts)


def _is_mono(message: Message) -> bool:
    return bool(message.parts) and all(part.kind in _MONO or _is_json(part) for part in message.parts)


def _is_json(part: Part) -> bool:
    return part.kind == "text" and part.text[:1] in {"{", "["} and loads(part.text) is not None
