"""What happens to an exchange after the queue: read, priced, stored, exported."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import time

from miharu._guard import swallowed
from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.exchange import Exchange
from miharu.exporters.base import Exporter
from miharu.pricing.base import Prices
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reader import Reader
from miharu.stores.base import Store

__all__ = ("Pipeline", "Tally")

BATCH = 500
"""Calls per transaction."""
READ_AT_ONCE = 20
"""Exchanges between two looks at whoever else waits for the loop, pages above all."""
EXPORT_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Tally:
    """What this process has done."""

    captured: int = 0
    written: int = 0
    unpriced: int = 0
    estimated: int = 0
    unstorable: int = 0
    """Calls that no store could take, and that were lost."""
    failures: int = 0
    """Writes and exports that failed; a failed write is tried again."""
    last_write: float | None = None
    """Unix seconds."""


class Pipeline:
    """Runs on the worker's loop. A batch that the store refuses is kept and tried again."""

    def __init__(
        self,
        store: Store,
        *,
        reader: Reader | None = None,
        prices: Prices | None = None,
        exporters: Sequence[Exporter] = (),
        tally: Tally,
    ) -> None:
        self.store = store
        self._reader = reader
        self._prices = prices
        self._exporters = exporters
        self._tally = tally

    async def drain(self, queue: ExchangeQueue) -> None:
        """Store everything that was left in the queue so far.

        Raises:
            StoreError: The store refuses; nothing is lost yet.
        """
        while True:
            if queue.pending:
                await self._keep(queue.pending)
                queue.pending = []
            exchanges = queue.take(BATCH)
            if not exchanges:
                return
            queue.pending = await self._read(exchanges)

    async def close(self) -> None:
        """Let go of store and exporters."""
        for exporter in self._exporters:
            try:
                await exporter.close()
            except Exception:  # noqa: BLE001 - a plug-in's failure stops nobody
                swallowed("closing an exporter")
        await self.store.close()

    async def _read(self, exchanges: Sequence[Exchange]) -> list[Call]:
        import anyio.lowlevel

        calls = []
        for number, exchange in enumerate(exchanges, start=1):
            try:
                call = self._reader.read(exchange) if self._reader else None
                if call is not None:
                    calls.append(self._priced(call))
            except Exception:  # noqa: BLE001 - one exchange that cannot be read must not take others with it
                swallowed("reading a call")
            if number % READ_AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
        self._tally.captured += len(calls)
        return calls

    def _priced(self, call: Call) -> Call:
        if call.cost is not None or self._prices is None:
            return call
        try:
            return replace(call, cost=self._prices.cost(call))
        except Exception:  # noqa: BLE001 - no price is better than no call
            swallowed("pricing a call")
            return call

    async def _keep(self, calls: Sequence[Call]) -> None:
        try:
            await self.store.add(Batch(calls=calls))
        except StoreError:
            self._tally.failures += 1
            raise
        except Exception:  # noqa: BLE001 - one call that cannot be stored must not hold up the others
            if len(calls) > 1:
                for call in calls:
                    await self._keep([call])
                return
            self._tally.unstorable += 1
            swallowed("storing a call")
            return
        self._tally.written += len(calls)
        self._tally.unpriced += sum(call.is_unpriced for call in calls)
        self._tally.estimated += sum(call.usage.usage_source == "estimated" for call in calls)
        self._tally.last_write = time()
        for exporter in self._exporters:
            await self._export(exporter, calls)

    async def _export(self, exporter: Exporter, calls: Sequence[Call]) -> None:
        import anyio

        try:
            with anyio.fail_after(EXPORT_TIMEOUT_S):
                await exporter.export(Batch(calls=calls))
        except Exception:  # noqa: BLE001 - a plug-in's failure is counted and stops nobody
            self._tally.failures += 1
            swallowed(f"the exporter {type(exporter).__name__}")
