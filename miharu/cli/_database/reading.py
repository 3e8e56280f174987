"""Opening a program's database to read it, with a message for each way in which that can fail."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from miharu.config import MEMORY, Config, database_file, is_remote, public_url
from miharu.errors import NoDatabase, StoreError
from miharu.files.private import open_any
from miharu.files.trust import NotOurs

if TYPE_CHECKING:
    from miharu.monitor import Monitor
    from miharu.monitor.left_behind import LeftBehind
    from miharu.stores.base import Questions

__all__ = ("ask", "check_file", "reading")

P = ParamSpec("P")
T = TypeVar("T")


_HOW = (
    "Calls get there once your program says `miharu.init()`. Is it another place? Name it with --database. "
    "To see the dashboard with example calls: `miharu demo`."
)
WITHIN_S = 60.0
"""How long a command may take to bring in what was left."""
_MAGIC = b"SQLite format 3\0"


@contextmanager
def reading(
    database: str | None,
    missing: Callable[[NoDatabase], object] | None = None,
    say: Callable[[str], object] | None = None,
) -> "Iterator[Monitor]":
    """The database that argument or environment name, for reading.

    What processes that are gone have left beside it is brought in first, where this user may write; else it
    is said how many calls wait.

    Args:
        database: The argument.
        missing: Called where there is no database yet, by a command that can wait; without it, that is an
            error.
        say: Told how many calls wait; by default that is printed.

    Raises:
        MiharuError: It cannot be read; the message says why and what to do.
    """
    from miharu.monitor import Monitor

    monitor = Monitor(Config.resolve(database), read_only=True)
    try:
        _bring_in(monitor.left_behind, say or _complain)
        try:
            check_file(monitor.config.database)
            ask(monitor, _probe)
        except NoDatabase as error:
            if missing is None or monitor.config.database == MEMORY:
                raise
            missing(error)
        yield monitor
    finally:
        monitor.stop()


def _complain(message: str) -> None:
    print(message, file=sys.stderr)


def _bring_in(left: "LeftBehind", say: Callable[[str], object]) -> None:
    left.bring_in(WITHIN_S)
    if calls := left.waiting():
        waiting = "1 call is" if calls == 1 else f"{calls:,} calls are"
        say(
            f"miharu: {waiting} not in these figures yet. What lies beside the database, in {left.place}*, "
            "is stored by the program that made it, or by a miharu that may write there."
        )


def ask(
    monitor: "Monitor",
    question: "Callable[Concatenate[Questions, P], Awaitable[T]]",
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """The result of a question to the store.

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
        StoreError: It is not a database, or not readable.
    """
    if url == MEMORY:
        raise NoDatabase(
            "There is nothing to read: with this setting calls stay in the memory of the program that makes "
            "them. Name a file with --database or MIHARU_DATABASE_URL."
        )
    if is_remote(url):
        raise StoreError(
            f"The miharu at {public_url(url).removeprefix('miharu+')} keeps these calls: look at them there, "
            "and run commands where its database is."
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
        raise NoDatabase(f"There is no database at {file} yet. {_HOW}") from error
    except OSError as error:
        raise StoreError(
            f"The database {file} cannot be read: {error.strerror}. Run miharu as the user who owns it, "
            "or let this one read it."
        ) from error
    if not head:
        raise NoDatabase(f"The database at {file} is empty. {_HOW}")
    if head != _MAGIC:
        raise _not_readable(file)


def _not_readable(file: Path) -> StoreError:
    """The error for a file that cannot be read; its remedy depends on whether it was a database of ours."""
    from miharu.stores.sqlite.repair.damage import look

    finding = look(file)
    if finding.state == "damaged":
        return StoreError(f"{file} {finding.words}. To repair it: miharu doctor --repair.")
    return StoreError(f"{file} is not a SQLite database. Name the file that `miharu.init()` writes to.")
