"""The thread behind the scenes, on which everything heavy is imported.

It has an asyncio loop of its own, so that it serves asyncio hosts, trio hosts and plain scripts alike; pages
read from the store through its portal.
"""

import atexit
import contextvars
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import thread as _  # noqa: F401 - somebody may want it at exit, when it cannot load
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from miharu._guard import swallowed
from miharu.errors import StoreError
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.stores.base import Store

if TYPE_CHECKING:
    import anyio
    from anyio.from_thread import BlockingPortal

__all__ = ("Worker",)

logger = logging.getLogger("miharu")

T = TypeVar("T")
P = ParamSpec("P")

POLL_S = 0.05
"""A call is stored within this time, and a few milliseconds."""
IMPORTS_TAKE_S = 5.0
BACK_OFF_S = (0.1, 30.0)
"""The first and the longest wait after the store has refused."""


class Worker:
    """Drains the queue. Started once per process; a fork gets a new one."""

    def __init__(
        self,
        queue: ExchangeQueue,
        equip: Callable[[], Pipeline],
        *,
        complain: bool = True,
        at_exit: Callable[[], object] | None = None,
    ) -> None:
        """Prepare; the thread starts with ``start``.

        Args:
            queue: What callers have left.
            equip: Makes the pipeline, on the thread, because that imports a lot.
            complain: Whether a store that cannot be used is logged; whoever reads gets the exception.
            at_exit: What to do when the process ends, if it is more than to stop.
        """
        self.queue = queue
        self.running = False
        self._equip = equip
        self._complain = complain
        self._at_exit = at_exit or self.stop
        self._pipeline: Pipeline | None = None
        self._portal: BlockingPortal | None = None
        self._opened: anyio.Event | None = None
        self._roused: anyio.Event | None = None
        self._refusal: StoreError | None = None
        self._flushes: deque[Future[None]] = deque()
        self._wake: Callable[[], object] = bool
        # re-entrant: a collection in the middle of start() may finish an exchange, which comes here again
        self._starting = threading.RLock()
        self._stopping = False
        self._settled = threading.Event()
        self._done = threading.Event()
        self._pid = os.getpid()

    def start(self) -> None:
        """Start the thread, unless it runs or was stopped for good."""
        with self._starting:
            if self.running or self._stopping:
                return
            self._done.clear()
            self.running = True
            # an empty context: one request's variables must not live as long as the process
            threading.Thread(
                target=contextvars.Context().run, args=(self._run,), name="miharu", daemon=True
            ).start()
            atexit.register(self._at_exit)
            # a child of multiprocessing leaves by os._exit, past atexit, but runs its own finalizers
            if multiprocessing := sys.modules.get("multiprocessing.util"):
                multiprocessing.Finalize(None, self._at_exit, exitpriority=10)

    def stop(self, timeout: float = 5.0) -> bool:
        """Store what there is, close and end the thread; runs at exit as well. It starts no thread.

        Returns whether that was done in time (seconds).
        """
        self._stopping = True
        atexit.unregister(self._at_exit)
        if not self.running or self._pid != os.getpid():
            return True
        self._wake()
        return self._done.wait(timeout)

    def park(self, timeout: float) -> bool:
        """Like ``stop``, for a fork: in the middle of an import it waits longer.

        A module that is half imported here would be half imported in the child for ever.
        """
        return self.stop(timeout if self._settled.is_set() else IMPORTS_TAKE_S)

    def go_on(self) -> None:
        """Take back a ``stop`` that did not come to its end."""
        self._stopping = False
        self.start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything left so far is stored; whether that was done in time (seconds)."""
        if not self.running:
            return len(self.queue) == 0
        flushed: Future[None] = Future()
        self._flushes.append(flushed)
        self._wake()
        try:
            flushed.result(timeout)
        except TimeoutError:
            return False
        return True

    async def read(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function on the worker's loop, once the store is open, from any loop of asyncio or trio.

        Raises:
            StoreError: The store cannot be used at the moment.
        """
        import anyio

        while (portal := self._reachable()) is None:  # noqa: ASYNC110 - the thread sets it, not a task
            await anyio.sleep(POLL_S / 5)
        return await portal.call_async(lambda: self._ask(function, *args, **kwargs))

    def read_sync(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, for code without a loop."""
        while (portal := self._reachable()) is None:
            time.sleep(POLL_S / 5)
        return portal.call(lambda: self._ask(function, *args, **kwargs))

    @property
    def store(self) -> Store:
        """The open store; for functions that ``read`` awaits."""
        if self._pipeline is None:
            raise self._unusable()
        return self._pipeline.store

    def _reachable(self) -> "BlockingPortal | None":
        self.start()
        if not self.running:
            raise self._unusable()
        return self._portal

    def _unusable(self) -> StoreError:
        return self._refusal or StoreError("miharu was shut down in this process.")

    async def _ask(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._opened is not None:
            await self._opened.wait()
        if self._pipeline is None:
            raise self._unusable()
        return await function(*args, **kwargs)

    def _run(self) -> None:
        try:
            import anyio

            anyio.run(self._main, backend="asyncio")
        except BaseException:  # noqa: BLE001 - the thread ends here; the next call starts another
            swallowed("the recorder")
        finally:
            self._portal = self._pipeline = None
            self._settled.set()
            self._wake = bool
            self.running = False
            self._done.set()

    async def _main(self) -> None:
        import asyncio

        import anyio
        from anyio.from_thread import BlockingPortal

        self._opened = anyio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, self._rouse)
        async with BlockingPortal() as portal:
            self._portal = portal
            delay = BACK_OFF_S[0]
            while True:
                stopping = self._stopping  # read first: what was left before a stop is drained below
                if stopping and self._pipeline is None and len(self.queue) == 0:
                    break  # a short program that made no call does not wait for the store
                flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
                try:
                    await self._turn()
                except StoreError as error:
                    self._flushes.extendleft(reversed(flushes))
                    self._refused(error, stopping=stopping)
                    if not stopping:
                        await self._back_off(delay)
                        delay = min(delay * 2, BACK_OFF_S[1])
                        continue
                else:
                    delay = BACK_OFF_S[0]
                    for flush in flushes:
                        flush.set_result(None)
                if stopping:
                    break
                await self._rest(POLL_S)
            if self._pipeline is not None:
                await self._pipeline.close()

    async def _turn(self) -> None:
        if self._pipeline is None:
            try:
                pipeline = self._equip()
                await pipeline.store.open()
            finally:
                self._settled.set()
            self._pipeline = pipeline
        if self._opened is not None and not self._opened.is_set():
            self._opened.set()
        await self._pipeline.drain(self.queue)
        if self._refusal is not None:
            logger.warning("miharu: recording again.")
            self._refusal = None

    def _refused(self, error: StoreError, *, stopping: bool) -> None:
        if self._opened is not None:
            self._opened.set()
        if self._complain and str(error) != str(self._refusal):
            fate = "gives up" if stopping else "keeps calls in memory and tries again"
            logger.warning("miharu: %s It %s; your program is not affected.", error, fate)
        self._refusal = error

    async def _back_off(self, delay: float) -> None:
        until = time.monotonic() + delay
        while time.monotonic() < until and not self._stopping:
            await self._rest(POLL_S)

    async def _rest(self, seconds: float) -> None:
        """Sleep, unless somebody waits for us."""
        import anyio

        self._roused = anyio.Event()
        if not self._stopping and not self._flushes:
            with anyio.move_on_after(seconds):
                await self._roused.wait()

    def _rouse(self) -> None:
        if self._roused is not None:
            self._roused.set()
