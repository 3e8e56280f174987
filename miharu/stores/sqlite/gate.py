"""One writer at a time, whichever process it is in: a lock on a file beside the database.

SQLite has a lock of its own, but whoever waits for it asks again and again, and some ask in vain. With the
gate around every transaction, and the checkpoint that may follow in it, writers come in about the order in
which they began to wait, and SQLite refuses none of them; and the WAL-reset bug of SQLite 3.7.0 to 3.51.2,
which needs a checkpoint beside a commit, cannot happen between processes of miharu.
"""

import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import anyio
from anyio.from_thread import run_sync
from anyio.lowlevel import current_token

from miharu.errors import StoreError
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.turn import Turn, give_back, open_lock, take

__all__ = ("Gate",)

WAIT_S = 5.0
"""Whoever gets no turn within this time keeps its batch and comes again."""
PAUSE_S = 0.005
"""Between two questions, where no thread can be started to wait."""


class Gate:
    """Held by one process at a time; the system opens it when the holder dies."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._path = Path(f"{database}.lock")
        self._file: int | None = None
        self._turn: Turn | None = None

    def open(self) -> None:
        """Make the lock file, readable to its owner only.

        Raises:
            StoreError: It is another user's place.
            OSError: It cannot be made.
        """
        if self._file is None:
            check_place(self.database)
            self._file = open_lock(self._path)

    def close(self) -> None:
        """Forget it; the file stays, because another process may hold it."""
        self._turn = None
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the turn without blocking the loop.

        Raises:
            StoreError: Others have kept it for too long.
        """
        try:
            if not self._is_free():
                come = anyio.Event()
                with anyio.move_on_after(WAIT_S):
                    if self._queue(partial(run_sync, come.set, token=current_token())):
                        await come.wait()
                    while not self._has_come():  # noqa: ASYNC110 - other processes set no event
                        await anyio.sleep(PAUSE_S)
                self._insist()
            yield
        finally:
            self._leave()

    @contextmanager
    def held_here(self) -> Iterator[None]:
        """The same where there is no loop: it blocks the thread.

        Raises:
            StoreError: Others have kept it for too long.
        """
        try:
            if not self._is_free():
                come, until = threading.Event(), time.monotonic() + WAIT_S
                if self._queue(come.set):
                    come.wait(WAIT_S)
                while not self._has_come() and time.monotonic() < until:
                    time.sleep(PAUSE_S)
                self._insist()
            yield
        finally:
            self._leave()

    def _is_free(self) -> bool:
        return self._file is None or take(self._file)

    def _queue(self, tell: Callable[[], object]) -> bool:
        """Wait in line, to be told; false where no thread can be started any more."""
        if self._turn is None or not self._turn.resume(tell):
            try:
                self._turn = Turn(self._path, tell)
            except (RuntimeError, OSError):
                return False
        return True

    def _has_come(self) -> bool:
        """Whether it is our turn; one that has come brings an open file of its own, which holds the lock."""
        if self._turn is not None and (file := self._turn.claim()) is not None:
            self._turn = None
            if self._file is not None:
                os.close(self._file)
            self._file = file
        return self._is_free()

    def _insist(self) -> None:
        if not self._has_come():
            raise StoreError(f"{self.database} is locked by another process.")

    def _leave(self) -> None:
        if self._turn is not None:
            self._has_come()
        if self._file is not None:
            give_back(self._file)
