"""Transactions of our own, not the driver's, and what its errors mean. Plain functions over a connection."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from miharu.errors import StoreError
from miharu.stores.sqlite.repair.damage import meaning

__all__ = ("finished", "in_plain_words", "refusal")

T = TypeVar("T")

_OF_THE_BATCH = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""It is the values, not the database: trying again would not help."""


def finished(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do the work in the transaction that has begun, and end it: all of it, or nothing."""
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise
    return result


@contextmanager
def in_plain_words(name: str) -> Iterator[None]:
    """Say of the engine's errors what a user can do.

    Args:
        name: Of the database.

    Raises:
        StoreError: It cannot be used at the moment.
    """
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if (refused := refusal(error, name)) is None:
            raise
        raise refused from error


def refusal(error: BaseException, name: str) -> StoreError | None:
    """What to tell the user; ``None`` where trying again would not help.

    Text that cannot be decoded is a message of the engine that quotes damaged text.
    """
    return None if isinstance(error, _OF_THE_BATCH) else StoreError(f"{name} {meaning(error)}.")
