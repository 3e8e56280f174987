"""The orders that other threads give to the recorder."""

import threading
from collections import deque
from typing import TYPE_CHECKING

from miharu.recorder.threads.bell import Bell

if TYPE_CHECKING:
    from miharu.batch import Batch
    from miharu.errors import StoreError

__all__ = ("Flush", "Orders", "TakeIn")


class Flush:
    """A thread waits until everything left so far is stored."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = threading.Event()


class TakeIn:
    """A thread waits until a batch that another program has sent is stored, or refused."""

    __slots__ = ("batch", "done", "refusal")

    def __init__(self, batch: "Batch") -> None:
        self.batch = batch
        self.done = threading.Event()
        self.refusal: StoreError | None = None
        """Why it was not stored."""

    def give_up(self) -> None:
        """Wait no longer: the sender keeps the batch, so it need not be held here until its turn comes."""
        from miharu.batch import Batch

        self.batch = Batch()

    def refuse(self, refusal: "StoreError") -> None:
        self.refusal = refusal
        self.done.set()


class Orders:
    """The orders of other threads, and the bells by which they wake the recorder."""

    __slots__ = ("asleep", "calls", "flushes", "for_good", "haste", "stopping", "take_ins")

    for_good: bool
    """The program ends, or shuts us down; else it only forks."""
    asleep: bool
    """Whether a call has to ring: it is read on the caller's path, and cheaper than a bell."""
    calls: Bell
    """Rung for calls, which may wait a little for others."""
    haste: Bell
    """Rung for orders that may not wait."""

    def __init__(self) -> None:
        self.stopping = False
        self.for_good = self.asleep = True
        self.flushes: deque[Flush] = deque()
        self.take_ins: deque[TakeIn] = deque()
        self.calls, self.haste = Bell(), Bell()

    def hurry(self) -> None:
        """Wake the recorder at once."""
        self.haste.ring()
        self.calls.ring()
