"""What was said, in words that fit every format: messages of parts."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, Protocol, runtime_checkable

from miharu.wire.indented import indented, of_text

__all__ = (
    "Kind",
    "Message",
    "Part",
    "Said",
    "Tells",
    "add_to",
    "as_json",
    "asked_in_turn",
    "call_part",
    "data_part",
    "dicts",
    "joined",
    "media",
    "message",
    "result_part",
    "said",
    "text_part",
    "tools",
)

Kind = Literal["text", "thinking", "call", "result", "media", "data", "refusal", "rest"]
MOST_PARTS = 100
"""Of one message."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,160}")
_CUT = re.compile(r"\u2026 \[(\d{1,15}) bytes more\]\Z")
"""What stands where ``wire.abridged`` has cut a text."""
_TOO_LONG = 2_000
"""Characters of a picture's address from which on it is the picture itself, as a data URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A text, a thought, a call of a tool, its result, or something that is not text.

    ``rest`` stands for the parts that are too many to be shown.
    """

    kind: Kind
    text: str = ""
    name: str = ""
    """Of the tool; of a part that is not text, its type."""
    id: str = ""
    """By which a call of a tool and its result find each other."""
    data: str = ""
    """Of a picture or a sound: the beginning of its base64, by which the body's is found."""
    source: str = field(default="", compare=False)
    """JSON that was sent as a text: as it was sent, where ``text`` is another form of it."""


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One call, as people read it. A page takes as many messages and names as it can show."""

    asked: Iterable[Message] = ()
    answered: Iterable[Message] = ()
    tools: Iterable[str] = ()
    """The names of those on offer."""


@runtime_checkable
class Tells(Protocol):
    """A wire format whose calls can be read as messages."""

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
        """Lay out a call.

        Args:
            request: Its JSON object, long texts cut short; empty where there is none.
            answers: Each JSON object of the answer, in order: one, or the pieces of a stream.
        """
        ...


def message(role: object, parts: Iterable[Part | None]) -> Message:
    """A message of the first parts that say something."""
    saying = (part for part in parts if part is not None)
    shown = tuple(islice(saying, MOST_PARTS))
    more = (Part(kind="rest"),) if next(saying, None) is not None else ()
    return Message(str(role or "user")[:40], (*shown, *more))


def asked_in_turn(
    request: Mapping[str, Any], content: Callable[[object], Iterable[Part | None]]
) -> Iterator[Message]:
    """A ``system`` beside ``messages``, whose content says for itself where it is the result of a tool."""
    if request.get("system"):
        yield message("system", said(request["system"]))
    for one in dicts(request.get("messages") or []):
        parts = tuple(content(one.get("content")))
        results = bool(parts) and all(part is not None and part.kind == "result" for part in parts)
        yield message("tool" if results else one.get("role"), parts)


def text_part(text: object) -> Part | None:
    return Part(kind="text", text=text) if isinstance(text, str) and text else None


def call_part(name: object, arguments: object, id: object = "") -> Part:  # noqa: A002 - the provider's word
    return _json_part("call", str(name or "tool"), arguments, str(id or ""))


def result_part(content: object, id: object = "", name: object = "") -> Part:  # noqa: A002 - ditto
    return _json_part("result", str(name or ""), content, str(id or ""))


def data_part(name: object, value: object) -> Part:
    """A value of any other kind, as it is."""
    return _json_part("data", str(name or "part"), value)


def _json_part(kind: Kind, name: str, value: object, id: str = "") -> Part:  # noqa: A002 - ditto
    text = as_json(value)
    source = value if isinstance(value, str) and value != text else ""
    return Part(kind=kind, name=name, text=text, id=id, source=source)


def media(kind: object, source: object) -> Part:
    """A picture, a sound or a file: its address, or what stands in place of its bytes."""
    text = source if isinstance(source, str) else as_json(source)
    head, comma, inside = text.partition(",") if text.startswith("data:") else ("", "", text)
    data = found[0] if (not comma or head.endswith(";base64")) and (found := _BASE64.match(inside)) else ""
    if comma or len(text) > _TOO_LONG:
        length = len(inside) + (int(more[1]) - len(more[0]) if (more := _CUT.search(inside)) else 0)
        text = f"[{head[5:].partition(';')[0] or 'binary'}, {length * 3 // 4} bytes]"
    return Part(kind="media", name=str(kind or "file"), text=text, data=data)


def as_json(value: object) -> str:
    """The value as text: indented where it is JSON, also JSON inside a string; the beginning of much."""
    if isinstance(value, str):
        return of_text(value)
    return "" if value is None else indented(value)[0]


class Pieces(list[str]):
    """A text that comes piece by piece; adding to a text would copy it each time."""


def add_to(held: MutableMapping[str, Any], name: str, text: str) -> None:
    """Let the text under that name grow."""
    known = held.get(name)
    if not isinstance(known, Pieces):
        known = held[name] = Pieces([known] if isinstance(known, str) else [])
    known.append(text)


def joined(held: Mapping[str, Any]) -> dict[str, Any]:
    """The same with each text in one piece."""
    return {name: "".join(value) if isinstance(value, Pieces) else value for name, value in held.items()}


def dicts(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; a lone object as a list of one."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def said(value: object) -> Iterator[Part]:
    """Text, or a list of texts and of parts of other kinds."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            if part := text_part(one):
                yield part
        elif isinstance(one, dict) and isinstance(one.get("text"), str):
            yield Part(kind="text", text=one["text"])
        elif one is not None:
            yield data_part("", one)


def tools(request: Mapping[str, Any]) -> Iterator[str]:
    """The names of the tools on offer, as most formats list them."""
    for one in dicts(request.get("tools") or request.get("functions")):
        function = one.get("function")
        name = (function if isinstance(function, dict) else one).get("name") or one.get("type")
        if isinstance(name, str):
            yield name
