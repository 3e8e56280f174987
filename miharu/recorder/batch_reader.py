"""From what callers have left to what can be stored, a batch's worth at a time.

What is read without a pause would keep the program's own threads waiting for the interpreter's lock, a burst
of thirty calls as long as a garbage collection would. So it is given up after every few. To give it up and
get it again costs as much as to read half a call, and pauses close together delay one call of the program
several times. So where many wait the pauses are longer: several calls are delayed, and each of them once.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from miharu._guard import swallowed
from miharu.attribution import captures
from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Call
from miharu.exchange import Exchange
from miharu.recorder.counters import Counters
from miharu.recorder.queue import ExchangeQueue, Kept, Left
from miharu.recorder.reading.reader import Reader
from miharu.recorder.reading.releases import Releases

if TYPE_CHECKING:
    from miharu.attribution.spans.span import OpenSpan

__all__ = ("BatchReader", "as_batch")

BATCH = 500
"""Calls, spans, scores and markers per transaction."""
BATCH_BYTES = 8 << 20
"""Content per transaction; the call that goes beyond it is the last."""
READING_S = 0.03
"""After so long what has been read is stored before more is: until then a kill would take it."""
HELD_S = 0.0003
"""How long the interpreter's lock is held between two pauses, about."""
READ_AT_ONCE = 3
"""Calls that are read in that time, about."""
PAUSES_S = 0.02
"""What the pauses may take together, where more than a few calls wait."""
LONGEST_PAUSE_S = 0.003
"""Longer than most calls of a program to a server nearby, so that none meets two of them."""
FEW = 8
"""So many calls are read within three pauses, which need not be long."""


class BatchReader:
    """Reads the queue. One exchange that cannot be read takes no other with it."""

    def __init__(
        self,
        queue: ExchangeQueue,
        reader: Reader | None,
        counters: Counters,
        finish: Callable[[Call], Call] = lambda call: call,
    ) -> None:
        """Prepare.

        Args:
            queue: What to read.
            reader: What reads an exchange.
            counters: Where it is counted.
            finish: What a call goes through once it is read, unless the program ends.
        """
        self._queue = queue
        self._reader = reader
        self._counters = counters
        self._finish = finish
        self._releases = Releases()

    def fill(self, values: list[Kept], *, in_a_hurry: bool = False) -> bool:
        """Add to the list until it is a whole batch, or has taken long enough, or nothing is left.

        Returns whether that was so.

        Args:
            values: The list.
            in_a_hurry: The program ends: nothing but the reading is done.
        """
        room, until = BATCH_BYTES - sum(map(_weight, values)), time.monotonic() + READING_S
        sharing = _Sharing(len(self._queue))
        while len(values) < BATCH and room > 0:
            if self._queue.under_way is None:
                left = self._queue.take()
                if left is None:
                    return True
                kept, self._queue.under_way = self._kept(left)
            else:
                kept = self._next()
            if kept is not None:
                if isinstance(kept, Call) and not in_a_hurry:
                    kept = self._finish(kept)
                values.extend(self._with_more(kept))
                room -= _weight(kept)
            if in_a_hurry:
                continue
            sharing.give_way()
            if values and time.monotonic() >= until:
                break
        return False

    def read(self, exchanges: Iterable[Exchange], *, own: bool = True) -> Batch:
        """The calls of a record.

        Args:
            exchanges: Those of the record.
            own: Whether this process has made them, so that they count.
        """
        captured, found, sharing = self._counters.captured, list[Kept](), _Sharing()
        for exchange in exchanges:
            kept, more = self._kept(exchange)
            if kept is not None:
                found.extend(self._with_more(kept))
            sharing.give_way()
            for kept in more or ():
                found.extend(self._with_more(kept))
                sharing.give_way()
        if not own:
            self._counters.captured = captured
        return as_batch(found)

    def _with_more(self, kept: Kept) -> "Iterator[Kept]":
        """What was read, and what follows from it."""
        yield kept
        if isinstance(kept, Call):
            yield from self._releases.begun(kept)
            yield from self._reader.recognised() if self._reader is not None else ()

    def _next(self) -> "Kept | None":
        """What comes next of what was taken last; ``None`` where nothing does."""
        under_way = self._queue.under_way
        try:
            kept = None if under_way is None else next(under_way, None)
        except ValueError:  # a thread that hangs is in the middle of it
            kept = None
        if kept is None:
            self._queue.under_way = None
        return kept

    def _kept(self, left: Left) -> "tuple[Kept | None, Iterator[Kept] | None]":
        """What is made of it, and what is still to come of it: the results of a batch are many calls."""
        reader, more = self._reader, None
        try:
            if reader is None:
                return None, None
            if not isinstance(left, Exchange):
                return _record(reader, left), None
            found = reader.calls(left)
            if isinstance(found, Iterator):
                more = self._each(left, found)
                return None, more
            return (self._captured(left, found[0]) if found else None), None
        except Exception:  # noqa: BLE001 - a format that a provider has changed is not the program's affair
            swallowed("reading a call")
            return None, None
        finally:
            if isinstance(left, Exchange) and more is None:
                left.let_go()

    def _each(self, left: Exchange, calls: Iterator[Call]) -> "Iterator[Kept]":
        try:
            for call in calls:
                yield self._captured(left, call)
        except Exception:  # noqa: BLE001 - as above
            swallowed("reading a call")
        finally:
            left.let_go()

    def _captured(self, left: Exchange, call: Call) -> Call:
        self._counters.captured += 1
        context = left.context
        captures.note(call, None if context is None else context.capturing, left.started)
        return call


def _record(reader: Reader, left: "OpenSpan | Span | Score | Marker") -> Kept:
    """A span, a score or a marker, as it is kept."""
    if isinstance(left, Marker):
        return reader.redactor.marker(left)
    if isinstance(left, Score):
        return reader.redactor.score(left)
    return reader.span(left)


class _Sharing:
    """The interpreter's lock, shared with the program's own threads."""

    def __init__(self, waiting: int = 0) -> None:
        """Begin.

        Args:
            waiting: How many calls wait.
        """
        self._pause = min(LONGEST_PAUSE_S, READ_AT_ONCE * PAUSES_S / waiting) if waiting > FEW else 0.0
        self._left = PAUSES_S
        self._until = time.monotonic() + HELD_S

    def give_way(self) -> None:
        """Give the lock up, if it was held long enough."""
        if time.monotonic() >= self._until:
            self._left -= self._pause
            time.sleep(self._pause if self._left >= 0 else 0.0)
            self._until = time.monotonic() + HELD_S


def as_batch(values: list[Kept]) -> Batch:
    """The same, sorted by kind."""
    return Batch(
        calls=[value for value in values if isinstance(value, Call)],
        spans=[value for value in values if isinstance(value, Span)],
        scores=[value for value in values if isinstance(value, Score)],
        markers=[value for value in values if isinstance(value, Marker)],
    )


def _weight(value: Kept) -> int:
    """Bytes of what may be large."""
    if isinstance(value, Span):
        return sum(len(text or "") for text in (value.input, value.output, value.error_stack))
    if not isinstance(value, Call):
        return 0
    body = value.body
    kept = len(body.request or b"") + len(body.response or b"") if body else 0
    return kept + len(value.usage.usage_raw or "")
