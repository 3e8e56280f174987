"""One writer at a time, whichever process it is in: a lock on a file beside the database.

SQLite has a lock of its own, but a writer that waits for it asks again and again, and some ask in vain. With
this lock around every transaction, and the checkpoint that may follow in it, writers come in about the order
in which they began to wait, and SQLite refuses none of them; and the WAL-reset bug of SQLite 3.7.0 to 3.51.2,
which needs a checkpoint beside a commit, cannot happen between processes of miharu.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from miharu.errors import StoreError
from miharu.files.lock import unlock_file
from miharu.stores.sqlite.locks.queued_lock import QueuedLock, open_lock, take
from miharu.stores.sqlite.place import check_place

__all__ = ("WriterLock",)

WAIT_S = 5.0
"""A writer that does not get the lock within this time keeps its batch and comes again."""
SLICE_S = 0.1
"""How long a writer waits before it does something else meanwhile."""
PAUSE_S = 0.005
"""Between two questions, where no thread can be started to wait."""


class WriterLock:
    """Held by one process at a time; the system opens it when the holder dies."""

    def __init__(self, database: Path, meanwhile: Callable[[], object] = bool) -> None:
        """Prepare.

        Args:
            database: The file that is written to.
            meanwhile: Called again and again while others hold the lock.
        """
        self.database = database
        self._meanwhile = meanwhile
        self._path = Path(f"{database}.lock")
        self._file: int | None = None
        self._queued: QueuedLock | None = None

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
        self._queued = None
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, and hold it.

        Raises:
            StoreError: Others have kept it for too long.
        """
        try:
            if not self._is_free():
                self._wait()
            yield
        finally:
            self._leave()

    def _wait(self) -> None:
        come, until = threading.Event(), time.monotonic() + WAIT_S
        if self._queue(come.set):
            while not come.wait(max(0.0, min(SLICE_S, until - time.monotonic()))):
                if time.monotonic() >= until:
                    break
                self._meanwhile()
        while not self._has_come():
            if time.monotonic() >= until:
                raise StoreError(f"{self.database} is locked by another process.")
            time.sleep(PAUSE_S)
            self._meanwhile()

    def _is_free(self) -> bool:
        return self._file is None or take(self._file)

    def _queue(self, tell: Callable[[], object]) -> bool:
        """Wait in line, to be told; false where no thread can be started any more."""
        if self._queued is None or not self._queued.resume(tell):
            try:
                self._queued = QueuedLock(self._path, tell)
            except (RuntimeError, OSError):
                return False
        return True

    def _has_come(self) -> bool:
        """Whether the lock is ours; one that was queued for brings an open file of its own, that holds it."""
        if self._queued is not None and (file := self._queued.claim()) is not None:
            self._queued = None
            if self._file is not None:
                os.close(self._file)
            self._file = file
        return self._is_free()

    def _leave(self) -> None:
        if self._queued is not None:
            self._has_come()
        if self._file is not None:
            unlock_file(self._file)
