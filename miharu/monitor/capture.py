"""``with miharu.capture() as calls:`` the calls that are made in a block, in memory: for tests, and to look.

Where ``miharu.init()`` was called they are stored as well, as always. Where it was not, miharu watches for
as long as a capture is open, and stores nothing.
"""

import threading
import time
from dataclasses import replace
from types import TracebackType

from miharu.attribution import captures, context
from miharu.attribution.captures import Capturing
from miharu.attribution.context import Block, Context
from miharu.config import NOWHERE, Config
from miharu.monitor import process
from miharu.monitor.calls import Calls
from miharu.monitor.monitor import Monitor

__all__ = ("Capture", "capture", "flush", "watch")

FLUSH_S = 10.0
"""How long the end of a block waits for its calls to be read."""


class Capture(Block):
    """A block whose calls are kept in a list. It is used once."""

    __slots__ = ("_capturing", "calls")

    def __init__(self) -> None:
        self.calls = Calls(flush)

    def __enter__(self) -> Calls:
        watch.begin()
        return self._open()

    def _open(self) -> Calls:
        here = context.current() or Context()
        self._capturing = Capturing(self.calls, here.capturing)
        captures.start(self._capturing, time.perf_counter_ns())
        self.enter(replace(here, block=self, capturing=self._capturing))
        return self.calls

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()
        self._finish()

    async def __aenter__(self) -> Calls:
        import anyio

        await anyio.to_thread.run_sync(watch.begin)  # which waits where another block is just ending
        return self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import anyio

        self._close()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._finish)

    def _close(self) -> None:
        self._capturing.until = time.perf_counter_ns()
        self.leave()

    def _finish(self) -> None:
        flush()
        captures.end(self._capturing)
        self.calls.settle()
        watch.end()


def capture() -> Capture:
    """The calls that are made in the block, as ``with miharu.capture() as calls:`` or ``async with``.

    Calls of other tasks belong to it only where they were started in the block. A call from where Python has
    lost the context, such as a thread of one's own, belongs to every capture that is open at that moment.
    The list is complete when the block ends; looked at before, it waits for what is on its way.
    """
    return Capture()


class _Watch:
    """Watches calls for as long as a capture is open, where ``miharu.init()`` was not called."""

    def __init__(self) -> None:
        self.monitor: Monitor | None = None
        self._wanted = 0
        self._changing = threading.Lock()

    def begin(self) -> None:
        with self._changing:
            self._wanted += 1
            if self.monitor is None and process.current() is None:
                self.monitor = Monitor(Config(database=NOWHERE))
                self.monitor.start()

    def end(self) -> None:
        with self._changing:
            self._wanted -= 1
            done = None if self._wanted else self.monitor
            if done is not None:
                self.monitor = None
                done.stop(FLUSH_S)


watch = _Watch()


def flush() -> None:
    """Wait until every call so far is read."""
    for watching in (process.current(), watch.monitor):
        if watching is not None:
            watching.flush(FLUSH_S)
