"""An ``AsyncWriter`` as a blocking ``Writer``, and the other way round."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores.base import AsyncWriter, Forgotten, UsesTexts, Whose, Writer
from miharu.stores.words import TextsOf

__all__ = ("RunOnLoop", "awaitable", "blocking")

T = TypeVar("T")


class RunOnLoop(Protocol):
    """Awaits a function on a loop, for a thread that waits for the result."""

    def __call__(self, function: Callable[..., Awaitable[T]], *args: Any) -> T: ...


def blocking(writer: Writer | AsyncWriter, run: RunOnLoop) -> Writer:
    """The writer itself, or a blocking one that runs each of its coroutines."""
    if inspect.iscoroutinefunction(writer.add):
        return _Blocking(cast("AsyncWriter", writer), run)
    return cast("Writer", writer)


class _Blocking:
    def __init__(self, writer: AsyncWriter, run: RunOnLoop) -> None:
        self._writer = writer
        self._run = run
        self._was_opened = False

    def open(self) -> None:
        async def open_it() -> None:
            self._was_opened = True
            await self._writer.open()

        self._run(open_it)

    def add(self, batch: Batch) -> int:
        return self._run(self._writer.add, batch)

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return self._run(self._writer.reprice, costs)

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        async def prune() -> int:
            return await self._writer.prune(before, content_only=content_only, limit=limit)

        return self._run(prune)

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        return self._run(self._writer.forget, whose, limit)

    def roll_up(self) -> bool:
        return self._run(self._writer.roll_up)

    def use_texts(self, texts: TextsOf) -> None:
        _hand_over(self._writer, texts)

    def close(self) -> None:
        if self._was_opened:  # else there was no loop to open it on, as at the end of a program
            self._run(self._writer.close)


def awaitable(writer: Writer | AsyncWriter) -> AsyncWriter:
    """The writer itself, or one whose coroutines do what it does; for a loop that may be held up."""
    if inspect.iscoroutinefunction(writer.add):
        return cast("AsyncWriter", writer)
    return _Awaitable(cast("Writer", writer))


class _Awaitable:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def open(self) -> None:
        self._writer.open()

    async def add(self, batch: Batch) -> int:
        return self._writer.add(batch)

    async def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return self._writer.reprice(costs)

    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        return self._writer.prune(before, content_only=content_only, limit=limit)

    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        return self._writer.forget(whose, limit)

    async def roll_up(self) -> bool:
        return self._writer.roll_up()

    def use_texts(self, texts: TextsOf) -> None:
        _hand_over(self._writer, texts)

    async def close(self) -> None:
        self._writer.close()


def _hand_over(writer: object, texts: TextsOf) -> None:
    if isinstance(writer, UsesTexts):
        writer.use_texts(texts)
