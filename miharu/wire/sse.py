"""Server-Sent Events from a whole or truncated body (WHATWG HTML, section 9.2).

Most events of a long stream carry a word or two, and repeat what the first ones said of the whole. So a
reader may read the first events, those of the middle that have a mark in them, and the last ones.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ("Event", "Middle", "events", "marked", "middle")

MOST = 200_000
"""Lines that are read from the start of a body; of a longer one the end is read too, where usage stands."""
END = 1 << 16
"""Bytes of that end."""
PAUSE = 500
"""Lines after which others may have the interpreter's lock."""
LINES = 10_000
"""Lines of data in one event."""
SHORT = 4096
"""Bytes; a shorter middle is read as a whole."""
LAST = 4
"""Events that are read at the end."""
STEP = 1 << 16
"""Bytes in which marks are looked for at once."""


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    """Of its ``event`` field; empty where it has none."""
    data: bytes
    end: int
    """Offset of its last byte in the body."""


@dataclass(frozen=True, slots=True)
class Middle:
    """A part of a body that begins and ends with whole events."""

    start: int
    stop: int
    blank: bytes
    """What ends an event there."""


def events(body: bytes, start: int = 0, stop: int | None = None) -> Iterator[Event]:
    """Each event with data, in order. One that a truncated body ends in is given as well.

    Args:
        body: The stream.
        start: Where an event begins.
        stop: Where one has ended.
    """
    return _events(body, _lines(body, start, len(body) if stop is None else stop))


def middle(body: bytes, end: int) -> Middle | None:
    """What comes after the event that ends there, and before the last ones.

    ``None`` where that is little, or not to be told quickly: then all events are to be read.
    """
    blank = next((sign for sign in (b"\n\n", b"\r\n\r\n") if body.startswith(sign, end + 1)), None)
    if blank is None or len(body) - end < SHORT:
        return None
    if len(body) > MOST and body.count(b"\n") + body.count(b"\r") >= MOST:
        return None
    start, stop = end + 1 + len(blank), len(body)
    for _ in range(LAST + 1):
        stop = body.rfind(blank, start, stop)
        if stop < 0:
            return None
    return Middle(start, stop + len(blank), blank)


def marked(body: bytes, part: Middle, marks: Sequence[bytes | re.Pattern[bytes]]) -> Iterator[Event]:
    """The events in that part which have any of the marks in them, in order."""
    blank, width, at = part.blank, len(part.blank), part.start
    while at < part.stop:
        if at > part.start:
            time.sleep(0)
        end = body.find(blank, at + STEP, part.stop)
        end = part.stop if end < 0 else end + width
        places = (place for mark in marks for place in _places(body, Middle(at, end, blank), mark))
        for begin in sorted({body.rfind(blank, at - width, place) + width for place in places}):
            yield from events(body, begin, body.find(blank, begin, end) + width)
        at = end


def _places(body: bytes, part: Middle, mark: bytes | re.Pattern[bytes]) -> Iterator[int]:
    """Where the mark stands, once for each event."""
    start = part.start
    while start >= 0:
        if isinstance(mark, bytes):
            at = body.find(mark, start, part.stop)
        else:
            found = mark.search(body, start, part.stop)
            at = found.start() if found else -1
        if at < 0:
            return
        yield at
        start = body.find(part.blank, at, part.stop)


def _events(body: bytes, lines: Iterator[tuple[int, int]]) -> Iterator[Event]:
    name, data, last = "", list[bytes](), 0
    for start, end in lines:
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


def _lines(body: bytes, at: int, size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each line, one after another; the last one only where something is in it."""
    if not at and body.startswith(b"\xef\xbb\xbf"):
        at = 3
    has_returns = body.find(b"\r", at, size) >= 0
    newline, count = -1, 0
    while at < size:
        if newline < at:
            newline = body.find(b"\n", at, size)
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
