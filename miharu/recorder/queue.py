"""What waits: exchanges as callers left them, bounded and never waiting, and calls not stored yet.

There is no lock: ``deque.append`` is atomic, and the byte count is only a bound. Callers add to one number,
the worker to another, so a lost update between two callers bends the bound a little and is gone as soon as
the queue runs empty.
"""

from collections import deque

from miharu.call import Call
from miharu.exchange import Exchange

__all__ = ("ExchangeQueue",)


class ExchangeQueue:
    """Full of bytes, it sheds content; full of exchanges, it drops. Both are counted."""

    __slots__ = ("_items", "_put", "_taken", "dropped", "max_bytes", "max_items", "pending", "shed")

    pending: list[Call]
    """Calls that were read and not stored yet; they outlive the worker that read them."""
    dropped: int
    """Calls of which nothing is left."""
    shed: int
    """Calls that were kept without their bodies, so without usage and cost."""

    def __init__(self, max_items: int = 10_000, max_bytes: int = 64 << 20) -> None:
        self.max_items = max_items
        self.max_bytes = max_bytes
        self.pending = []
        self._items: deque[tuple[Exchange, int]] = deque()
        self._put = 0
        self._taken = 0
        self.dropped = 0
        self.shed = 0

    def __len__(self) -> int:
        return len(self._items) + len(self.pending)

    def put(self, exchange: Exchange) -> None:
        """Leave an exchange. It is read later, by somebody else."""
        if len(self._items) >= self.max_items:
            self.dropped += 1
            return
        size = exchange.size()
        if self._put - self._taken + size > self.max_bytes:
            exchange.forget_content()
            self.shed += 1
            size = 0
        self._put += size
        self._items.append((exchange, size))

    def take(self, most: int) -> list[Exchange]:
        """Up to that many exchanges, oldest first. For one thread only."""
        taken: list[Exchange] = []
        while self._items and len(taken) < most:
            exchange, size = self._items.popleft()
            self._taken += size
            taken.append(exchange)
        if not self._items:
            self._put = self._taken
        return taken
