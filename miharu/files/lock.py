"""The lock on an open file that other processes respect; the system releases it when its holder dies.

There are file systems without locks. What follows from that is for the caller to say: a spool cannot do
without its lock, while a writer still has the locks of SQLite.
"""

import os
import sys
from contextlib import suppress
from typing import Literal

__all__ = ("Locked", "lock_file", "unlock_file")

Locked = Literal["ours", "taken", "unsupported"]

if sys.platform == "win32":  # pragma: no cover - best effort there
    import msvcrt

    _FAR = 1 << 40
    """At which byte: far behind the content, because a locked byte cannot be read."""

    def lock_file(file: int, *, wait: bool = False) -> Locked:
        """Lock that open file, which is not waited for here."""
        if wait:
            return "unsupported"
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return "taken"
        return "ours"

    def unlock_file(file: int) -> None:
        """Release the lock."""
        os.lseek(file, _FAR, os.SEEK_SET)
        with suppress(OSError):
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock_file(file: int, *, wait: bool = False) -> Locked:
        """Lock that open file, if necessary once its holder has released it; whether it is locked now."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "taken"
        except OSError:
            return "unsupported"
        return "ours"

    def unlock_file(file: int) -> None:
        """Release the lock, even where a child of a fork has the file open as well."""
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
