"""One file of records: how far it was stored, and then each record's length, its CRC-32 and the record.

The process that owns a file holds a lock on it for as long as it lives; a file whose lock is free was left
behind, and the first process of the same database that finds it stores what is in it.
"""

import os
import secrets
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from miharu._guard import say_once
from miharu.batch import Batch
from miharu.files.lock import lock_file
from miharu.files.private import make, make_private_folder, open_any, open_ours
from miharu.files.trust import NotOurs
from miharu.recorder.spool.records import Record, unpack

__all__ = ("DAMAGED", "SpoolFile", "calls_in")

DAMAGED = ".damaged"
"""How the name of a file ends that was set aside."""
_START = struct.Struct("<8sQ")
"""``_MARK``, and at which byte the first record begins that was not stored yet."""
_MARK = b"miharu 2"
_HEAD = struct.Struct("<II")
"""Of a record: how many bytes, and their CRC-32."""
_LONGEST = 1 << 28
"""Bytes of a record: one that says that it has more is damaged."""
_PIECE = 1 << 20
_TRIES = 3


class SpoolFile:
    """One file, ours as long as it is open."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.is_damaged = False
        self.lost = 0
        """Calls, spans and scores that were whole and are not valid."""
        self._file = file
        self._end = os.fstat(file).st_size
        self._read = self._next = self._first = self._start()

    @classmethod
    def make(cls, place: Path) -> "SpoolFile":
        """A new one, whose name begins with the place.

        Raises:
            OSError: It cannot be made.
        """
        for _ in range(_TRIES):
            path = place.with_name(f"{place.name}{os.getpid()}-{secrets.token_hex(4)}")
            make_private_folder(path.parent)
            file = make(path)
            try:
                if lock_file(file) == "ours" and path.exists():  # else another process took it as left behind
                    os.write(file, _START.pack(_MARK, _START.size))
                    return cls(path, file)
            except OSError:
                os.close(file)
                _quietly(path.unlink)
                raise
            os.close(file)
            _quietly(path.unlink)
        raise OSError(f"{place.parent} does not allow for locks")

    @classmethod
    def claim(cls, path: Path) -> "SpoolFile | None":
        """One that was left behind; ``None`` where its owner lives or it is not this user's alone."""
        try:
            file = open_ours(path, write=True)
        except NotOurs as error:
            say_once("%s %s: it is not read.", path, error.strerror)
            return None
        except OSError:
            return None
        if lock_file(file) == "ours" and os.fstat(file).st_nlink:
            return cls(path, file)
        os.close(file)
        return None

    @property
    def size(self) -> int:
        return self._end

    @property
    def place(self) -> int:
        """At which byte the first record begins that was not taken yet."""
        return self._read

    def _start(self) -> int:
        """Where to begin to read: at the beginning, in a file of an older miharu."""
        start = self._bytes(0, _START.size)
        if len(start) < _START.size:
            return 0
        mark, taken = _START.unpack(start)
        return 0 if mark != _MARK else max(_START.size, min(taken, self._end))

    def append(self, payload: bytes) -> int:
        """Add a record, whole or not at all; at which byte it begins.

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
        begins, self._end = self._end, os.lseek(self._file, 0, os.SEEK_CUR)
        return begins

    def first(self) -> Record | None:
        """The oldest record that was not taken yet; what is damaged is passed over."""
        while self._read < self._end:
            head = self._bytes(self._read, _HEAD.size)
            length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
            start = self._read + _HEAD.size
            self._next = start + length
            if not 0 < length <= _LONGEST or self._next > self._end:  # where does the next one begin?
                self._next = self._end
            elif self._checksum(start, length) == checksum:
                record, lost = unpack(self._bytes(start, length))
                self.lost += lost
                self.is_damaged = self.is_damaged or lost > 0
                if record:
                    return record
            self.is_damaged = True
            self._read = self._next
        return None

    def _checksum(self, start: int, length: int) -> int:
        """In pieces: the memory for a record is asked for once it is known to be one."""
        checksum = 0
        while length > 0 and (piece := self._bytes(start, min(length, _PIECE))):
            checksum = zlib.crc32(piece, checksum)
            start, length = start + len(piece), length - len(piece)
        return checksum if not length else -1

    def _bytes(self, start: int, length: int) -> bytes:
        os.lseek(self._file, start, os.SEEK_SET)
        return os.read(self._file, length)

    def take(self) -> None:
        """Be done with the first record: a later process that reads the file begins after it."""
        self._read = self._next
        if self._first:
            os.lseek(self._file, 0, os.SEEK_SET)
            with suppress(OSError):  # a full disk, say: at worst it is stored again, under the same id
                os.write(self._file, _START.pack(_MARK, self._read))

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


def calls_in(path: Path) -> int:
    """How many calls lie in a file that is being written, or of another user; 0 where it cannot be read."""
    calls = 0
    try:
        handle = open_any(path)
    except OSError:
        return 0
    try:
        file = SpoolFile(path, handle)
        while record := file.first():
            calls += len(record.calls if isinstance(record, Batch) else record)
            file.take()
    finally:
        os.close(handle)
    return calls


def _quietly(work: Callable[..., object], *arguments: object) -> bool:
    try:
        work(*arguments)
    except OSError:
        return False
    return True
