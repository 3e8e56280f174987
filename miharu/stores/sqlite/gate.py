"""One writer at a time, whichever process it is in: a lock on a file beside the database.

SQLite has a lock of its own, but whoever waits for it asks again and again, and some ask in vain. With the
gate around every transaction, and the checkpoint that may follow in it, nobody is refused by SQLite for that;
and the WAL-reset bug of SQLite 3.7.0 to 3.51.2, which needs a checkpoint beside a commit, cannot happen
between processes of miharu.
"""

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import anyio

from miharu.errors import StoreError

__all__ = ("Gate", "give_back", "take")

WAIT_S = 5.0
"""Whoever gets no turn within this time keeps its batch and comes again."""

if sys.platform == "win32":  # pragma: no cover - there SQLite's own lock has to do

    def take(file: int) -> bool:  # noqa: ARG001 - as the other
        return True

    def give_back(file: int) -> None: ...

else:
    import fcntl

    def take(file: int) -> bool:
        """Whether the lock on that open file is ours now."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks, where SQLite's own has to do
            return True
        return True

    def give_back(file: int) -> None:
        """Let others have it."""
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


class Gate:
    """Held by one process at a time; the system opens it when the holder dies."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._file: int | None = None

    def open(self) -> None:
        """Make the lock file, readable to its owner only."""
        if self._file is None:
            self._file = os.open(f"{self.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Forget it; the file stays, because another process may hold it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the turn without blocking the loop.

        Raises:
            StoreError: Others have kept it for too long.
        """
        for pause in self._attempts():
            await anyio.sleep(pause)
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def held_at_exit(self) -> Iterator[None]:
        """The same without a loop, for an interpreter that is going down."""
        for pause in self._attempts():
            time.sleep(pause)
        try:
            yield
        finally:
            self._leave()

    def _attempts(self) -> Iterator[float]:
        """Try until it is ours, and say how long to wait before each further try.

        Short at first, so that a turn of a millisecond is not missed; longer while a long one lasts.
        """
        until, pause = time.monotonic() + WAIT_S, 0.0005
        while self._file is not None and not take(self._file):
            if time.monotonic() > until:
                raise StoreError(f"{self.database} is locked by another process.")
            yield pause
            pause = min(pause * 1.5, 0.01)

    def _leave(self) -> None:
        if self._file is not None:
            give_back(self._file)
