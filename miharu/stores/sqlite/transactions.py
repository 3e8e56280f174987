"""Transactions of our own, not the driver's, and what their errors mean.

Plain functions over a connection: they run in whichever thread there is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from miharu.errors import StoreError
from miharu.stores.sqlite.repair.damage import meaning

__all__ = ("as_it_is", "configure", "immediate", "in_plain_words", "snapshot")

T = TypeVar("T")


def configure(engine: Engine) -> None:
    """See to each new connection of the engine."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()


def as_it_is(connection: Connection, work: Callable[[Connection], T]) -> T:
    """In no transaction, or in those that the work begins."""
    return work(connection)


def immediate(connection: Connection, work: Callable[[Connection], T]) -> T:
    """In one that writes: it has the lock from its beginning."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    return _finish(connection, work)


def snapshot(connection: Connection, work: Callable[[Connection], T]) -> T:
    """In one that reads: all of it sees the same."""
    connection.exec_driver_sql("BEGIN")
    return _finish(connection, work)


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
    except (IntegrityError, DataError, InterfaceError, ProgrammingError):
        raise  # it is the values, not the database: trying again would not help
    except DBAPIError as error:
        raise StoreError(f"{name} {meaning(error.orig or error)}.") from error
    except UnicodeDecodeError as error:  # a message of the engine that quotes damaged text
        raise StoreError(f"{name} {meaning(error)}.") from error


def _finish(connection: Connection, work: Callable[[Connection], T]) -> T:
    try:
        result = work(connection)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with suppress(DBAPIError):  # a full disk has rolled it back already
            connection.exec_driver_sql("ROLLBACK")
        raise
    return result
