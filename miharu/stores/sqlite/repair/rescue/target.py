"""The new file, written to beside the recording: under the lock, and no longer open than a step lasts.

An open connection would lose its locks whenever something else in this process opens and closes the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from miharu.errors import StoreError
from miharu.stores.sqlite.locks.writer_lock import WriterLock
from miharu.stores.sqlite.repair.damage import connect
from miharu.stores.sqlite.repair.salvage.mending import TargetColumn

__all__ = ("Target",)


class Target:
    """Where rows go."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._lock = WriterLock(database)

    def columns(self, table: str) -> tuple[TargetColumn, ...]:
        """The columns that are stored.

        Raises:
            StoreError: It cannot be read at the moment.
        """
        with self._open("mode=ro") as connection:
            rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
        if not rows:
            raise StoreError(f"{self.database} has no table {table} yet.")
        return tuple(TargetColumn(name=row[1], kind=row[2], required=bool(row[3] or row[5])) for row in rows)

    def add(self, table: str, columns: Sequence[TargetColumn], rows: Sequence[tuple[Any, ...]]) -> int:
        """Keep those that are not there yet, in one transaction; how many that were.

        Raises:
            StoreError: It cannot be written at the moment.
        """
        names, marks = ", ".join(column.name for column in columns), ", ".join("?" * len(columns))
        with self._open("mode=rw") as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            new = connection.executemany(
                f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", rows
            ).rowcount
            connection.execute("UPDATE miharu_meta SET value = value + 1 WHERE key = 'revision'")
            connection.execute("COMMIT")
        return new

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.close()

    @contextmanager
    def _open(self, options: str) -> Iterator[sqlite3.Connection]:
        """A connection for one step; closing it takes back what was not committed."""
        try:
            self._lock.open()
            with self._lock.held(), connect(self.database, options) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(f"{self.database}: {error}.") from error
        except OSError as error:
            raise StoreError(f"{self.database} cannot be opened: {error.strerror}.") from error
