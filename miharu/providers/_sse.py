"""Server-Sent Events from a whole or truncated body (WHATWG HTML, section 9.2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ("Event", "events")

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    """Of its ``event`` field; empty where it has none."""
    data: bytes
    end: int
    """Offset of its last byte in the body."""


def events(body: bytes) -> Iterator[Event]:
    """Each event with data, in order. One that a truncated body ends in is given as well."""
    name, data = "", []
    start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    last = 0
    for line in _LINE.finditer(body, start):
        content = line.group(1)
        if content:
            last = line.end(1) - 1
            field, _, value = content.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value.decode("utf-8", "replace")
        elif line.end() == len(body) or line.group(2):
            if data:
                yield Event(name, b"\n".join(data), last)
            name, data = "", []
        if line.end() == len(body) and not line.group(2):
            break
    if data:
        yield Event(name, b"\n".join(data), last)
