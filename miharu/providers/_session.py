"""The messages of one call of a WebSocket session, as they were kept (``turns.py``)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from miharu.providers.base import Wire
from miharu.wire.json import loads, mapping
from miharu.wire.streams import objects

__all__ = ("SWITCHED", "Event", "events_of")

SWITCHED = 101
"""The HTTP status of an answer that begins a session."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message."""

    data: Mapping[str, Any]
    """Its object; empty where only the start of the message was kept."""
    raw: bytes
    end: int
    """Offset of its last byte in the body."""
    ms: int | None
    """Milliseconds from the start of the call until it arrived; ``None`` where that is not known."""


def events_of(wire: Wire) -> Iterator[Event]:
    """Each message, in the order in which they were kept."""
    begin = 0
    for end, since in wire.marks:
        raw = wire.body[begin:end]
        yield Event(mapping(loads(raw)), raw, end - 1, round(since / 1e6))
        begin = end
    for found in objects(wire.body[begin:]) if begin < len(wire.body) else ():  # there was little memory
        yield Event(found.value, b"", begin + found.end, None)
