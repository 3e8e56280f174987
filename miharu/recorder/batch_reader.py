"""From what callers have left to what can be stored, a batch's worth at a time.

After each call the interpreter's lock is given up: what is read without a pause would keep the program's own
threads waiting, for a burst of thirty calls as long as a garbage collection would.
"""

import time
from collections.abc import Callable, Iterable

from miharu._guard import swallowed
from miharu.attribution import captures
from miharu.attribution.belonging import span_record
from miharu.attribution.spans import OpenSpan
from miharu.batch import Batch, Score, Span
from miharu.call import Call
from miharu.exchange import Exchange
from miharu.recorder.counters import Counters
from miharu.recorder.queue import ExchangeQueue, Kept, Left
from miharu.recorder.reader import Reader

__all__ = ("BatchReader", "as_batch")

BATCH = 500
"""Calls, spans and scores per transaction."""
BATCH_BYTES = 8 << 20
"""Content per transaction; the call that goes beyond it is the last."""
READING_S = 0.02
"""After so long what has been read is stored before more is: until then a kill would take it."""


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

    def fill(self, values: list[Kept], *, in_a_hurry: bool = False) -> None:
        """Add to the list until it is a whole batch, or has taken long enough, or nothing is left.

        Args:
            values: The list.
            in_a_hurry: The program ends: nothing but the reading is done.
        """
        room, until = BATCH_BYTES - sum(map(_weight, values)), time.monotonic() + READING_S
        while len(values) < BATCH and room > 0:
            left = self._queue.take()
            if left is None:
                return
            kept = self._kept(left)
            if kept is not None:
                if isinstance(kept, Call) and not in_a_hurry:
                    kept = self._finish(kept)
                values.append(kept)
                room -= _weight(kept)
            if in_a_hurry:
                continue
            time.sleep(0)
            if values and time.monotonic() >= until:
                return

    def read(self, exchanges: Iterable[Exchange], *, own: bool = True) -> Batch:
        """The calls of a record.

        Args:
            exchanges: Those of the record.
            own: Whether this process has made them, so that they count.
        """
        captured, found = self._counters.captured, list[Kept]()
        for exchange in exchanges:
            kept = self._kept(exchange)
            if kept is not None:
                found.append(kept)
            time.sleep(0)
        if not own:
            self._counters.captured = captured
        return as_batch(found)

    def _kept(self, left: Left) -> "Kept | None":
        reader = self._reader
        try:
            if reader is None:
                return None
            if isinstance(left, Score):
                return reader.redactor.score(left)
            if isinstance(left, Span):
                return reader.redactor.span(left)
            if isinstance(left, OpenSpan):
                return reader.redactor.span(span_record(left, reader.service))
            call = reader.read(left)
        except Exception:  # noqa: BLE001 - a format that a provider has changed is not the program's affair
            swallowed("reading a call")
            return None
        finally:
            if isinstance(left, Exchange):
                left.let_go()
        if call is not None:
            self._counters.captured += 1
            captures.note(call, left.context, left.started)
        return call


def as_batch(values: list[Kept]) -> Batch:
    """The same, sorted by kind."""
    return Batch(
        calls=[value for value in values if isinstance(value, Call)],
        spans=[value for value in values if isinstance(value, Span)],
        scores=[value for value in values if isinstance(value, Score)],
    )


def _weight(value: Kept) -> int:
    """Bytes of what may be large."""
    if not isinstance(value, Call):
        return 0
    body = value.body
    kept = len(body.request or b"") + len(body.response or b"") if body else 0
    return kept + len(value.usage.usage_raw or "")
