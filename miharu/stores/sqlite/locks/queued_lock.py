"""A lock on a file, and a place in the queue for it, which can be left again.

The system wakes those who block in ``flock`` when the lock is free, while a process that asks again and again
meets it by luck. So a writer that finds the lock taken blocks for it in a thread of its own, which has opened
the file itself: what that thread gets after the writer has stopped waiting is given back at once.
"""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from miharu.files.lock import lock_file, unlock_file
from miharu.files.private import clear, open_or_make
from miharu.files.trust import NotOurs

__all__ = ("QueuedLock", "open_lock", "take")


def take(file: int, *, wait: bool = False) -> bool:
    """Try to lock that open file; false where another process holds the lock.

    On a file system without locks SQLite's own have to do, as they do on Windows.
    """
    return sys.platform == "win32" or lock_file(file, wait=wait) != "taken"


def open_lock(path: Path) -> int:
    """The lock file, made where it is missing, readable to its owner only; anything else is renamed.

    Raises:
        OSError: It cannot be opened or made.
    """
    try:
        return open_or_make(path)
    except NotOurs:
        clear(path)
        return open_or_make(path)


class QueuedLock:
    """A place in the queue.

    Args:
        path: The lock file.
        tell: Called in the thread when the lock is ours.

    Raises:
        RuntimeError: No thread can be started any more.
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, tell: Callable[[], object]) -> None:
        self._tell: Callable[[], object] | None = tell
        self._file = open_lock(path)
        self._has_come = False
        self._change = threading.Lock()
        try:
            # A daemon, because no program waits at its end for a lock that another one has.
            threading.Thread(target=self._wait, name="miharu-lock", daemon=True).start()
        except RuntimeError:
            os.close(self._file)
            raise

    def resume(self, tell: Callable[[], object]) -> bool:
        """Wait on; false where the lock has come and gone while the writer did not wait."""
        with self._change:
            if self._has_come:
                return False
            self._tell = tell
            return True

    def claim(self) -> int | None:
        """The open file that holds the lock; ``None`` where it has not come, and the writer stops waiting."""
        with self._change:
            if self._has_come and self._tell is not None:
                return self._file
            self._tell = None
            return None

    def _wait(self) -> None:
        take(self._file, wait=True)
        with self._change:
            self._has_come = True
            tell = self._tell
            if tell is None:
                unlock_file(self._file)
                os.close(self._file)
                return
        tell()
