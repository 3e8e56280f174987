"""An asyncio loop in a thread of its own, for what waits on the network or for threads.

It is started by what needs it first, and so in no program that records into SQLite and is never looked at.
"""

import contextvars
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from miharu.recorder.threads.last_loop import LastLoop

__all__ = ("LoopEnded", "LoopThread")

T = TypeVar("T")

_parents: list[object] = []

SLICE_S = 0.1
"""How long a thread waits for an answer before it does something else meanwhile."""


class LoopEnded(RuntimeError):  # noqa: N818 - a state of affairs
    """The loop has ended before it could answer."""


class LoopThread:
    """Runs coroutines for threads and for other loops."""

    def __init__(self, name: str, unseen: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        """Prepare; the thread starts when it is needed.

        Args:
            name: The thread's.
            unseen: A block whose requests are not recorded: all that runs here is our own affair.
        """
        self.name = name
        self._unseen = unseen
        self._portal: BlockingPortal | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._ended = False
        self._last: LastLoop | None = None

    @property
    def running(self) -> bool:
        return self._portal is not None

    def run(
        self, function: Callable[..., Awaitable[T]], *args: Any, meanwhile: Callable[[], object] = bool
    ) -> T:
        """What the function comes to, for a thread that waits for it.

        At the end of a program, when no thread can be started any more, it runs on the calling one.

        Args:
            function: Awaited on the loop.
            args: Its arguments.
            meanwhile: Called about ten times a second while it takes its time.

        Raises:
            LoopEnded: There is no answer.
        """
        try:
            future = self.start_soon(function, *args)
        except LoopEnded as error:
            if (last := self._last_loop(error)) is None:
                raise
            return last.run(lambda: _awaited(self._unseen, function, args), meanwhile, SLICE_S)
        while True:
            try:
                return future.result(SLICE_S)
            except TimeoutError:
                if future.done():
                    raise  # its own
                meanwhile()
            except CancelledError:
                raise LoopEnded("The loop has ended.") from None

    async def call(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        """What the function comes to, for a coroutine of another loop, of asyncio or trio.

        Raises:
            LoopEnded: There is no answer.
        """
        import anyio

        portal = await anyio.to_thread.run_sync(self._started) if self._portal is None else self._portal
        try:
            return await portal.call_async(_awaited, self._unseen, function, args)
        except (CancelledError, RuntimeError) as error:
            if self._portal is portal and not isinstance(error, CancelledError):
                raise  # the function's own
            raise LoopEnded("The loop has ended.") from error

    def start_soon(self, function: Callable[..., Awaitable[T]], *args: Any) -> "Future[T]":
        """Start the function without waiting; the returned future has its result.

        Raises:
            LoopEnded: There is no loop any more.
        """
        portal = self._portal or self._started()
        try:
            return portal.start_task_soon(_awaited, self._unseen, function, args)
        except RuntimeError as error:
            raise LoopEnded("The loop has ended.") from error

    def run_here(self, function: Callable[..., Awaitable[object]], *args: Any, timeout: float) -> bool:
        """Run the function on the calling thread; whether it came to its end in time (seconds).

        For the end of a program, when no thread can be started any more (Python 3.12).

        Raises:
            RuntimeError: A loop runs on this thread.
        """
        import anyio

        ended = False

        async def bounded() -> None:
            nonlocal ended
            with anyio.move_on_after(timeout):
                await _awaited(self._unseen, function, args)
                ended = True

        anyio.run(bounded, backend="asyncio")
        return ended

    def stop(self, timeout: float = 5.0, *, for_good: bool = True) -> bool:
        """Break off what runs and end the thread; whether it has ended in time (seconds)."""
        with self._starting:
            self._ended = for_good
            portal, thread = self._portal, self._thread
            self._portal = self._thread = None
        if self._last is not None:
            self._last.close()
        if portal is None or thread is None:
            return True
        with suppress(RuntimeError):
            portal.start_task_soon(portal.stop, True)  # noqa: FBT003 - "cancel what remains"
        thread.join(timeout)
        return not thread.is_alive()

    def after_fork_in_child(self) -> None:
        """Make a new loop when one is needed next.

        What is left of the parent's loop is let be: closed here, it would close things there.
        """
        _parents.append((self._portal, self._thread))
        self._portal = self._thread = self._last = None
        self._starting = threading.Lock()

    def _started(self) -> "BlockingPortal":
        with self._starting:
            if self._ended:
                raise LoopEnded("The loop has ended.")
            if self._portal is None:
                self._start()
            assert self._portal is not None
            return self._portal

    def _last_loop(self, error: LoopEnded) -> "LastLoop | None":
        """One on the calling thread, where the loop could not begin because the program ends."""
        from miharu.recorder.threads.last_loop import LastLoop, is_ending

        if self._last is None:
            if not isinstance(error.__cause__, RuntimeError) or not is_ending(error.__cause__):
                return None
            self._last = LastLoop()
        return self._last if self._last.belongs_here() else None

    def _start(self) -> None:
        ready: Future[BlockingPortal] = Future()
        # an empty context: one request's variables must not live as long as the process
        thread = threading.Thread(
            target=contextvars.Context().run, args=(_run, ready), name=self.name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # there are too many, or the program is ending
            raise LoopEnded(f"{self.name} could not be started: {error}.") from error
        self._portal, self._thread = ready.result(), thread


def _run(ready: "Future[BlockingPortal]") -> None:
    import anyio
    from anyio.from_thread import BlockingPortal

    async def serve() -> None:
        async with BlockingPortal() as portal:
            ready.set_result(portal)
            await portal.sleep_until_stopped()

    try:
        anyio.run(serve, backend="asyncio")
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        if not ready.done():
            ready.set_exception(error)


async def _awaited(
    unseen: Callable[[], AbstractContextManager[object]],
    function: Callable[..., Awaitable[T]],
    args: tuple[Any, ...],
) -> T:
    with unseen():
        return await function(*args)
