"""What was said in a call, whole, whatever its format on the wire."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from miharu.call import Call
from miharu.providers.base import Provider
from miharu.providers.bodies.formats import format_of, shape_of
from miharu.providers.bodies.objects import objects_of, request_of
from miharu.providers.messages import Message, Part
from miharu.wire.json import loads

__all__ = ("REASONS", "Conversation", "Turn", "Unfit", "conversation")

Reason = Literal["content", "answer", "kind", "media", "cut"]
REASONS: dict[Reason, str] = {
    "content": "without content: it is kept with capture_content=True",
    "answer": "without an answer",
    "kind": "not a conversation",
    "media": "with pictures, sounds or other parts that are no text",
    "cut": "too large to be taken whole",
}
"""Why a call is not in the file, for people."""
_LONGEST = 4 << 20
"""Bytes of a body that are kept at most, so no text is longer."""
_CUT = "\n…"
_ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("assistant", "model", "ai", "chatbot"), "assistant"),
    **dict.fromkeys(("tool", "function"), "tool"),
}


class Unfit(Exception):  # noqa: N818 - nothing is wrong with the call
    """Why a call is not in the file."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says: parts of the kinds text, refusal, call and result."""

    role: Literal["system", "user", "assistant", "tool"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A call as turns, the last of which is the answer."""

    turns: Sequence[Turn]
    request: Any
    """The request's JSON object."""

    @property
    def asked(self) -> Sequence[Turn]:
        return self.turns[:-1]

    @property
    def answer(self) -> Turn:
        return self.turns[-1]


def conversation(call: Call, own: Sequence[Provider] = ()) -> Conversation:
    """What was said.

    Args:
        call: With its body.
        own: Wire formats that the program has brought.

    Raises:
        Unfit: It cannot be told as turns that end in an answer.
    """
    if call.body is None or call.body.request is None:
        raise Unfit("content")
    (request, request_cut), (answers, answers_cut) = request_of(call, _LONGEST), objects_of(call, _LONGEST)
    if request_cut or answers_cut:
        raise Unfit("cut")
    if call.outcome.status != "success" or not answers:
        raise Unfit("answer")
    form = format_of(call.api, own) or shape_of(request)
    if form is None:
        raise Unfit("kind")
    try:
        said = form.messages(request, answers)
        asked, answered = list(_turns(said.asked)), list(said.answered)
    except (AttributeError, KeyError, TypeError, ValueError):  # these bytes are not trusted
        raise Unfit("kind") from None
    if (request.get("n") or 1) != 1:  # each is a whole answer
        answered = answered[:1]
    answer = [part for turn in _turns(answered) for part in turn.parts]
    if not answer:
        raise Unfit("answer")
    if not asked:
        raise Unfit("kind")
    turns = [*asked, Turn("assistant", tuple(answer))]
    return Conversation(turns=list(_named(_merged(asked), turns[-1])), request=request)


def _turns(messages: Iterable[Message]) -> Iterator[Turn]:
    for one in messages:
        parts = tuple(_told(part) for part in one.parts if part.kind != "thinking")
        if parts:
            role: Any = "tool" if _are_results(parts) else _ROLES.get(one.role.lower(), "user")
            yield Turn(role, parts)


def _are_results(parts: Sequence[Part]) -> bool:
    return all(part.kind == "result" for part in parts)


def _told(part: Part) -> Part:
    """The part, if it is one that a file can have."""
    if part.kind == "rest":
        raise Unfit("cut")
    if part.kind not in {"text", "refusal", "call", "result"}:
        raise Unfit("media")
    if part.kind in {"call", "result"}:
        if part.text.endswith(_CUT):
            raise Unfit("cut")
        return replace(part, text=_compact(part.text))
    return part


def _compact(text: str) -> str:
    """JSON without the indentation for people; any other text as it is."""
    value = loads(text.encode("utf-8", "surrogatepass")) if text[:1] in {"{", "["} else None
    return text if value is None else json.dumps(value, ensure_ascii=False)


def _merged(turns: Iterable[Turn]) -> Iterator[Turn]:
    """Turns of the assistant behind one another as one: some formats have a message for each call."""
    held: Turn | None = None
    for turn in turns:
        if held is not None and held.role == turn.role == "assistant":
            held = Turn(held.role, (*held.parts, *turn.parts))
            continue
        if held is not None:
            yield held
        held = turn
    if held is not None:
        yield held


def _named(turns: Iterable[Turn], answer: Turn) -> Iterator[Turn]:
    """With an id for each call of a tool and its result: not all formats have some."""
    waiting: list[Part] = []
    number = 0
    for turn in (*turns, answer):
        parts = []
        for part in turn.parts:
            named = part
            if part.kind == "call":
                number += 1
                named = part if part.id else replace(part, id=f"call_{number}")
                waiting.append(named)
            elif part.kind == "result" and not part.id:
                of = next((one for one in waiting if one.name == part.name), waiting[0] if waiting else None)
                named = replace(part, id=of.id if of else f"call_{number}")
            if part.kind == "result":
                waiting = [one for one in waiting if one.id != named.id]
            parts.append(named)
        yield Turn(turn.role, tuple(parts))
