"""One file of records: each its length, a CRC-32 and a batch.

Whoever owns a file holds a lock on it for as long as the process lives; a file whose lock is free was left
behind, and the first process of the same database that finds it stores what is in it.
"""

import os
import secrets
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from miharu._files import make_private
from miharu.batch import Batch
from miharu.recorder.spool.records import unpack

__all__ = ("DAMAGED", "SpoolFile")

DAMAGED = ".damaged"
"""How the name of a file ends that was set aside."""
_HEAD = struct.Struct("<II")
_TRIES = 3
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)

if sys.platform == "win32":  # pragma: no cover - best effort there
    import msvcrt

    def _lock(file: int) -> bool:
        os.lseek(file, 1 << 40, os.SEEK_SET)  # far behind the records: a locked byte cannot be read
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class SpoolFile:
    """One file, ours as long as it is open."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.is_damaged = False
        self.lost = 0
        """Calls, spans and scores that were whole and made no sense."""
        self._file = file
        self._read = self._next = 0
        self._end = os.fstat(file).st_size

    @classmethod
    def make(cls, place: Path) -> "SpoolFile":
        """A new one, whose name begins with the place.

        Raises:
            OSError: It cannot be made.
        """
        for _ in range(_TRIES):
            path = place.with_name(f"{place.name}{os.getpid()}-{secrets.token_hex(4)}")
            make_private(path)
            file = os.open(path, _FLAGS)
            if _lock(file) and path.exists():  # else somebody has taken it for one that was left behind
                return cls(path, file)
            os.close(file)
            _quietly(path.unlink)
        raise OSError(f"{place.parent} does not allow for locks")

    @classmethod
    def claim(cls, path: Path) -> "SpoolFile | None":
        """One that was left behind; ``None`` where its owner lives or it is not ours to read."""
        try:
            file = os.open(path, _FLAGS)
        except OSError:
            return None
        facts = os.fstat(file)
        ours = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
        if ours and _lock(file) and os.fstat(file).st_nlink:
            return cls(path, file)
        os.close(file)
        return None

    @property
    def size(self) -> int:
        return self._end

    def append(self, payload: bytes) -> None:
        """Add a record, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        rest = memoryview(_HEAD.pack(len(payload), zlib.crc32(payload)) + payload)
        os.lseek(self._file, self._end, os.SEEK_SET)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end = os.lseek(self._file, 0, os.SEEK_CUR)

    def first(self) -> Batch | None:
        """The oldest record that was not taken yet; what is damaged is passed over."""
        while self._read < self._end:
            os.lseek(self._file, self._read, os.SEEK_SET)
            head = os.read(self._file, _HEAD.size)
            length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
            self._next = self._read + _HEAD.size + length
            if not length or self._next > self._end:  # nobody knows where the next one begins
                self._next = self._end
            else:
                payload = os.read(self._file, length)
                if zlib.crc32(payload) == checksum:
                    batch, lost = unpack(payload)
                    self.lost += lost
                    return batch
            self.is_damaged = True
            self._read = self._next
        return None

    def take(self) -> None:
        """Be done with the first record."""
        self._read = self._next

    def close(self) -> None:
        """Let go of it: remove it if everything was taken, set it aside if some is damaged."""
        emptied = self._read >= self._end
        if emptied and self.is_damaged:
            _quietly(self.path.replace, self.path.with_name(self.path.name + DAMAGED))
        removed = emptied and (self.is_damaged or _quietly(self.path.unlink))
        if emptied and not removed:
            _quietly(lambda: os.ftruncate(self._file, 0))
        os.close(self._file)
        if emptied and not removed:  # Windows removes no open file
            _quietly(self.path.unlink)

    def disown(self) -> None:
        """Let go of it in a child that was forked: it is the parent's."""
        os.close(self._file)


def _quietly(work: Callable[..., object], *arguments: object) -> bool:
    try:
        work(*arguments)
    except OSError:
        return False
    return True
