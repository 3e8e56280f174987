"""A server's writer, for a thread that waits for it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from miharu.errors import StoreError
from miharu.stores.blocking import blocking

if TYPE_CHECKING:
    from miharu.stores.base import AsyncWriter


class Refusing:
    """A writer that cannot be opened, and notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def open(self) -> None:
        self.asked.append("open")
        raise StoreError("The server is away.")

    async def add(self, batch: object) -> int:
        raise NotImplementedError

    async def close(self) -> None:
        self.asked.append("close")


def without_a_loop(function: object, *args: object) -> Any:
    """As at the end of a program, when no thread can be started any more."""
    raise StoreError("There is no loop for the database.")


def test_what_no_loop_has_opened_is_not_closed() -> None:
    writer = Refusing()
    waiting = blocking(cast("AsyncWriter", writer), cast("Any", without_a_loop))
    with pytest.raises(StoreError, match="no loop"):
        waiting.open()
    waiting.close()
    assert writer.asked == []


def test_what_was_half_opened_is_closed() -> None:
    def run(function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return anyio.run(function, *args, backend="asyncio")

    writer = Refusing()
    waiting = blocking(cast("AsyncWriter", writer), cast("Any", run))
    with pytest.raises(StoreError, match="away"):
        waiting.open()
    waiting.close()
    assert writer.asked == ["open", "close"]
