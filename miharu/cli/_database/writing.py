"""Opening a program's database to change it, without watching any call."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from miharu.cli._database.reading import check_file
from miharu.config import Config

if TYPE_CHECKING:
    from miharu.stores.base import AsyncWriter, Questions, Store

__all__ = ("writing",)

T = TypeVar("T")


def writing(database: str | None, work: "Callable[[Questions, AsyncWriter], Awaitable[T]]") -> T:
    """Run the work on the open store and return its result; the argument or the environment names the store.

    Raises:
        MiharuError: It cannot be written; the message says why and what to do.
    """
    url = Config.resolve(database).database
    check_file(url)
    import anyio

    from miharu.stores import store_for
    from miharu.stores.blocking import awaitable

    store: Store = store_for(url).load()(url)

    async def run() -> T:
        questions, writer = store.questions(), awaitable(store.writer())
        try:
            await writer.open()
            await questions.open()
            return await work(questions, writer)
        finally:
            await questions.close()
            await writer.close()

    return anyio.run(run)
