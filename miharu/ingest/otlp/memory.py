"""What was taken in a while ago: children end before their parents, and come in requests of their own."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any, TypeVar

from miharu.ingest.otlp.records import LogRecord

__all__ = ("Memory",)

SPANS = 100_000
"""Spans above calls that are remembered, and response ids."""
EVENTS = 4_000
"""Spans whose events wait for them."""
EVENTS_EACH = 200
EVENT_CHARACTERS = 32 << 20
"""Of all events that wait, with a few for each value in them."""
_OVERHEAD = 100
_LONGEST = 200
"""Characters of a response id that is remembered as it is."""

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
        self._open: OrderedDict[str, tuple[int, Key | None]] = OrderedDict()
        """When it began, and the span that was its end."""
        self._characters = 0
        """Of the events."""
        self.lock = Lock()
        """Held while a request is sorted."""

    def note_above(self, key: Key) -> None:
        """A call, or another such span, lies below that one."""
        _put(self._above, key, None, SPANS)

    def is_above(self, key: Key) -> bool:
        return key in self._above

    def owner_of(self, response_id: str, key: Key) -> Key:
        """The span that came first with that response."""
        response_id = _short(response_id)
        found = self._responses.get(response_id, key)
        _put(self._responses, response_id, found, SPANS)
        return found

    def note_open(self, response_id: str, timestamp: int) -> None:
        """A call began then (Unix milliseconds) whose answer has not been seen yet."""
        _put(self._open, _short(response_id), (timestamp, None), SPANS)

    def ended(self, response_id: str, key: Key) -> int | None:
        """When the call began that this span is the first to end, however often it is sent."""
        response_id = _short(response_id)
        began, end = self._open.get(response_id, (None, None))
        if began is None or end not in {None, key}:
            return None
        _put(self._open, response_id, (began, key), SPANS)
        return began

    def keep_events(self, records: Iterable[LogRecord]) -> None:
        """Keep messages until their span comes."""
        for record in records:
            key = (record.trace_id, record.span_id)
            kept = self._events.get(key, [])
            if len(kept) < EVENTS_EACH:
                kept.append(record)
                self._characters += _size(record)
            self._events[key] = kept
            self._events.move_to_end(key)
            while len(self._events) > EVENTS or self._characters > EVENT_CHARACTERS:
                self.forget_events([next(iter(self._events))])

    def events_of(self, key: Key) -> Sequence[LogRecord]:
        """The events of that span; they wait on, because it may not be stored and come again."""
        return self._events.get(key, ())

    def forget_events(self, keys: Iterable[Key]) -> None:
        """Let go of the events of these spans, which are stored."""
        for key in keys:
            self._characters -= sum(map(_size, self._events.pop(key, ())))


def _short(response_id: str) -> str:
    if len(response_id) <= _LONGEST:
        return response_id
    return blake2b(response_id.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _size(record: LogRecord) -> int:
    return len(record.name) + _characters(record.body) + _characters(record.attributes)


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return _OVERHEAD + len(value)
    if isinstance(value, Mapping):
        return _OVERHEAD + sum(len(name) + _characters(one) for name, one in value.items())
    return _OVERHEAD + (sum(map(_characters, value)) if isinstance(value, list) else 0)


def _put(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
