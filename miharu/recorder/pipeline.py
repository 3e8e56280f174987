"""What happens after the queue: read, priced, stored, exported; or spooled, while the store takes nothing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from miharu._guard import swallowed
from miharu.attribution import captures
from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.exporters.base import Exporter
from miharu.pricing.base import Prices
from miharu.recorder.costs import priced
from miharu.recorder.daemonic import is_daemonic
from miharu.recorder.intake import Intake, as_batch
from miharu.recorder.queue import ExchangeQueue, Kept
from miharu.recorder.reader import Reader
from miharu.recorder.spool import Spool
from miharu.recorder.tally import Tally
from miharu.stores.base import Store

__all__ = ("Outlet", "Pipeline")

EXPORT_TIMEOUT_S = 10.0
PATIENCE_S = 1.0
"""How long calls wait in memory alone for a store that was open and takes nothing."""
SPOOL_AGAIN_S = 5.0
"""How long a file that could not be written is left alone."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where calls go: what takes long to import."""

    store: Callable[[], Store]
    """Makes one, which is not open yet."""
    prices: Prices | None = None
    exporters: Sequence[Exporter] = ()


class Pipeline:
    """Runs on the worker's loop. What the store refuses is kept, and tried again in the order it came in."""

    def __init__(
        self,
        queue: ExchangeQueue,
        spool: Spool,
        tally: Tally,
        reader: Reader | None = None,
        charge: Callable[[Call], object] = bool,
    ) -> None:
        """Prepare.

        Args:
            queue: What callers have left.
            spool: Where it goes while the store takes nothing.
            tally: Where it is counted.
            reader: Who reads it; ``None`` for those who only read the store.
            charge: Told of each call of this process as soon as its price is known, once.
        """
        self.store: Store | None = None
        """Open; ``None`` until then."""
        self.spool = spool
        self._queue = queue
        self._tally = tally
        self._intake = Intake(queue, reader, tally, self._finished)
        self._charge = charge
        self._outlet: Outlet | None = None
        self._holding = 0
        """How many of what is pending are in the store's hands."""
        self._copied = False
        """Whether these are in the spool as well, before everything else: the store takes its time."""
        self._tried = True
        """Whether all that is pending was read when prices were there to ask."""
        self._stuck_since: float | None = None
        self._spool_again = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the store."""
        return len(self._queue) == 0 and self.spool.waiting == 0

    async def open(self, outlet: Outlet) -> None:
        """Open the store.

        Raises:
            StoreError: It cannot be used as it is.
        """
        store = outlet.store()
        try:
            await store.open()
        except BaseException:
            await _close(store, "closing the store")
            raise
        self.store, self._outlet = store, outlet

    async def drain(self) -> None:
        """Store everything that was left so far: what was read, then what was spooled, then the queue.

        Raises:
            StoreError: The store refuses; nothing is lost yet.
        """
        pending = self._queue.pending
        while True:
            if pending:
                await self._keep_pending()
            elif (batch := self.spool.first()) is not None:
                await self.keep(batch)
                self.spool.take()
            elif not (is_daemonic() and len(self._queue) and await self._spill()):
                await self._intake.fill(pending)
                if not pending:
                    return

    async def keep(self, batch: Batch, *, own: bool = True, tried: bool = False) -> None:
        """Store and export it; what cannot be stored takes nothing else with it.

        Args:
            batch: What to keep.
            own: Whether this process has captured it, so that it counts.
            tried: Whether prices were asked already.

        Raises:
            StoreError: The store refuses; what was there before is skipped the next time.
        """
        if self._outlet is not None and not tried:
            batch = replace(batch, calls=[priced(call, self._outlet.prices) for call in batch.calls])
        captures.deliver(batch.calls)
        try:
            await self._add(batch)
        except StoreError:
            self._tally.failures += 1
            raise
        except Exception:  # noqa: BLE001 - one call that cannot be stored must not hold up the others
            values: list[Kept] = [*batch.calls, *batch.spans, *batch.scores]
            if len(values) > 1:
                for value in values:
                    await self.keep(as_batch([value]), own=own, tried=True)
                return
            self._tally.unstorable += 1
            swallowed("storing a call")
            return
        if own:
            self._tally.written += len(batch.calls)
            self._tally.unpriced += sum(call.is_unpriced for call in batch.calls)
            self._tally.estimated += sum(call.usage.usage_source == "estimated" for call in batch.calls)
        self._tally.last_write = time.time()
        for exporter in self._outlet.exporters if self._outlet else ():
            await self._export(exporter, batch)

    async def _keep_pending(self) -> None:
        pending = self._queue.pending
        self._holding, self._copied = len(pending), False
        try:
            await self.keep(as_batch(pending), tried=self._tried)
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
        self._tried = True

    async def relieve(self, now: float) -> None:
        """Spool what should not wait in memory any longer, at that moment (monotonic seconds)."""
        while len(self._queue) and self._is_overdue(now) and await self._spill():
            pass

    async def spill(self) -> None:
        """Spool everything, for a program that ends."""
        while len(self._queue) and await self._spill():
            pass

    def salvage(self, until: float) -> None:
        """The same for a thread whose loop does not answer, until that moment (monotonic seconds).

        What is in the store's hands already is spooled as well: it will be skipped, if it was stored.
        """
        pending = list(self._queue.pending)
        saved = set(map(id, pending))
        values = pending[self._holding :] if self._copied else pending
        while time.monotonic() < until:
            self._intake.fill_at_once(values)
            if not values:
                break
            if not self._write(values):
                self._queue.pending += (value for value in values if id(value) not in saved)
                return
            values = []
        self._queue.pending[:] = [value for value in self._queue.pending if id(value) not in saved]

    async def close(self) -> None:
        """Let go of store and exporters."""
        for exporter in self._outlet.exporters if self._outlet else ():
            await _close(exporter, "closing an exporter")
        if self.store is not None:
            store, self.store = self.store, None
            await _close(store, "closing the store")

    def _is_overdue(self, now: float) -> bool:
        if self.store is None:
            return True
        if self._stuck_since is not None and now - self._stuck_since > PATIENCE_S:
            return True
        # behind the spool, and behind a slow store or exporter, the queue has to wait for its turn
        return self._queue.is_high and (
            self._holding > 0 or self._stuck_since is not None or self.spool.waiting > 0
        )

    async def _spill(self) -> bool:
        """Move a batch into the spool; whether there was something, and it could be written."""
        pending = self._queue.pending
        if pending and not self.spool.waiting:
            if not self._write(pending[: self._holding or None]):
                return False
            self._copied = self._holding > 0
            if not self._copied:
                pending.clear()
            return True
        if not self._can_write():
            return False
        values = list[Kept]()
        await self._intake.fill(values)
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
            self._tally.shed += sum(call.body is not None for call in batch.calls)
            batch = replace(batch, calls=[replace(call, body=None) for call in batch.calls])
        try:
            self.spool.append(batch)
        except OSError:
            self._spool_again = time.monotonic() + SPOOL_AGAIN_S
            return False
        return True

    async def _add(self, batch: Batch) -> None:
        if self.store is None:
            raise StoreError("The store is not open.")
        if self._stuck_since is None:
            self._stuck_since = time.monotonic()
        try:
            await self.store.add(batch)
        except StoreError:
            raise
        except Exception:
            self._stuck_since = None
            raise
        self._stuck_since = None

    def _finished(self, call: Call) -> Call:
        """What can be known of a call before it is stored; no prices are loaded until the store is open."""
        if self._outlet is None:
            self._tried = False
            return call
        call = priced(call, self._outlet.prices)
        try:
            self._charge(call)
        except Exception:  # noqa: BLE001 - a budget must not cost a call
            swallowed("charging a call to a budget")
        return call

    async def _export(self, exporter: Exporter, batch: Batch) -> None:
        import anyio

        try:
            with anyio.fail_after(EXPORT_TIMEOUT_S):
                await exporter.export(batch)
        except Exception:  # noqa: BLE001 - a plug-in's failure is counted and stops nobody
            self._tally.failures += 1
            swallowed(f"the exporter {type(exporter).__name__}")


async def _close(what: Store | Exporter, doing: str) -> None:
    try:
        await what.close()
    except Exception:  # noqa: BLE001 - a plug-in's failure stops nobody
        swallowed(doing)
