"""Passing on what was stored, on a loop of its own: recording waits for no exporter."""

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from miharu._guard import swallowed
from miharu.batch import Batch
from miharu.exporters.base import Exporter, Flushes, TellsLosses
from miharu.recorder.counters import Counters
from miharu.recorder.threads.loop import LoopEnded, LoopThread

if TYPE_CHECKING:
    import anyio

__all__ = ("Exports",)

TIMEOUT_S = 10.0
"""Seconds for one batch; an export that takes longer is cut off and counted as a failure."""
MOST = 200
"""Batches that wait for one exporter; what comes then is not passed on to it, and counted as a failure."""

logger = logging.getLogger("miharu")


class Exports:
    """Passes each batch to every exporter, in order."""

    def __init__(self, exporters: Sequence[Exporter], loop: LoopThread, counters: Counters) -> None:
        """Prepare.

        Args:
            exporters: Who is told.
            loop: On which they run.
            counters: Where failures are counted.
        """
        self._loop = loop
        self._counters = counters
        self._queues = [_Queue(exporter) for exporter in exporters]

    def put(self, batch: Batch) -> None:
        """Pass a batch on to every exporter, without waiting."""
        for queue in self._queues:
            if len(queue.waiting) + len(queue.left) >= MOST:
                self._counters.failed_exports += 1
                if not queue.is_behind:
                    queue.is_behind = True
                    logger.warning(
                        "miharu: the exporter %s is %d batches behind, and misses what comes until it has "
                        "caught up.",
                        type(queue.exporter).__name__,
                        MOST,
                    )
                continue
            queue.left.append(batch)
            try:
                while queue.left:
                    sent = self._loop.start_soon(self._export, queue, queue.left[0])
                    queue.left.popleft()
                    queue.waiting.add(sent)
                    sent.add_done_callback(queue.waiting.discard)
            except LoopEnded:
                continue  # no thread can be started: at the end of the program it is done without one

    @property
    def lost(self) -> int:
        """What exporters could not deliver, as far as they tell."""
        return sum(queue.exporter.lost for queue in self._queues if isinstance(queue.exporter, TellsLosses))

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put is passed on; whether that was done in time (seconds)."""
        until = time.monotonic() + timeout
        waiting = [sent for queue in self._queues for sent in list(queue.waiting)]
        if waiting and wait(waiting, max(0.0, timeout)).not_done:
            return False
        try:
            flushing = [
                self._loop.start_soon(_flush, queue.exporter)
                for queue in self._queues
                if isinstance(queue.exporter, Flushes)
            ]
        except LoopEnded:
            return False
        return not flushing or not wait(flushing, max(0.0, until - time.monotonic())).not_done

    def close(self, timeout: float) -> None:
        """Pass on what can be in that time (seconds), and let go of the exporters."""
        if not self._queues:
            return
        until = time.monotonic() + timeout
        if any(queue.left for queue in self._queues):
            self._pass_on_here(max(0.0, timeout))
            return
        self.flush(timeout)
        try:
            closing = [self._loop.start_soon(_close, queue.exporter) for queue in self._queues]
            wait(closing, max(0.0, until - time.monotonic()) + 1.0)
        except LoopEnded:
            return

    def _pass_on_here(self, timeout: float) -> None:
        """Pass on and close on this thread, since the loop could not be started any more."""
        try:
            self._loop.run_here(self._pass_on, timeout=timeout)
        except RuntimeError:
            swallowed("passing on the last calls")
        self._counters.failed_exports += sum(len(queue.left) for queue in self._queues)

    async def _pass_on(self) -> None:
        for queue in self._queues:
            while queue.left:
                await self._export(queue, queue.left[0])
                queue.left.popleft()
            if isinstance(queue.exporter, Flushes):
                await _flush(queue.exporter)
            await _close(queue.exporter)

    async def _export(self, queue: "_Queue", batch: Batch) -> None:
        import anyio

        if queue.turn is None:
            queue.turn = anyio.Lock()  # tasks that wait for it get it in order
        async with queue.turn:
            try:
                with anyio.fail_after(TIMEOUT_S):
                    await queue.exporter.export(batch)
            except Exception:  # noqa: BLE001 - a plug-in's failure is counted and affects no other
                self._counters.failed_exports += 1
                swallowed(f"the exporter {type(queue.exporter).__name__}")
            queue.is_behind = queue.is_behind and len(queue.waiting) > 1


class _Queue:
    """What waits for one exporter."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter
        self.waiting: set[Future[None]] = set()
        self.left: deque[Batch] = deque()
        """What could not be put on the loop."""
        self.turn: anyio.Lock | None = None
        self.is_behind = False


async def _flush(exporter: Flushes) -> None:
    try:
        await exporter.flush()
    except Exception:  # noqa: BLE001 - a plug-in's failure affects no other
        swallowed("flushing an exporter")


async def _close(exporter: Exporter) -> None:
    try:
        await exporter.close()
    except Exception:  # noqa: BLE001 - a plug-in's failure affects no other
        swallowed("closing an exporter")
