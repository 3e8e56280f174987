"""What happens after the queue: read, priced, stored, exported; or spooled, while the store takes nothing."""

import time
from collections.abc import Callable
from dataclasses import replace

from miharu._guard import swallowed
from miharu.attribution import captures
from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.recorder.batch_reader import BatchReader, as_batch
from miharu.recorder.costing.pricer import Pricer
from miharu.recorder.counters import Counters
from miharu.recorder.queue import ExchangeQueue, Kept
from miharu.recorder.reading.reader import Reader
from miharu.recorder.spool import Record, Spool, spool_unread
from miharu.recorder.threads.daemonic import is_daemonic
from miharu.stores.base import Writer

__all__ = ("Pipeline",)

PATIENCE_S = 1.0
"""How long calls wait in memory alone for a store that was open and takes nothing."""
LONG_S = 1.0
"""How long calls are stored as fast as they come before something else has its turn."""
SPOOL_AGAIN_S = 5.0
"""How long a file that could not be written is left alone."""


class Pipeline:
    """Used by one thread. What the store refuses is kept, and tried again in the order it came in."""

    def __init__(
        self,
        queue: ExchangeQueue,
        spool: Spool,
        counters: Counters,
        reader: Reader | None = None,
        *,
        pricer: Pricer | None = None,
        export: Callable[[Batch], object] = bool,
    ) -> None:
        """Prepare.

        Args:
            queue: What callers have left.
            spool: Where it goes while the store takes nothing.
            counters: Where it is counted.
            reader: What reads it.
            pricer: What knows what it cost.
            export: Told of each batch that was stored.
        """
        self.writer: Writer | None = None
        """Open; ``None`` until then."""
        self.spool = spool
        self._queue = queue
        self._counters = counters
        self._reader = BatchReader(queue, reader, counters, self._finished)
        self.pricer = pricer or Pricer(lambda: None)
        self._export = export
        self._holding = 0
        """How many of the pending calls the store is writing now."""
        self._copied = False
        """Whether these are in the spool as well, before everything else: the store takes its time."""
        self._tried = True
        """Whether all that is pending has its price, or was read when prices were there to ask."""
        self._stuck_since: float | None = None
        self._spool_again = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the store."""
        return len(self._queue) == 0 and self.spool.waiting == 0

    @property
    def is_in_spool(self) -> bool:
        """Whether nothing waits in memory."""
        return len(self._queue) == 0

    def open(self, writer: Writer) -> None:
        """Open the store.

        Raises:
            StoreError: It cannot be used as it is.
        """
        try:
            writer.open()
        except BaseException:
            _close(writer)
            raise
        self.writer = writer

    def drain(self) -> None:
        """Store everything that was left so far: what was read, then what was spooled, then the queue.

        What comes meanwhile is stored as well, until nothing waits, or that has gone on for long: then what
        is left waits for the next time, and holds nobody up who waits for what was there before.

        Raises:
            StoreError: The store refuses; nothing is lost yet.
        """
        queue, spool = self._queue, self.spool
        pending, was_empty, until = queue.pending, False, time.monotonic() + LONG_S
        left, spooled = queue.arrived, None
        while True:
            if spooled is None and queue.taken >= left and queue.under_way is None:
                spooled = spool.arrived
            if pending:
                self._keep_pending()
            elif was_empty and spool.first() is None:
                return  # what came since waits for others to come along
            elif spooled is not None and spool.taken >= spooled and time.monotonic() >= until:
                return
            elif (record := spool.first()) is not None:
                batch = self.read(record)
                spool.is_read(batch)
                self.keep(batch)
                spool.take()
            elif not (is_daemonic() and spool_unread(queue, spool)):
                was_empty = self._reader.fill(pending)

    def read(self, record: Record, *, own: bool = True) -> Batch:
        """The calls of a record, as far as they were not read before.

        Args:
            record: Of a spool.
            own: Whether this process has made them, so that they count.
        """
        return record if isinstance(record, Batch) else self._reader.read(record, own=own)

    def keep(self, batch: Batch, *, own: bool = True, tried: bool = False) -> None:
        """Store and export it; what cannot be stored takes nothing else with it.

        Args:
            batch: What to keep.
            own: Whether this process has captured it, so that it counts.
            tried: Whether prices were asked already.

        Raises:
            StoreError: The store refuses; what was there before is skipped the next time.
        """
        if not tried:
            batch = replace(batch, calls=self.pricer.of_a_spool(batch.calls, own=own))
        captures.deliver(batch.calls)
        try:
            self._add(batch)
        except StoreError:
            self._counters.failures += 1
            raise
        except Exception:  # noqa: BLE001 - one call that cannot be stored must not hold up the others
            values: list[Kept] = [*batch.calls, *batch.spans, *batch.scores, *batch.markers]
            if len(values) > 1:
                for value in values:
                    self.keep(as_batch([value]), own=own, tried=True)
                return
            self._counters.unstorable += 1
            swallowed("storing a call")
            return
        if own:
            self._counters.written += len(batch.calls)
            self._counters.unpriced += sum(call.is_unpriced for call in batch.calls)
            self._counters.estimated += sum(call.usage.usage_source == "estimated" for call in batch.calls)
        self._counters.last_write = time.time()
        self._export(batch)

    def spool_overdue(self, now: float) -> None:
        """Spool what should not wait in memory any longer, at that moment (monotonic seconds)."""
        if self._is_overdue(now):
            self.spool_all()

    def spool_all(self) -> None:
        """Spool everything that can be."""
        while len(self._queue) and self._spill():
            pass

    def spool_remaining(self, until: float) -> None:
        """The same for a thread that the recorder does not answer, until that moment (monotonic seconds).

        What is in the store's hands already is spooled as well: it will be skipped, if it was stored.
        """
        pending = list(self._queue.pending)
        saved = set(map(id, pending))
        values = pending[self._holding :] if self._copied else pending
        while time.monotonic() < until:
            self._reader.fill(values, in_a_hurry=True)
            if not values:
                break
            if not self._write(values):
                self._queue.pending += (value for value in values if id(value) not in saved)
                return
            values = []
        self._queue.pending[:] = [value for value in self._queue.pending if id(value) not in saved]

    def close(self) -> None:
        """Let go of the store."""
        if self.writer is not None:
            writer, self.writer = self.writer, None
            _close(writer)

    def _keep_pending(self) -> None:
        pending = self._queue.pending
        if not self._tried:
            self.pricer.need()  # meanwhile what is pending may have gone to the spool
            pending[:] = [self.pricer.later(kept) if isinstance(kept, Call) else kept for kept in pending]
            self._tried = True
        if not pending:
            return
        self._holding, self._copied = len(pending), False
        try:
            self.keep(as_batch(pending), tried=True)
        except StoreError:
            if self._copied:
                del pending[: self._holding]
            raise
        else:
            if self._copied and self.spool.first() is not None:
                self.spool.take()
            del pending[: self._holding]
        finally:
            self._holding = 0

    def _is_overdue(self, now: float) -> bool:
        if self.writer is None or not self._tried or self.pricer.is_loading:
            return True
        if self._stuck_since is not None and now - self._stuck_since > PATIENCE_S:
            return True
        # behind the spool, and behind a slow store, the queue has to wait for its turn
        return self._queue.is_high and (
            self._holding > 0 or self._stuck_since is not None or self.spool.waiting > 0
        )

    def _spill(self) -> bool:
        """Move a batch into the spool; whether there was something, and it could be written."""
        pending = self._queue.pending
        if pending and not self.spool.waiting:
            if not self._write(pending[: self._holding or None]):
                return False
            self._copied = self._holding > 0
            if not self._copied:
                pending.clear()
                self._tried = True
            return True
        if not self._can_write():
            return False
        values = list[Kept]()
        self._reader.fill(values)
        if values and not self._write(values):
            pending += values
            return False
        return bool(values)

    def _can_write(self) -> bool:
        return self.spool.has_room and time.monotonic() >= self._spool_again

    def _write(self, values: list[Kept]) -> bool:
        if not self._can_write():
            return False
        batch = as_batch(values)
        if self.spool.is_half_full:
            self._counters.shed += sum(call.body is not None for call in batch.calls)
            batch = replace(batch, calls=[replace(call, body=None) for call in batch.calls])
        try:
            self.spool.append(batch)
        except OSError:
            self._spool_again = time.monotonic() + SPOOL_AGAIN_S
            return False
        self.pricer.spooled(batch.calls)
        return True

    def _add(self, batch: Batch) -> None:
        if self.writer is None:
            raise StoreError("The store is not open.")
        if self._stuck_since is None:
            self._stuck_since = time.monotonic()
        try:
            self.writer.add(batch)
        except StoreError:
            raise
        except Exception:
            self._stuck_since = None
            raise
        self._stuck_since = None

    def _finished(self, call: Call) -> Call:
        call = self.pricer.at_once(call)
        self._tried = self._tried and self.pricer.is_settled(call)
        return call


def _close(writer: Writer) -> None:
    try:
        writer.close()
    except Exception:  # noqa: BLE001 - a plug-in's failure stops nothing
        swallowed("closing the store")
