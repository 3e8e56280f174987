"""The thread behind the scenes, on which everything heavy is imported.

It has an asyncio loop of its own, so that it serves asyncio hosts, trio hosts and plain scripts alike; pages
read from the store through its portal. A failure ends its shift, not the thread: the next shift begins after
a pause that grows, as long as they keep failing.
"""

import contextvars
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import thread as _  # noqa: F401 - somebody may want it at exit, when it cannot load
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from miharu._guard import swallowed
from miharu.errors import StoreError
from miharu.recorder.endings import before_the_end, forget
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.shift import POLL_S, Equipment, Orders, Shift
from miharu.stores.base import Store

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

__all__ = ("Worker",)

T = TypeVar("T")
P = ParamSpec("P")

IMPORTS_TAKE_S = 5.0
PAUSE_S = (0.1, 30.0)
"""The first and the longest pause after a shift has failed."""
HEALTHY_S = 60.0
"""A shift that lasted that long does not count as one more failure."""
SALVAGE_S = 2.0
"""How long a program that ends may be held up to spool what the worker did not come to."""


class Worker:
    """Drains the queue. Started once per process; a fork gets a new one."""

    def __init__(self, equipment: Equipment, *, at_exit: Callable[[], object] | None = None) -> None:
        """Prepare; the thread starts with ``start``.

        Args:
            equipment: What it works with.
            at_exit: What to do when the process ends, if it is more than to stop.
        """
        self.running = False
        self._equipment = equipment
        self._at_exit = at_exit or self.stop
        self._orders = Orders()
        self._shift: Shift | None = None
        # re-entrant: a collection in the middle of start() may finish an exchange, which comes here again
        self._starting = threading.RLock()
        self._not_before = 0.0
        self._pause = PAUSE_S[0]
        self._halt = threading.Event()
        self._settled = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def start(self) -> None:
        """Start the thread, unless it runs, was stopped for good, or could not be started a moment ago."""
        with self._starting:
            if self.running or self._orders.stopping or time.monotonic() < self._not_before:
                return
            if self._thread is None:
                before_the_end(self._at_exit)
            self._done.clear()
            # an empty context: one request's variables must not live as long as the process
            thread = threading.Thread(
                target=contextvars.Context().run, args=(self._run,), name="miharu", daemon=True
            )
            self._thread, self.running = thread, True
            try:
                thread.start()
            except RuntimeError:  # there are too many, or the program is ending
                self.running = False
                self._not_before = time.monotonic() + self._longer_pause()
            except BaseException:  # the user's hand, while it starts or before
                self.running = thread.is_alive()
                raise

    def stop(self, timeout: float = 5.0) -> bool:
        """Store what there is, close and end the thread; runs at exit as well. It starts no thread.

        Returns whether that was done in time (seconds).
        """
        self._orders.stopping = True
        forget(self._at_exit)
        if not self.running or self._pid != os.getpid():
            return True
        self._halt.set()
        self.wake()
        return self._done.wait(timeout)

    def salvage(self) -> None:
        """Spool what a worker that does not end, or has ended badly, did not come to."""
        try:
            pipeline = self._pipeline or self._equipment.pipeline()
            pipeline.salvage(time.monotonic() + SALVAGE_S)
        except Exception:  # noqa: BLE001 - the program is ending
            swallowed("spooling what was left")

    def park(self, timeout: float) -> bool:
        """Like ``stop``, for a fork: in the middle of an import it waits longer.

        A module that is half imported here would be half imported in the child for ever.
        """
        self._orders.for_good = False
        return self.stop(timeout if self._settled.is_set() else IMPORTS_TAKE_S)

    def go_on(self) -> None:
        """Take back a ``stop`` that did not come to its end."""
        self._orders.stopping = False
        self._orders.for_good = True
        self._halt.clear()
        self.start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything left so far is stored; whether it runs, and did that in time (seconds)."""
        if not self.running:
            return False
        flushed: Future[None] = Future()
        self._orders.flushes.append(flushed)
        self.wake()
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
        with self._while_it_lasts(portal):
            return await portal.call_async(lambda: self._ask(function, *args, **kwargs))

    def read_sync(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, for code without a loop."""
        while (portal := self._reachable()) is None:
            time.sleep(POLL_S / 5)
        with self._while_it_lasts(portal):
            return portal.call(lambda: self._ask(function, *args, **kwargs))

    @property
    def store(self) -> Store:
        """The open store; for functions that ``read`` awaits."""
        store = self._pipeline.store if self._pipeline else None
        if store is None:
            raise self._unusable()
        return store

    @property
    def _pipeline(self) -> Pipeline | None:
        return self._shift.pipeline if self._shift else None

    def _reachable(self) -> "BlockingPortal | None":
        self.start()
        shift = self._shift
        if not self.running or (shift is None and self._pause > PAUSE_S[0]):
            raise self._unusable()
        return shift.portal if shift else None

    @contextmanager
    def _while_it_lasts(self, portal: "BlockingPortal") -> Iterator[None]:
        """What a shift has not answered by its end is refused; whoever asked was not cancelled."""
        try:
            yield
        except StoreError:
            raise
        except (CancelledError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and self._shift is not None and self._shift.portal is portal:
                raise  # the question's own
            raise self._unusable() from error

    def _unusable(self) -> StoreError:
        if self._shift is not None and self._shift.refusal is not None:
            return self._shift.refusal
        if not self._orders.stopping:
            return StoreError("miharu has failed in this process, and will try again; the log says why.")
        return StoreError("miharu was shut down in this process.")

    async def _ask(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        shift = self._shift
        if shift is not None:
            await shift.wait_until_open()
        if self._pipeline is None or self._pipeline.store is None:
            raise self._unusable()
        return await function(*args, **kwargs)

    def wake(self) -> None:
        """Have it look at once, and not in a moment."""
        shift = self._shift
        if shift is not None:
            try:
                shift.wake()
            except RuntimeError:  # its loop has just ended
                return

    def _run(self) -> None:
        if threading.current_thread() is not self._thread:
            return  # its start was interrupted, and another has taken its place
        try:
            while not self._works_to_its_end():
                if self._orders.stopping or self._halt.wait(self._longer_pause()):
                    break
        finally:
            self._settled.set()
            self.running = False
            self._done.set()

    def _works_to_its_end(self) -> bool:
        """One shift; whether it was told to stop, and did not fail."""
        began = time.monotonic()
        try:
            import anyio

            self._shift = shift = Shift(self._equipment, self._orders, self._settled.set)
            anyio.run(self._follow, shift, backend="asyncio")
        except BaseException:  # noqa: BLE001 - whatever it was, the thread must not end by it
            if time.monotonic() - began >= HEALTHY_S:
                self._pause = PAUSE_S[0]
            self._shift = None
            swallowed("the recorder")
            return False
        return True

    async def _follow(self, shift: Shift) -> None:
        await shift.run()

    def _longer_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, PAUSE_S[1])
        return pause
