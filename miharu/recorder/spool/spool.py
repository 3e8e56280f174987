"""This process's own file, and those that others have left behind."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from miharu._guard import swallowed
from miharu.batch import Batch
from miharu.config import MEMORY, NOWHERE, database_file, public_url
from miharu.config.location import NoPlace, default_database
from miharu.exchange import Exchange
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.spool.file import DAMAGED, SpoolFile
from miharu.recorder.spool.records import Record, pack
from miharu.recorder.spool.unread import Known, Unread, pack_unread

__all__ = ("Spool", "UnreadSpooling", "place_for", "spool_at_once", "spool_unread", "spools_at")

UNREAD_AT_ONCE = 20, 1 << 20
"""Exchanges in a record, and bytes: to write one takes a millisecond, and then others have their turn."""
WAITS_S = 0.05
"""How long something waits to be spooled unread, so that more comes along."""
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
        self.arrived = 0
        """Those that were ever added to it."""
        self.lost = 0
        """Those of which nothing could be made again."""
        self._own: SpoolFile | None = None
        self._counts: list[int] = []
        self._known: dict[int, list[Known]] = {}
        """Of exchanges that were not read yet, by the place of their record, what is not in the file."""
        self._first_read: Batch | None = None
        # the thread that ends the program may have to do what the worker does not come to
        self._lock = threading.RLock()

    @property
    def path(self) -> Path | None:
        """The file, while there is one."""
        return self._own.path if self._own else None

    @property
    def taken(self) -> int:
        """Of those that were ever added, how many do not wait any more."""
        return self.arrived - self.waiting

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
            self._append(
                payload, len(batch.calls) + len(batch.spans) + len(batch.scores) + len(batch.markers)
            )

    def append_unread(self, exchanges: Sequence[Exchange]) -> None:
        """Add exchanges that were not read yet.

        Raises:
            OSError: It cannot be written.
        """
        payload, known = pack_unread(exchanges)
        with self._lock:
            self._known[self._append(payload, len(exchanges))] = known

    def first(self) -> Record | None:
        """What is to be stored next; ``None`` when nothing is left, and then there is no file."""
        with self._lock:
            if self._own is None:
                return None
            if self._first_read is not None:
                return self._first_read
            before = self._own.lost
            record = self._own.first()
            self.lost += self._own.lost - before
            if record is None:
                self._counts.clear()
                self.close()
            elif not isinstance(record, Batch):
                for exchange, known in zip(record, self._known.pop(self._own.place, ()), strict=False):
                    if isinstance(exchange, Unread):
                        exchange.know(known)
            return record

    def is_read(self, batch: Batch) -> None:
        """The first record comes to this: what was read once is not read again."""
        self._first_read = batch

    def take(self) -> None:
        """Be done with the first: it is stored."""
        with self._lock:
            self._first_read = None
            if self._own is not None:
                self._own.take()
                del self._counts[:1]
                self.waiting = sum(self._counts)

    def _append(self, payload: bytes, count: int) -> int:
        if self.place is None:
            raise OSError("nothing is spooled for a store in memory")
        if self._own is None:
            self._own = SpoolFile.make(self.place)
        begins = self._own.append(payload)
        self._counts.append(count)
        self.arrived += count
        self.waiting = sum(self._counts)
        return begins

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
                self._own = self._first_read = None
                self._known.clear()
            self.waiting = sum(self._counts)

    def disown(self) -> None:
        """Forget the file in a child that was forked."""
        if self._own is not None:
            self._own.disown()
            self._own = self._first_read = None
            self._known.clear()


def spool_unread(queue: ExchangeQueue, spool: Spool) -> bool:
    """Write what waits to be read, as it is; whether there was something, and it is safe now."""
    safe = False
    while spool.has_room and (exchanges := queue.take_exchanges(*UNREAD_AT_ONCE)):
        try:
            spool.append_unread(exchanges)
        except OSError:
            queue.put_back(exchanges)
            return False
        except Exception:  # noqa: BLE001 - what a library of the program's makes hard to describe can be read
            queue.put_back(exchanges)
            swallowed("spooling")
            return False
        for exchange in exchanges:
            exchange.let_go()
        safe = True
        time.sleep(0)
    return safe


def spool_at_once(exchange: Exchange, spool: Spool) -> bool:
    """Write one that has just ended, for a process that may be gone in a moment; whether it is safe now.

    A large one is not, because it would take the program's own thread too long.
    """
    try:
        if exchange.held + exchange.asked_size() > UNREAD_AT_ONCE[1] or not spool.has_room:
            return False
        spool.append_unread([exchange])
    except Exception as error:  # noqa: BLE001 - then it waits in memory, as others do
        if not isinstance(error, OSError):
            swallowed("spooling")
        return False
    exchange.let_go()
    return True


class UnreadSpooling:
    """Does it whenever it is called, as soon as something has waited for long enough."""

    def __init__(self, queue: ExchangeQueue, spool: Spool) -> None:
        self._queue = queue
        self._spool = spool
        self._since: float | None = None

    def __call__(self) -> None:
        now = time.monotonic()
        if not len(self._queue):
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since >= WAITS_S:
            spool_unread(self._queue, self._spool)
            self._since = None


def spools_at(place: Path) -> Sequence[Path]:
    """The files at that place, of any process."""
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
