"""What the store does not take, in a file beside it: first in, first out, and safe from a kill.

A record is its length, a CRC-32 and a batch as MessagePack. Whoever owns a file holds a lock on it for as
long as the process lives; a file whose lock is free was left behind, and the first process of the same
database that finds it stores what is in it. Credentials are in no batch, so in no file.
"""

import hashlib
import os
import secrets
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from miharu._location import default_database, make_private
from miharu.batch import Batch, Score, Span
from miharu.call import Call
from miharu.config import MEMORY, NOWHERE, database_file, public_url

__all__ = ("Spool", "SpoolFile", "place_for")

MAX_BYTES = 256 << 20
"""Of one process's file; what comes then waits in memory, and is dropped when that is full."""
_HEAD = struct.Struct("<II")
_DAMAGED = ".damaged"
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
                    batch, lost = _unpack(payload)
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
            _quietly(self.path.replace, self.path.with_name(self.path.name + _DAMAGED))
        removed = emptied and (self.is_damaged or _quietly(self.path.unlink))
        if emptied and not removed:
            _quietly(lambda: os.ftruncate(self._file, 0))
        os.close(self._file)
        if emptied and not removed:  # Windows removes no open file
            _quietly(self.path.unlink)

    def disown(self) -> None:
        """Let go of it in a child that was forked: it is the parent's."""
        os.close(self._file)


class Spool:
    """This process's own file, which is there only while something is in it, and those left by others."""

    def __init__(self, place: Path | None, max_bytes: int = MAX_BYTES) -> None:
        """Prepare; nothing is made yet.

        Args:
            place: What the files' paths begin with; ``None`` for a store that nothing outlives.
            max_bytes: How large the file may become.
        """
        self.place = place
        self.max_bytes = max_bytes
        self.waiting = 0
        """Calls, spans and scores in the file."""
        self.lost = 0
        """Those of which nothing could be made again."""
        self._own: SpoolFile | None = None
        self._counts: list[int] = []
        # the thread that ends the program may have to do what the worker does not come to
        self._lock = threading.RLock()

    @property
    def path(self) -> Path | None:
        """The file, while there is one."""
        return self._own.path if self._own else None

    @property
    def is_half_full(self) -> bool:
        """Whether it is time to spare room."""
        return self._own is not None and self._own.size * 2 >= self.max_bytes

    @property
    def has_room(self) -> bool:
        """Whether one more batch may be written, which may be the one that goes beyond the bound."""
        return self.place is not None and (self._own is None or self._own.size < self.max_bytes)

    def append(self, batch: Batch) -> None:
        """Add it at the end.

        Raises:
            OSError: It cannot be written.
        """
        payload = _pack(batch)
        with self._lock:
            if self.place is None:
                raise OSError("nothing is spooled for a store in memory")
            if self._own is None:
                self._own = SpoolFile.make(self.place)
            self._own.append(payload)
            self._counts.append(len(batch.calls) + len(batch.spans) + len(batch.scores))
            self.waiting = sum(self._counts)

    def first(self) -> Batch | None:
        """What is to be stored next; ``None`` when nothing is left, and then there is no file."""
        with self._lock:
            if self._own is None:
                return None
            before = self._own.lost
            batch = self._own.first()
            self.lost += self._own.lost - before
            if batch is None:
                self._counts.clear()
                self.close()
            return batch

    def take(self) -> None:
        """Be done with the first: it is stored."""
        with self._lock:
            if self._own is not None:
                self._own.take()
                del self._counts[:1]
                self.waiting = sum(self._counts)

    def left_behind(self) -> Iterator[SpoolFile]:
        """Files whose owner has died, each ours from then on."""
        if self.place is None:
            return
        try:
            names = sorted(os.listdir(self.place.parent))  # noqa: PTH208 - names are enough, and cost less
        except OSError:
            return
        own = self.path
        for name in names:
            path = self.place.with_name(name)
            if name.startswith(self.place.name) and not name.endswith(_DAMAGED) and path != own:
                file = SpoolFile.claim(path)
                if file is not None:
                    yield file

    def close(self) -> None:
        """Let go of the file; what is left in it is for the next process."""
        with self._lock:
            if self._own is not None:
                self._own.close()
                self._own = None
            self.waiting = sum(self._counts)

    def disown(self) -> None:
        """Forget the file in a child that was forked."""
        if self._own is not None:
            self._own.disown()
            self._own = None


def place_for(url: str) -> Path | None:
    """What the paths of spools for that database begin with; ``None`` for one that is no place.

    They lie beside its file; for a server, where calls would be kept if nothing were set.
    """
    if url in {MEMORY, NOWHERE}:
        return None
    file = database_file(url)
    if file is None:
        name = hashlib.blake2b(public_url(url).encode(), digest_size=8).hexdigest()
        file = default_database().with_name(name)
    return file.with_name(f"{file.name}.spool-")


@cache
def _codec() -> tuple[Callable[[Any], bytes], Callable[[bytes], Batch]]:
    import msgspec

    return msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Batch).decode


def _pack(batch: Batch) -> bytes:
    pack = _codec()[0]
    try:
        return pack(batch)
    except (TypeError, ValueError, OverflowError):
        return pack(_plain(asdict(batch)))


def _unpack(payload: bytes) -> tuple[Batch, int]:
    """The batch, without what no call can be made of, and how many those are."""
    import msgspec

    try:
        return _codec()[1](payload), 0
    except msgspec.MsgspecError:
        found = msgspec.msgpack.decode(payload)
    lost = 0
    kinds: dict[str, list[Any]] = {"calls": [], "spans": [], "scores": []}
    for (name, values), kind in zip(kinds.items(), (Call, Span, Score), strict=True):
        for facts in found.get(name, ()):
            try:
                values.append(msgspec.convert(facts, kind))
            except msgspec.MsgspecError:
                lost += 1
    return Batch(**kinds), lost


def _plain(value: Any) -> Any:
    """What a provider sends may hold half a character or an absurd number, and plug-ins anything."""
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if isinstance(value, float | bytes | None) else None


def _quietly(work: Callable[..., object], *arguments: object) -> bool:
    try:
        work(*arguments)
    except OSError:
        return False
    return True
