"""A database in memory: one connection, which the writer and the questions take in turns."""

import sqlite3
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar

from miharu.stores.sqlite.transactions import finished, in_plain_words

__all__ = ("Memory",)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Memory:
    """Runs functions on the connection, one after the other. It is there until nothing refers to it."""

    name = "the database in memory"

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._turns = threading.RLock()

    def open(self, prepare: Work[object]) -> None:
        """Make the schema, where this is the first to open it."""
        with self._turns, in_plain_words(self.name):
            if self._connection is None:
                made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                weakref.finalize(self, made.close)
                prepare(made)
                self._connection = made

    def write(self, work: Work[T]) -> T:
        """Run in one transaction of its own."""

        def written(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            return finished(connection, work)

        return self.look(written)

    def alone(self, work: Work[T]) -> T:
        """Run outside of any transaction."""
        return self.look(work)

    def look(self, work: Work[T]) -> T:
        """Run on the connection while nothing else uses it."""
        with self._turns, in_plain_words(self.name):
            if self._connection is None:
                raise sqlite3.OperationalError("it is not open")
            return work(self._connection)

    def close(self) -> None:
        """Do nothing, because the questions may still read it."""
