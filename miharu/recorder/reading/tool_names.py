"""Which tools an answer asked for: their names, read from the answer whether its content is kept or not."""

import json
from collections.abc import Iterable, Iterator

from miharu._guard import swallowed
from miharu.call import Body, Call, changed
from miharu.providers.base import Provider, Wire
from miharu.providers.bodies.objects import objects_of
from miharu.providers.messages import Tells
from miharu.providers.on_use import OnUse

__all__ = ("asked_for",)

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
_MOST, _LONGEST, _LONGEST_NAME = 64, 2_000, 100
"""Names, characters of their list, and characters of one."""


def asked_for(call: Call, wire: Wire, provider: Provider) -> str | None:
    """The names, in order, as a JSON list; ``None`` where there are none."""
    body = wire.body
    if not _may_ask(body, wire, _MARKS_OF.get(call.api, _MARKS)):
        return None
    teller = provider.format if isinstance(provider, OnUse) else provider
    if not isinstance(teller, Tells):
        return None
    try:
        names = list(_names(call, _naming(body[:_LARGEST]), teller))
        while len(text := json.dumps(names[:_MOST], ensure_ascii=False)) > _LONGEST:
            names = names[: len(names[:_MOST]) // 2]
    except Exception:  # noqa: BLE001 - an answer may be made to be unreadable; it is a call without it
        swallowed(f"reading which tools were asked for as {call.api}")
        return None
    return text if names else None


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


def _names(call: Call, body: bytes, provider: Tells) -> Iterator[str]:
    answers, _ = objects_of(changed(call, body=Body(request=None, response=body)))
    for message in provider.messages({}, answers).answered:
        for part in message.parts:
            if part.kind == "call" and part.name:
                yield part.name[:_LONGEST_NAME]
