"""JSON objects one after another, in any frame: SSE, NDJSON, one array, or a single object.

A body may be cut anywhere, and a large one has a hole between what was kept of its start and of its end.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from miharu.wire import sse
from miharu.wire.decoded import Wire
from miharu.wire.json import loads

__all__ = ("StreamObject", "answers", "last_value", "objects")

# no string of JSON holds a raw newline (RFC 8259, section 7): one that does was cut, and ends there
_TOKEN = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+"?|[{}]')
STEP = 1 << 16
"""Bytes that are looked through at once."""
MOST = 300_000
"""Braces and strings that are looked at from the start of a body; then only those at its end are."""
END = 1 << 16
"""Bytes of that end."""
PAUSE = 2000
"""Of them, after which others may have the interpreter's lock."""
_FIELD = 1 << 16
"""Bytes that a single field of metadata may take."""


@dataclass(frozen=True, slots=True)
class StreamObject:
    """One object of a response."""

    value: Mapping[str, Any]
    end: int
    """Offset of its last byte in the body."""
    event: str = ""
    """The name of its event, in an event stream."""


def answers(wire: Wire) -> Iterator[StreamObject]:
    """Each JSON object of the response, in order."""
    if wire.is_event_stream:
        for event in sse.events(wire.body):
            value = loads(event.data)
            if isinstance(value, dict):
                yield StreamObject(value, event.end, event.name)
    elif wire.gap is None and wire.answered:
        yield StreamObject(wire.answered, len(wire.body) - 1)
    else:
        yield from objects(wire.body)


def objects(body: bytes) -> Iterator[StreamObject]:
    """Each whole object that is not inside another: the lines of NDJSON, or the elements of an array.

    A brace at the start of a line always begins one, so that reading goes on after a hole.
    """
    depth = start = 0
    for at, sign in _tokens(body):
        if sign == b"{":
            if not depth or body[at - 1 : at] == b"\n":
                depth, start = 0, at
            depth += 1
        elif sign == b"}" and depth:
            depth -= 1
            if not depth:
                value = loads(body[start : at + 1])
                if isinstance(value, dict):
                    yield StreamObject(value, at)


def _tokens(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The braces, and where each string begins, by its quote; of a body of too many its start and its end.

    In steps, since a search through bytes of which none is meant holds the interpreter's lock.
    """
    at, left = 0, MOST
    while at < len(body):
        token = _TOKEN.search(body, at, at + STEP)
        if token is not None and token.end() == at + STEP:  # it may go on
            token = _TOKEN.match(body, token.start())
        if token is None:
            at += STEP
            continue
        yield token.start(), token.group()[:1] if token.end() - token.start() < 2 else b'"'
        at, left = token.end(), left - 1
        if not left % PAUSE:
            time.sleep(0)
        if not left:
            at = max(at, len(body) - END)


def last_value(body: bytes, name: str) -> Any:
    """The value of the last field of that name in a body that is no JSON as a whole, or ``None``.

    In an answer that was too large to be kept whole, the usage still stands near the end.
    """
    key = json.dumps(name).encode()
    at = body.rfind(key)
    if at < 0:
        return None
    rest = body[at + len(key) : at + len(key) + _FIELD].decode("utf-8", "replace").lstrip()
    try:
        return json.JSONDecoder().raw_decode(rest.removeprefix(":").lstrip())[0]
    except (ValueError, RecursionError):
        return None
