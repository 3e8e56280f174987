"""This process's own file, and those that others have left behind."""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from miharu._location import NoPlace, default_database
from miharu.batch import Batch
from miharu.config import MEMORY, NOWHERE, database_file, public_url
from miharu.recorder.spool.file import DAMAGED, SpoolFile
from miharu.recorder.spool.records import pack

__all__ = ("Spool", "place_for", "spools_at")

MAX_BYTES = 256 << 20
"""Of one process's file; what comes then waits in memory, and is dropped when that is full."""


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
        payload = pack(batch)
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
        for path in spools_at(self.place) if self.place is not None else ():
            file = SpoolFile.claim(path) if path != self.path else None
            if file is not None:
                yield file

    def is_any_left_behind(self) -> bool:
        """Whether there is such a file, which is let go of again."""
        for file in self.left_behind():
            file.close()
            return True
        return False

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


def spools_at(place: Path) -> Sequence[Path]:
    """The files at that place, whoever they belong to."""
    try:
        names = sorted(os.listdir(place.parent))  # noqa: PTH208 - names are enough, and cost less
    except OSError:
        return ()
    return [
        place.with_name(name) for name in names if name.startswith(place.name) and not name.endswith(DAMAGED)
    ]


def place_for(url: str, ending: str = "spool-") -> Path | None:
    """What the paths of spools for that database begin with; ``None`` where there is no place.

    They lie beside its file; for a server, where calls would be kept if nothing were set.
    """
    if url in {MEMORY, NOWHERE}:
        return None
    file = database_file(url)
    if file is None:
        name = hashlib.blake2b(public_url(url).encode(), digest_size=8).hexdigest()
        try:
            file = default_database().with_name(name)
        except NoPlace:
            return None
    return file.with_name(f"{file.name}.{ending}")
