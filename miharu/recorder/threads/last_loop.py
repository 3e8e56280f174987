"""A loop on the thread that waits for it, at the end of a program, when no thread can be started any more.

From Python 3.12 on, a program that has come to its last line starts none. A script whose only call is not
stored by then would leave it to the next program, if its database is a server.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ("LastLoop", "is_ending")

T = TypeVar("T")


def is_ending(error: RuntimeError) -> bool:
    """Whether a thread could not be started because the program ends, and not because there are too many."""
    return "shutdown" in str(error)


class LastLoop:
    """Runs coroutines one after the other, all on the thread that asked first."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._thread = threading.get_ident()

    def belongs_here(self) -> bool:
        """Whether the calling thread is the one that it runs on."""
        return self._thread == threading.get_ident()

    def run(self, awaited: Callable[[], Awaitable[T]], meanwhile: Callable[[], object], every: float) -> T:
        """What the function comes to.

        Args:
            awaited: Makes what is awaited.
            meanwhile: Called again and again while it takes its time.
            every: Seconds between two such calls.
        """

        async def watched() -> T:
            task: asyncio.Future[T] = asyncio.ensure_future(_as_coroutine(awaited))
            while not (await asyncio.wait({task}, timeout=every))[0]:
                meanwhile()
            return task.result()

        return self._runner.run(watched())

    def close(self) -> None:
        """Close it, unless its thread still uses it."""
        with suppress(RuntimeError):
            self._runner.close()


async def _as_coroutine(awaited: Callable[[], Awaitable[Any]]) -> Any:
    return await awaited()
