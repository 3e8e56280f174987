"""What was taken in a while ago: children end before their parents, and come in requests of their own."""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import TypeVar

from miharu.ingest.otlp.records import LogRecord

__all__ = ("Memory",)

SPANS = 100_000
"""Spans above calls that are remembered, and response ids."""
EVENTS = 4_000
"""Spans whose events wait for them."""
EVENTS_EACH = 200

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[str, str]
"""Of trace and span."""


class Memory:
    """Remembers the last of each; for several threads."""

    def __init__(self) -> None:
        self._above: OrderedDict[Key, None] = OrderedDict()
        self._responses: OrderedDict[str, Key] = OrderedDict()
        self._events: OrderedDict[Key, list[LogRecord]] = OrderedDict()
        self.lock = Lock()
        """Held while a request is sorted."""

    def note_above(self, key: Key) -> None:
        """A call, or another such span, lies below that one."""
        _put(self._above, key, None, SPANS)

    def is_above(self, key: Key) -> bool:
        return key in self._above

    def owner_of(self, response_id: str, key: Key) -> Key:
        """The span that came first with that response."""
        found = self._responses.get(response_id, key)
        _put(self._responses, response_id, found, SPANS)
        return found

    def keep_events(self, records: Iterable[LogRecord]) -> None:
        """Keep messages until their span comes."""
        for record in records:
            key = (record.trace_id, record.span_id)
            kept = self._events.get(key, [])
            if len(kept) < EVENTS_EACH:
                kept.append(record)
            _put(self._events, key, kept, EVENTS)

    def events_of(self, key: Key) -> list[LogRecord]:
        return self._events.pop(key, [])


def _put(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
