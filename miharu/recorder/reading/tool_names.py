"""Which tools an answer asked for, read from the answer whether its content is kept or not."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from miharu._guard import swallowed
from miharu.call import Body, Call, changed
from miharu.providers.base import Provider, Wire
from miharu.providers.bodies.objects import objects_of
from miharu.providers.messages import Part, Tells
from miharu.providers.on_use import OnUse

__all__ = ("asked_for", "named", "teller_of")

_MARKS = (
    *(b'"tool_calls"', b'"tool_use"', b'"toolUse"', b'"functionCall"', b'"function_call"'),
    *(b'"functionCalls"', b'"tool-call', b'_call"', b'"server_tool_use"'),
)
"""What stands in an answer that asks for a tool; one without any of them is not looked at further."""
_MARKS_OF = {
    "openai.chat": (b'"tool_calls"', b'"function_call"'),
    "anthropic.messages": (b'tool_use"',),
}
"""The same in formats in which most calls are: each mark costs a look at all bytes of a stream."""
_LARGEST = 1 << 20
"""Bytes of an answer that is looked at."""
LONGEST_NAME = 100
"""Characters of a name."""
_MOST, _LONGEST = 64, 2_000
"""Names, and characters of their list."""


def asked_for(call: Call, wire: Wire, provider: Provider) -> Sequence[Part]:
    """The calls of tools in the answer, in order, as many as are looked at."""
    body = wire.body
    if not _may_ask(body, wire, _MARKS_OF.get(call.api, _MARKS)):
        return ()
    teller = teller_of(provider)
    if teller is None:
        return ()
    try:
        return list(islice(_calls(call, _naming(body[:_LARGEST]), teller), _MOST))
    except Exception:  # noqa: BLE001 - an answer may be made to be unreadable; it is a call without it
        swallowed(f"reading which tools were asked for as {call.api}")
        return ()


def named(asked: Iterable[Part]) -> str | None:
    """The names, in order, as a JSON list; ``None`` where there are none."""
    names = [part.name[:LONGEST_NAME] for part in asked]
    while len(text := json.dumps(names, ensure_ascii=False)) > _LONGEST:
        names = names[: len(names) // 2]
    return text if names else None


def teller_of(provider: Provider) -> Tells | None:
    """What lays out the messages of its format, if that can be done."""
    teller: object = provider.format if isinstance(provider, OnUse) else provider
    return teller if isinstance(teller, Tells) else None


def _may_ask(body: bytes, wire: Wire, marks: Iterable[bytes]) -> bool:
    if body[:1] == b"\0":  # frames, which may hold the answer in base64
        return b'"tool' in (wire.request_body or b"")
    seen = body[:_LARGEST]
    return any(mark in seen for mark in marks)


def _naming(body: bytes) -> bytes:
    """The events of a stream that name something: the pieces of an argument do not, and may be thousands."""
    if not body.startswith((b"data:", b"event:")):
        return body
    return b"\n\n".join(event for event in body.split(b"\n\n") if b'name"' in event) + b"\n\n"


def _calls(call: Call, body: bytes, teller: Tells) -> Iterator[Part]:
    answers, _ = objects_of(changed(call, body=Body(request=None, response=body)))
    for message in teller.messages({}, answers).answered:
        yield from (part for part in message.parts if part.kind == "call" and part.name)
