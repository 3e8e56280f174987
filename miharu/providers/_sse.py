"""Server-Sent Events from a whole or truncated body (WHATWG HTML, section 9.2)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ("Event", "events")

MOST = 200_000
"""Lines that are read from the start of a body; of a longer one the end is read too, where usage stands."""
END = 1 << 16
"""Bytes of that end."""
PAUSE = 500
"""Lines after which others may have the interpreter's lock."""
LINES = 10_000
"""Lines of data in one event."""


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
    name, data, last = "", list[bytes](), 0
    for start, end in _lines(body):
        if start == end:
            if data:
                yield Event(name, b"\n".join(data), last)
            name, data = "", []
            continue
        last = end - 1
        colon = body.find(b":", start, min(end, start + 6))
        field = body[start : min(end, start + 6) if colon < 0 else colon]
        value = end if colon < 0 else colon + 1 + (body[colon + 1 : colon + 2] == b" " and colon + 1 < end)
        if field == b"data" and len(data) < LINES:
            data.append(body[value:end])
        elif field == b"event":
            name = body[value : min(end, value + 200)].decode("utf-8", "replace")
    if data:
        yield Event(name, b"\n".join(data), last)


def _lines(body: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each line, one after another; the last one only where something is in it."""
    at, size, has_returns = 3 if body.startswith(b"\xef\xbb\xbf") else 0, len(body), b"\r" in body
    newline, count = -1, 0
    while at < size:
        if newline < at:
            newline = body.find(b"\n", at)
            newline = size if newline < 0 else newline
        end, after = newline, newline + 1
        if has_returns and (carriage := body.find(b"\r", at, end)) >= 0:
            end, after = carriage, carriage + 1 + (carriage + 1 == newline)
        yield at, end
        at, count = after, count + 1
        if not count % PAUSE:
            time.sleep(0)
        if count == MOST and size - END > at:
            at = size - END
            yield at, at
