"""The one connection that writes to the file.

A file that was deleted or replaced while it was open is noticed before each transaction, and opened anew; one
that turns out to be damaged is opened anew as well, and set aside where that does not help.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from miharu.errors import StoreError
from miharu.files.private import make_private_folder
from miharu.stores.sqlite.locks.writer_lock import WriterLock
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.repair.damage import is_stale
from miharu.stores.sqlite.repair.file_guard import FileGuard
from miharu.stores.sqlite.transactions import finished, in_plain_words

__all__ = ("WritableFile",)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_TIMEOUT_S = 5.0
"""How long a transaction waits for another program before the recorder backs off and tries again."""
BUSY_SLICE_S = 0.1
"""How long of that it waits before it does something else meanwhile."""


class WritableFile:
    """Runs functions on the connection. For one thread at a time, whichever that is."""

    def __init__(self, path: Path, *, rescue: bool = True, meanwhile: Callable[[], object] = bool) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: The file.
            rescue: Whether to bring back, beside all else, what can be read of files that were set aside.
            meanwhile: Called again and again while it waits for other programs.
        """
        self.path = path
        self.name = str(path)
        self._meanwhile = meanwhile
        self._lock = WriterLock(path, meanwhile)
        self._guard = FileGuard(path, rescue=rescue)
        self._connection: sqlite3.Connection | None = None
        self._prepare: Work[object] = bool

    def open(self, prepare: Work[object]) -> None:
        """Connect, and let ``prepare`` make the schema, in its own transaction.

        Raises:
            StoreError: The file cannot be used.
        """
        self._prepare = prepare
        self._mending(self._connected)

    def write(self, work: Work[T]) -> T:
        """Run in one transaction of its own, while no other process of miharu writes.

        Raises:
            StoreError: The file cannot be used at the moment.
        """

        def once() -> T:
            connection = self._connected()
            with self._lock.held(), in_plain_words(self.name):
                self._begin(connection)
                return finished(connection, work)

        return self._mending(once)

    def alone(self, work: Work[T]) -> T:
        """Run outside of any transaction, while no other process of miharu writes.

        Raises:
            StoreError: The file cannot be used at the moment.
        """

        def once() -> T:
            connection = self._connected()
            with self._lock.held(), in_plain_words(self.name):
                return work(connection)

        return self._mending(once)

    def look(self, work: Work[T]) -> T:
        """Run without a lock, for work that only reads a little.

        Raises:
            StoreError: The file cannot be used at the moment.
        """

        def once() -> T:
            with in_plain_words(self.name):
                return work(self._connected())

        return self._mending(once)

    def close(self) -> None:
        self._guard.end()
        if self._connection is not None:
            with self._lock.held():  # the last to leave tidies up, which is a checkpoint
                self._disconnect()
        self._disconnect()
        self._lock.close()

    def _mending(self, attempt: Callable[[], T]) -> T:
        """Run the attempt; where the file is damaged, again on a new connection, and then in a new file."""
        cause: BaseException | None = None
        for remedy in (None, self._reopen, self._renew):
            try:
                if remedy is not None:
                    remedy(cause)
                result = attempt()
            except StoreError as error:
                cause = error.__cause__
                if remedy == self._renew:
                    raise
                if not self._guard.is_damage(cause):
                    if is_stale(cause):
                        self._disconnect()
                    raise
            else:
                self._guard.works()
                return result
        raise AssertionError  # pragma: no cover - the last remedy returns or raises

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None or not self._guard.is_open:
            self._reopen()
        assert self._connection is not None
        return self._connection

    def _renew(self, cause: BaseException | None) -> None:
        self._disconnect()
        with self._lock.held():
            self._guard.give_up(cause)
        self._reopen()

    def _reopen(self, _: BaseException | None = None) -> None:
        if self._guard.was_moved and not self._guard.was_set_aside:
            self._fold_in()
        self._disconnect()
        self._lock.close()  # its folder may have been replaced as well
        try:
            check_place(self.path)
            make_private_folder(self.path.parent)
            self._lock.open()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened: {error.strerror}.") from error
        with self._lock.held():
            self._guard.check()
            try:
                self._connect()
                self._guard.opened()
            except BaseException:
                self._disconnect()
                raise

    def _connect(self) -> None:
        with in_plain_words(self.name):
            connection = self._connection = sqlite3.connect(
                f"file:{quote(os.fspath(self.path))}?mode=rw",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,  # what ends a program may have to do what its recorder did not
            )
            connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(connection)
            self._guard.learn(lambda statement: connection.execute(statement).fetchall())
            connection.execute(f"PRAGMA busy_timeout = {round(BUSY_SLICE_S * 1000)}")

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin to write; while another program holds SQLite's lock, ``meanwhile`` is called."""
        until = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            else:
                return
            self._meanwhile()

    def _fold_in(self) -> None:
        """Give a file that was moved away what was recorded in it, which still stands in its WAL."""
        if self._connection is not None:
            with suppress(StoreError, sqlite3.Error), self._lock.held():
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _disconnect(self) -> None:
        self._guard.closing()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        self._guard.closed()
