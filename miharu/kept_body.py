"""What is kept of the body of a response, on the caller's path: all of it, as long as there is room.

A body that outgrows what one may take, or comes when all calls together hold as much as they may, is kept by
its ends: in them stand the format, the model and the usage.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from miharu._guard import swallowed
from miharu.holding import HOLDING, Holding

__all__ = ("CHUNK_OVERHEAD", "KEPT_HEAD", "KEPT_PART", "KEPT_TAIL", "LEAST_HEAD", "LEAST_TAIL", "KeptBody")

KEPT_HEAD = 8 << 20
"""Bytes of memory for the part of a body that is kept whole."""
KEPT_PART = 1 << 20
"""Bytes, about, after which the lines of a file that is read in parts are passed on."""
KEPT_TAIL = 1 << 20
"""Bytes kept from the end of a larger one."""
LEAST_HEAD = 2 << 10
LEAST_TAIL = 8 << 10
"""Bytes kept from the start and from the end, however little memory there is."""
CHUNK_OVERHEAD = 96
"""Bytes that a chunk takes beside its content, so that a million tiny ones stay bounded too."""
_STEPS = 4 << 10, 64 << 10
"""The least and the most bytes of memory that are asked for at a time, beside what a chunk needs."""


class KeptBody:
    """Chunks, and what they take of the memory that all calls may take together."""

    __slots__ = (
        "_holding",
        "_room",
        "_tail_room",
        "_tail_size",
        "arrivals",
        "chunks",
        "held",
        "in_parts",
        "lost",
        "on_part",
        "shed",
        "skips",
        "tail",
    )

    chunks: list[bytes]
    """Raw chunks of the body in order of arrival, with their content-encoding."""
    arrivals: list[int]
    """When each of them was consumed, ``time.perf_counter_ns()``."""
    tail: deque[bytes] | None
    """The last chunks of a body for which there was no room."""
    lost: int
    """Bytes between ``chunks`` and ``tail`` that were not kept."""
    shed: bool
    """There would have been room, if other calls had not taken it: no more than the ends were kept."""
    held: int
    """Bytes of memory that count as taken."""
    on_part: Callable[[Any], bool | None] | None
    """Passes on what can be read of it so far. It says whether that was anything; ``None``: this body is not
    read in parts."""
    in_parts: bool
    """It is a body of lines that is read in parts. It may be longer than all others together, so it leaves
    half of the memory to them."""
    skips: bool
    """It is a body of lines, and there is no room for this one."""

    def __init__(self, holding: Holding = HOLDING) -> None:
        self._holding = holding
        self._room = self._tail_room = self._tail_size = 0
        self.chunks = []
        self.arrivals = []
        self.tail = None
        self.lost = 0
        self.shed = self.skips = self.in_parts = False
        self.held = 0
        self.on_part = None

    def keep(self, chunk: bytes) -> None:
        """Keep a chunk, or what there is room for of it."""
        try:
            self._room -= len(chunk) + CHUNK_OVERHEAD
            if self._room >= 0 or self._has_more_room():
                self.chunks.append(chunk)
                self.arrivals.append(time.perf_counter_ns())
            else:
                self.overflow(chunk)
        except Exception:  # noqa: BLE001 - the chunk is on its way to the app
            swallowed("keeping a chunk")

    def overflow(self, chunk: bytes) -> None:
        """Keep a chunk for which there is no room, at the price of older ones."""
        if self.skips or self._skipping():
            self._resume(chunk)
            return
        if self.tail is None:
            chunk = self._begin_tail(chunk)
        tail, size = self.tail, len(chunk) + CHUNK_OVERHEAD
        assert tail is not None
        if self._tail_size + size > self._tail_room:
            self._widen_tail(self._tail_size + size)
        if size > self._tail_room:
            self.lost += size - self._tail_room
            chunk = chunk[size - self._tail_room :]
        tail.append(chunk)
        self._tail_size += len(chunk) + CHUNK_OVERHEAD
        while self._tail_size > self._tail_room and len(tail) > 1:
            gone = len(tail.popleft())
            self._tail_size -= gone + CHUNK_OVERHEAD
            self.lost += gone

    def trim(self) -> None:
        """Give back the memory that a body does not need, now that it is over."""
        if self._room > 0:
            self._holding.give_back(self._room)
            self.held -= self._room
            self._room = 0

    def let_go(self) -> None:
        """Give all memory back: the body was read, or will not be."""
        self.chunks = []
        self.arrivals = []
        self.tail = None
        self._tail_size = self._tail_room = self._room = 0
        self._holding.give_back(self.held)
        self.held = 0

    def insist(self, size: int) -> None:
        """Take so many bytes of memory, even where there is no room."""
        self._holding.insist(size)
        self.held += size

    def take(self, size: int) -> bool:
        """Take so many bytes of memory, if there is room for them; whether there is."""
        if self.in_parts and (self._holding.used + size) * 2 > self._holding.limit:
            return False
        taken = self._holding.take(size)
        if taken:
            self.held += size
        return taken

    def _has_more_room(self) -> bool:
        if self.tail is not None or self.skips:
            return False
        least, most = _STEPS
        need = -self._room
        if self.on_part is not None and self.held + need > KEPT_PART and self.on_part(self) is None:
            self.on_part = None
        for size in (max(need, min(max(self.held, least), most)), need):
            if self.held + size <= KEPT_HEAD and self.take(size):
                self._room += size
                return True
        self.shed = self.shed or self.held + need <= KEPT_HEAD
        return False

    def _skipping(self) -> bool:
        """Whether lines are left out from here on, until there is room: of a body that is read in parts."""
        if self.on_part is None or self.tail is not None:
            return False
        if self.on_part(self) is None:
            self.on_part = None
            return False
        self.lost += sum(map(len, self.chunks))  # the beginning of a line whose end is left out
        self._holding.give_back(self.held)
        self.chunks, self.arrivals, self.held = [], [], 0
        self.skips = self.shed = True
        return True

    def _resume(self, chunk: bytes) -> None:
        """Go on behind the end of a line, if there is room again."""
        rest = chunk[chunk.find(b"\n") + 1 :]
        if len(rest) == len(chunk) or not self.take(len(rest) + CHUNK_OVERHEAD):
            self.lost += len(chunk)
            return
        self.lost += len(chunk) - len(rest)
        self.skips, self._room = False, 0
        self.chunks.append(rest)
        self.arrivals.append(time.perf_counter_ns())

    def _begin_tail(self, chunk: bytes) -> bytes:
        """What is left of the chunk when a body of which nothing was kept yet has got its start."""
        self.tail, self._tail_room = deque(), LEAST_TAIL
        self.insist(LEAST_TAIL)
        if self.chunks:
            return chunk
        self.insist(LEAST_HEAD)
        self.chunks.append(chunk[:LEAST_HEAD])
        self.arrivals.append(time.perf_counter_ns())
        return chunk[LEAST_HEAD:]

    def _widen_tail(self, size: int) -> None:
        need = min(size + _STEPS[1], KEPT_TAIL) - self._tail_room
        if need > 0 and self.take(need):
            self._tail_room += need
