"""The background thread, which records.

It sleeps until a call rings, waits a moment for others to come along, and stores them together. It has no
event loop, and serves asyncio hosts, trio hosts and plain scripts alike. A failure of ours ends one run of
it, not the thread: the next begins after a pause that grows, as long as they keep failing.
"""

import contextvars
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from miharu._guard import say_once, swallowed
from miharu.errors import StoreError
from miharu.recorder.threads.endings import before_the_end, forget, remember
from miharu.recorder.threads.orders import Flush, Orders, TakeIn
from miharu.recorder.threads.patched import is_patched

if TYPE_CHECKING:
    from miharu.batch import Batch
    from miharu.recorder.run import Run

__all__ = ("Recorder",)

PAUSE_S = (0.1, 30.0)
"""The first and the longest pause after a run has failed."""
HEALTHY_S = 60.0
"""A run that lasted that long does not count as one more failure."""
WATCH_S = 0.25
"""Between two looks, of a thread that waits for it, whether the recorder still works."""
SALVAGE_S = 2.0
"""How long a program that ends may be held up to spool what the recorder did not come to."""


class Recorder:
    """Records what is left in the queue. Started once per process; a fork gets a new one."""

    def __init__(
        self,
        make_run: "Callable[[Orders], Run | None]",
        *,
        at_exit: Callable[[], object] | None = None,
        unseen: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Prepare; the thread starts with ``start``.

        Args:
            make_run: What the thread does, again after each failure; ``None`` where there is nothing to do.
            at_exit: What to do when the process ends, if it is more than to stop.
            unseen: A block whose requests are not recorded.
        """
        self.running = False
        self.orders = Orders()
        self._make_run = make_run
        self._at_exit = at_exit or self.stop
        self._unseen = unseen
        self._run: Run | None = None
        # re-entrant: a collection in the middle of start() may finish an exchange, which comes here again
        self._starting = threading.RLock()
        self._not_before = 0.0
        self._pause = PAUSE_S[0]
        self._halt = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._was_patched = is_patched()

    @property
    def has_started(self) -> bool:
        """Whether its thread was ever asked to start."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread, unless it runs, was stopped for good, or could not be started a moment ago."""
        with self._starting:
            if self.running or self.orders.stopping or time.monotonic() < self._not_before:
                return
            if self._thread is None:
                before_the_end(self._at_exit)
                self._say_that_gevent_is_late()
            self._done.clear()
            thread = None
            try:
                # an empty context: one request's variables must not live as long as the process
                thread = threading.Thread(
                    target=contextvars.Context().run, args=(self._work,), name="miharu", daemon=True
                )
                self._thread, self.running = thread, True
                thread.start()
            except RuntimeError as error:  # there are too many, or none are allowed, or the program is ending
                self.running = False
                self._not_before = time.monotonic() + self._longer_pause()
                say_once("no thread could be started (%s), so no call is recorded until one can be.", error)
            except BaseException:  # the user's hand, while it starts or before
                self.running = thread is not None and thread.is_alive()
                raise

    def ring(self) -> None:
        """Wake the recorder for a call; for callers that have seen it asleep."""
        self.orders.calls.ring()
        if not self.running:
            self.start()

    def hurry(self) -> None:
        """Wake the recorder at once."""
        self.orders.hurry()
        if not self.running:
            self.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Store what there is, close and end the thread; runs at exit as well. It starts no thread.

        Returns whether that was done in time (seconds).
        """
        self.orders.stopping = True
        forget(self._at_exit)
        if not self.running or self._pid != os.getpid():
            return True
        until = time.monotonic() + timeout
        self._halt.set()
        self.orders.hurry()
        if not self._done.wait(timeout):
            return False
        if self._thread is not None:  # one that the end of the program overtakes may crash it
            self._thread.join(max(0.0, until - time.monotonic()))
        return True

    def spool_remaining(self, unread: Callable[[], object] = bool) -> None:
        """Spool what a recorder that does not end, or has ended badly, did not come to.

        Args:
            unread: Spools exchanges unread, which is quicker than to read them.
        """
        try:
            unread()
            run = self._run or self._make_run(self.orders)
            if run is not None:
                run.pipeline.spool_remaining(time.monotonic() + SALVAGE_S)
        except Exception:  # noqa: BLE001 - the program is ending
            swallowed("spooling what was left")

    def begin_nothing(self) -> None:
        """Begin no new work, because the program is about to fork."""
        self.orders.for_good = False
        self.orders.stopping = True

    def park(self, timeout: float) -> bool:
        """Like ``stop``, for a fork."""
        self.begin_nothing()
        return self.stop(timeout)

    def go_on(self) -> None:
        """Undo a ``stop`` that was not finished in time."""
        self.orders.stopping = False
        self.orders.for_good = True
        self._halt.clear()
        remember(self._at_exit)
        self.start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything left so far is stored; whether it runs, and did that in time (seconds)."""
        if not self.running:
            return False
        flush = Flush()
        self.orders.flushes.append(flush)
        self.orders.hurry()
        return flush.done.wait(timeout)

    def take_in(self, batch: "Batch", timeout: float) -> None:
        """Store a batch that another program has sent, and wait for that (seconds).

        Raises:
            StoreError: It is not stored, or it is not known whether it is.
        """
        order, until = TakeIn(batch), time.monotonic() + timeout
        self.orders.take_ins.append(order)
        self.ring()
        while not order.done.wait(WATCH_S):
            if not self.running:
                raise StoreError("This miharu records nothing at the moment. Send it again.")
            if time.monotonic() >= until:
                order.give_up()
                raise StoreError(f"The database has taken longer than {timeout:g} s. Send it again.")
        if order.refusal is not None:
            raise order.refusal

    def _say_that_gevent_is_late(self) -> None:
        if is_patched() and not self._was_patched:
            say_once(
                "gevent.monkey.patch_all() was called after miharu.init(). Calls are recorded, but threads "
                "that began before may end with a KeyError in the log. Call it first, before all imports."
            )

    def _work(self) -> None:
        if threading.current_thread() is not self._thread:
            return  # its start was interrupted, and another has taken its place
        try:
            while not self._works_to_its_end():
                if self.orders.stopping or self._halt.wait(self._longer_pause()):
                    break
        finally:
            self.running = False
            self.orders.asleep = True
            self._done.set()

    def _works_to_its_end(self) -> bool:
        """One run; whether it was told to stop, and did not fail."""
        began = time.monotonic()
        try:
            with self._unseen():
                self._run = run = self._make_run(self.orders)
                if run is not None:
                    run()
        except BaseException:  # noqa: BLE001 - no exception may end the thread
            if time.monotonic() - began >= HEALTHY_S:
                self._pause = PAUSE_S[0]
            self._run = None
            swallowed("the recorder")
            return False
        return True

    def _longer_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, PAUSE_S[1])
        return pause
