"""From what callers have left to what can be stored, a batch's worth at a time."""

import time
from collections.abc import Callable

from miharu._guard import swallowed
from miharu.attribution import captures
from miharu.attribution.belonging import span_record
from miharu.attribution.spans import OpenSpan
from miharu.batch import Batch, Score, Span
from miharu.call import Call
from miharu.recorder.queue import ExchangeQueue, Kept, Left
from miharu.recorder.reader import Reader
from miharu.recorder.tally import Tally

__all__ = ("Intake", "as_batch")

BATCH = 500
"""Calls, spans and scores per transaction."""
BATCH_BYTES = 8 << 20
"""Content per transaction; the call that goes beyond it is the last."""
READING_S = 0.02
"""After so long what has been read is stored before more is: until then a kill would take it."""
READ_AT_ONCE = 20
"""Exchanges between two looks at whoever else waits for the loop, pages above all."""


class Intake:
    """Reads the queue. One exchange that cannot be read takes no other with it."""

    def __init__(
        self,
        queue: ExchangeQueue,
        reader: Reader | None,
        tally: Tally,
        finish: Callable[[Call], Call] = lambda call: call,
    ) -> None:
        """Prepare.

        Args:
            queue: What to read.
            reader: Who reads it.
            tally: Where it is counted.
            finish: What a call goes through once it is read, unless the program ends.
        """
        self._queue = queue
        self._reader = reader
        self._tally = tally
        self._finish = finish

    async def fill(self, values: list[Kept]) -> None:
        """Add to the list until it is a whole batch, or has taken long enough, or nothing is left."""
        import anyio.lowlevel

        room, until = BATCH_BYTES - sum(map(_weight, values)), time.monotonic() + READING_S
        while (room := self._some(values, room, self._finish)) > 0:
            if values and time.monotonic() >= until:
                return
            await anyio.lowlevel.checkpoint()

    def fill_at_once(self, values: list[Kept]) -> None:
        """The same where there is no loop any more."""
        room = BATCH_BYTES - sum(map(_weight, values))
        while room > 0:
            room = self._some(values, room)

    def _some(self, values: list[Kept], room: int, finish: Callable[[Call], Call] | None = None) -> int:
        """Add a few to the list; the bytes that it has room for then, none where it has to end."""
        for _ in range(READ_AT_ONCE):
            left = self._queue.take() if len(values) < BATCH and room > 0 else None
            if left is None:
                return 0
            kept = self._kept(left)
            if finish is not None and isinstance(kept, Call):
                kept = finish(kept)
            if kept is not None:
                values.append(kept)
                room -= _weight(kept)
        return room

    def _kept(self, left: Left) -> Kept | None:
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
        if call is not None:
            self._tally.captured += 1
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
