"""Opening somebody's database to read it, with an answer for whatever can be wrong."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from miharu._files import open_any
from miharu._trust import NotOurs
from miharu.config import MEMORY, Config, database_file, public_url
from miharu.errors import NoDatabase, StoreError

if TYPE_CHECKING:
    from miharu.monitor import Monitor
    from miharu.stores.base import Questions

__all__ = ("ask", "check_file", "reading")

P = ParamSpec("P")
T = TypeVar("T")


_HOW = (
    "Calls get there once your program says `miharu.init()`. Is it another place? Name it with --database. "
    "To see the dashboard with example calls: `miharu demo`."
)
_MAGIC = b"SQLite format 3\0"


@contextmanager
def reading(database: str | None) -> "Iterator[Monitor]":
    """The database that argument or environment name, open for reading.

    Raises:
        MiharuError: It cannot be read; the message says why and what to do.
    """
    config = Config.resolve(database)
    check_file(config.database)
    from miharu.monitor import Monitor

    monitor = Monitor(config, read_only=True)
    try:
        monitor.start()
        ask(monitor, _probe)
        yield monitor
    except NoDatabase as error:
        raise NoDatabase(f"There are no calls in {public_url(config.database)} yet. {_HOW}") from error
    finally:
        monitor.stop()


def ask(
    monitor: "Monitor",
    question: "Callable[Concatenate[Questions, P], Awaitable[T]]",
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """What the store answers.

    Raises:
        StoreError: It cannot be used.
    """

    async def put() -> T:
        # It is there once it was opened, which this waits for.
        return await question(monitor.questions, *args, **kwargs)

    return monitor.read_sync(put)


async def _probe(store: "Questions") -> int:
    return await store.revision()


def check_file(url: str) -> None:
    """Look at the file before SQLAlchemy is loaded for it.

    Raises:
        NoDatabase: There is none.
        StoreError: It is no database, or not readable.
    """
    if url == MEMORY:
        raise NoDatabase(
            "There is nothing to read: with this setting calls stay in the memory of the program that makes "
            "them. Name a file with --database or MIHARU_DATABASE_URL."
        )
    file = database_file(url)
    if file is None:
        return
    try:
        with os.fdopen(open_any(file), "rb") as stream:
            head = stream.read(len(_MAGIC))
    except NotOurs as error:
        raise StoreError(f"The database {file} {error.strerror}. Name the file itself.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoDatabase(f"There is no database at {file}. {_HOW}") from error
    except OSError as error:
        raise StoreError(
            f"The database {file} cannot be read: {error.strerror}. Run miharu as the user who owns it, "
            "or let this one read it."
        ) from error
    if head and head != _MAGIC:
        raise _not_readable(file)


def _not_readable(file: Path) -> StoreError:
    """Whether it was a database of ours once decides what to do about it."""
    from miharu.stores.sqlite.repair.damage import look

    finding = look(file)
    if finding.state == "damaged":
        return StoreError(f"{file} {finding.words}. To repair it: miharu doctor --repair.")
    return StoreError(f"{file} is not a SQLite database. Name the file that `miharu.init()` writes to.")
