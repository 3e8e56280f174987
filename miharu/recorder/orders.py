"""What other threads want of the recorder."""

import threading
from collections import deque
from dataclasses import dataclass, field

from miharu.recorder.bell import Bell

__all__ = ("Flush", "Orders")


class Flush:
    """Somebody waits for what was left so far."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = threading.Event()


@dataclass(slots=True)
class Orders:
    """What other threads want, and the bells by which they wake the recorder."""

    stopping: bool = False
    for_good: bool = True
    """The program ends, or shuts us down; else it only forks."""
    flushes: deque[Flush] = field(default_factory=deque)
    asleep: bool = True
    """Whether a call has to ring: it is read on the caller's path, and cheaper than a bell."""
    calls: Bell = field(default_factory=Bell)
    """Rung for calls, which may wait a little for others."""
    haste: Bell = field(default_factory=Bell)
    """Rung for what may not."""

    def hurry(self) -> None:
        """Have it look at once, and not in a moment."""
        self.haste.ring()
        self.calls.ring()
