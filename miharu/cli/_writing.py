"""Opening somebody's database to change it, without watching any call."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from miharu.cli._reading import check_file
from miharu.config import Config, database_file
from miharu.errors import NoDatabase

if TYPE_CHECKING:
    from miharu.stores.base import Store

__all__ = ("writing",)

T = TypeVar("T")


def writing(database: str | None, work: "Callable[[Store], Awaitable[T]]") -> T:
    """What the work on the open store returns; the database is the one that argument or environment name.

    Raises:
        MiharuError: It cannot be written; the message says why and what to do.
    """
    url = Config.resolve(database).database
    check_file(url)
    file = database_file(url)
    if file is not None and not file.stat().st_size:  # opened for writing, it would become one
        raise NoDatabase(f"The database at {file} is empty.")
    import anyio

    from miharu.stores import store_for

    store: Store = store_for(url).load()(url)

    async def run() -> T:
        try:
            await store.open()
            return await work(store)
        finally:
            await store.close()

    return anyio.run(run)
