"""One run of the worker's loop: open the store, then turn after turn until it is told to stop.

Beside the turns something watches them: what waits for a store that does not open, refuses or takes its time
goes to the spool, and losses are said.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from miharu._guard import swallowed
from miharu.errors import StoreError
from miharu.recorder.budgets import Ledger
from miharu.recorder.chores import Chores, Retention
from miharu.recorder.pipeline import Outlet, Pipeline
from miharu.recorder.tally import Losses

if TYPE_CHECKING:
    import anyio
    from anyio.from_thread import BlockingPortal

__all__ = ("Equipment", "Orders", "Shift")

logger = logging.getLogger("miharu")

POLL_S = 0.05
"""A call is stored within this time, and a few milliseconds."""
WATCH_S = 0.25
BACK_OFF_S = (0.1, 30.0)
"""The first and the longest wait after the store has refused."""
CLOSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a shift works with; made on the worker's thread, because it imports a lot."""

    pipeline: Callable[[], Pipeline]
    """Quickly: what is needed to read calls and to spool them."""
    outlet: Callable[[], Outlet]
    """In its own time: the store and the prices. It runs beside the loop."""
    losses: Callable[[], int]
    """How many calls were lost so far."""
    last_write: Callable[[], object]
    ledger: Ledger | None = None
    retention: Retention | None = None
    """``None`` for those who only read: they look after nothing, and get refusals as exceptions."""


@dataclass(slots=True)
class Orders:
    """What other threads want."""

    stopping: bool = False
    for_good: bool = True
    """The program ends, or shuts us down; else it only forks."""
    flushes: deque[Future[None]] = field(default_factory=deque)


class Shift:
    """Runs on the worker's thread; ``wake`` alone may be called from others."""

    def __init__(self, equipment: Equipment, orders: Orders, settled: Callable[[], object]) -> None:
        """Prepare.

        Args:
            equipment: What to work with.
            orders: What others want.
            settled: Told when nothing more is being imported.
        """
        self.portal: BlockingPortal | None = None
        self.pipeline: Pipeline | None = None
        self.refusal: StoreError | None = None
        self.wake: Callable[[], object] = bool
        self._equipment = equipment
        self._orders = orders
        self._settled = settled
        self._outlet: Outlet | None = None
        self._losses = Losses()
        self._opened: anyio.Event | None = None
        self._roused: anyio.Event | None = None

    async def run(self) -> None:
        """Work until it is told to stop."""
        import asyncio

        import anyio
        from anyio.from_thread import BlockingPortal

        self._opened = anyio.Event()
        self.wake = partial(asyncio.get_running_loop().call_soon_threadsafe, self._rouse)
        async with BlockingPortal() as portal, anyio.create_task_group() as tasks:
            self.pipeline = pipeline = self._equipment.pipeline()
            self.portal = portal
            try:
                tasks.start_soon(self._watch, pipeline)
                await self._work(pipeline)
            finally:
                self.portal = None  # it takes no more questions
                tasks.cancel_scope.cancel()
                self._opened.set()
                with anyio.move_on_after(CLOSE_S, shield=True):
                    if self._equipment.ledger is not None:
                        await self._equipment.ledger.close()
                    await pipeline.close()
                self._losses.end()

    async def wait_until_open(self) -> None:
        """Return once the store was opened, or has refused for the first time."""
        if self._opened is not None:
            await self._opened.wait()

    async def _work(self, pipeline: Pipeline) -> None:
        import anyio

        chores = Chores(pipeline, self._equipment.retention)
        orders, delay = self._orders, BACK_OFF_S[0]
        try:
            while True:
                self._roused = anyio.Event()  # whoever wakes us from here on is not overheard
                stopping = orders.stopping  # read first: what was left before a stop is drained below
                if stopping and pipeline.store is None and pipeline.is_empty:
                    return  # a short program that made no call does not wait for the store
                flushes = [orders.flushes.popleft() for _ in range(len(orders.flushes))]
                try:
                    await self._turn(pipeline, chores)
                except StoreError as error:
                    orders.flushes.extendleft(reversed(flushes))
                    if stopping:
                        await pipeline.spill()
                    self._refused(error)
                    if not stopping:
                        await self._rest(delay)
                        delay = min(delay * 2, BACK_OFF_S[1])
                        continue
                else:
                    delay = BACK_OFF_S[0]
                    await self._reckon(pipeline, at_once=bool(flushes))
                    for flush in flushes:
                        flush.set_result(None)
                if stopping:
                    if orders.for_good and pipeline.store is not None and self.refusal is None:
                        await chores.finish()
                    return
                more = await chores.step(written=self._equipment.last_write(), idle=pipeline.is_empty)
                await self._rest(0 if more else POLL_S)
        finally:
            chores.close()

    async def _turn(self, pipeline: Pipeline, chores: Chores) -> None:
        if pipeline.store is None:
            if self._outlet is None:
                try:
                    self._outlet = await _beside_the_loop(self._equipment.outlet)
                finally:
                    self._settled()
            await pipeline.open(self._outlet)
        if self._opened is not None:
            self._opened.set()
        await pipeline.drain()
        if self.refusal is not None:
            logger.warning("miharu: recording again.")
            self.refusal = None
            chores.look_again()

    async def _reckon(self, pipeline: Pipeline, *, at_once: bool) -> None:
        """See how the budgets stand, now that all of this process's own is stored."""
        ledger = self._equipment.ledger
        if ledger is not None and pipeline.store is not None:
            await ledger.refresh(pipeline.store, at_once=at_once)

    async def _watch(self, pipeline: Pipeline) -> None:
        import anyio

        while True:
            await anyio.sleep(WATCH_S if pipeline.store else POLL_S)
            now = time.monotonic()
            try:
                await pipeline.relieve(now)
            except Exception:  # noqa: BLE001 - the turns must go on
                swallowed("spooling")
            self._losses.look(self._equipment.losses(), now)

    def _refused(self, error: StoreError) -> None:
        if self._opened is not None:
            self._opened.set()
        if self._equipment.retention is not None and str(error) != str(self.refusal):
            logger.warning(
                "miharu: %s Calls are kept until it takes them; your program is not affected.", error
            )
        self.refusal = error

    async def _rest(self, seconds: float) -> None:
        """Sleep, unless somebody has woken us since the turn began."""
        import anyio
        import anyio.lowlevel

        await anyio.lowlevel.checkpoint()
        if self._roused is not None and seconds > 0:
            with anyio.move_on_after(seconds):
                await self._roused.wait()

    def _rouse(self) -> None:
        if self._roused is not None:
            self._roused.set()


async def _beside_the_loop(work: Callable[[], Outlet]) -> Outlet:
    """The result of something that imports a lot, while the loop goes on with what it can do already."""
    import asyncio

    done: asyncio.Future[Outlet] = asyncio.get_running_loop().create_future()

    def run() -> None:
        found: Outlet | None = None
        failure: BaseException | None = None
        try:
            found = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            failure = error
        with suppress(RuntimeError):  # the loop has failed meanwhile
            done.get_loop().call_soon_threadsafe(settle, found, failure)

    def settle(found: Outlet | None, failure: BaseException | None) -> None:
        if done.done():
            return
        if found is not None:
            done.set_result(found)
        else:
            done.set_exception(failure or RuntimeError("nothing was made"))

    # a thread of our own: one of a pool would linger, and a fork warns about it
    thread = threading.Thread(target=Context().run, args=(run,), name="miharu-imports", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the program is ending, and starts no thread any more
        return work()
    try:
        return await done
    finally:
        thread.join()
