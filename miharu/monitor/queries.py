"""The queries of pages, the command line and budgets.

They run on a loop of their own, which the first of them starts.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

from miharu.errors import StoreError
from miharu.recorder.threads.imports import importing
from miharu.recorder.threads.loop import LoopEnded, LoopThread
from miharu.stores.base import Questions, Store

__all__ = ("StoreQueries",)

T = TypeVar("T")
P = ParamSpec("P")

AGAIN_S = 1.0
"""How long a failed attempt to open the store also answers the next questions."""
CLOSE_S = 5.0


class StoreQueries:
    """Opens the querying side of the store when it is first needed, and queries it."""

    def __init__(
        self,
        store: Callable[[], Store],
        loop: LoopThread,
        first: Callable[[], Awaitable[None]] | None = None,
        before: Callable[[Questions], Awaitable[None]] | None = None,
    ) -> None:
        """Prepare; nothing is open before the first query.

        Args:
            store: Makes the store.
            loop: On which it is queried.
            first: Awaited before each query of ``read``, be the store open or not.
            before: The same, once it is open.
        """
        self._first = first
        self._before = before
        self._store = store
        self._loop = loop
        self._open: Questions | None = None
        self._opening: object | None = None
        self._refusal: StoreError | None = None
        self._refused_at = 0.0
        self._ended = False

    @property
    def questions(self) -> Questions:
        """What answers; for functions that are awaited on the loop.

        Raises:
            StoreError: It is not open.
        """
        if self._open is None:
            raise self._unusable()
        return self._open

    async def read(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function on the loop, once the store is open, from any loop of asyncio or trio.

        Raises:
            StoreError: The store cannot be used at the moment.
        """
        try:
            return await self._loop.call(self._asked, lambda: function(*args, **kwargs), True)  # noqa: FBT003 - the loop's
        except LoopEnded as error:
            raise self._unusable() from error

    def read_sync(self, function: Callable[[], Awaitable[T]]) -> T:
        """Like ``read``, for code without a loop."""
        return self._answer(function, prepared=True)

    def ask(self, function: Callable[[Questions], Awaitable[T]], meanwhile: Callable[[], object]) -> T:
        """The result of the function, for the recorder's thread; ``meanwhile`` is called again and again."""
        return self._answer(lambda: function(self.questions), meanwhile)

    def open(self, meanwhile: Callable[[], object]) -> None:
        """Open it, which takes a while the first time."""
        if self._open is None:
            self.ask(_nothing, meanwhile)

    def _answer(
        self,
        function: Callable[[], Awaitable[T]],
        meanwhile: Callable[[], object] = bool,
        *,
        prepared: bool = False,
    ) -> T:
        try:
            answer: T = self._loop.run(self._asked, function, prepared, meanwhile=meanwhile)
        except LoopEnded as error:
            raise self._unusable() from error
        return answer

    def close(self, timeout: float, *, for_good: bool = True) -> bool:
        """Let go of it and end the loop; what is not answered by then is refused.

        Args:
            timeout: Seconds.
            for_good: Whether no other question may follow.
        """
        self._ended = for_good
        until = time.monotonic() + timeout
        if self._loop.running:
            with suppress(LoopEnded, TimeoutError):
                self._loop.start_soon(self._close).result(timeout)
        return self._loop.stop(max(0.1, until - time.monotonic()), for_good=for_good)

    async def _asked(self, function: Callable[[], Awaitable[T]], prepared: bool) -> T:  # noqa: FBT001 - the loop's
        if prepared and self._first is not None:
            await self._first()
        if self._open is None:
            await self._make_open()
        if prepared and self._before is not None:
            await self._before(self.questions)
        return await function()

    async def _make_open(self) -> None:
        import anyio

        if self._opening is None:
            self._opening = anyio.Lock()
        assert isinstance(self._opening, anyio.Lock)
        async with self._opening:
            if self._open is not None:
                return
            if self._refusal is not None and time.monotonic() - self._refused_at < AGAIN_S:
                raise self._refusal
            try:
                with importing():
                    questions = self._store().questions()
                await questions.open()
            except StoreError as error:
                self._refusal, self._refused_at = error, time.monotonic()
                raise
            self._open, self._refusal = questions, None

    async def _close(self) -> None:
        questions, self._open = self._open, None
        if questions is not None:
            await questions.close()

    def _unusable(self) -> StoreError:
        if self._ended:
            return StoreError("miharu was shut down in this process.")
        return self._refusal or StoreError("The database was closed meanwhile; ask again.")


async def _nothing(_: Questions) -> None: ...
