"""What waits: what callers have left, bounded and never waiting, and what was read and is not stored yet.

There is no lock: ``deque.append`` is atomic, and the byte count is only a bound. Callers add to one number,
the worker to another, so a lost update between two callers bends the bound a little and is gone as soon as
the queue runs empty.
"""

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # it is made on the program's own thread
    from miharu.attribution.spans import OpenSpan
    from miharu.batch import Score, Span
    from miharu.call import Call
    from miharu.exchange import Exchange

__all__ = ("ExchangeQueue", "Kept", "Left")

Left: TypeAlias = "Exchange | OpenSpan | Span | Score"
"""What callers leave."""
Kept: TypeAlias = "Call | Span | Score"
"""What becomes of it."""

RECORD_BYTES = 512
"""What a span or a score takes, about, beside its longest text."""


class ExchangeQueue:
    """Full of bytes, it sheds content; full of exchanges, it drops. Both are counted."""

    __slots__ = (
        "_items",
        "_put",
        "_taken",
        "dropped",
        "dropped_records",
        "max_bytes",
        "max_items",
        "pending",
        "shed",
    )

    pending: list[Kept]
    """What was read and not stored yet, at most about one batch; it outlives the worker that read it."""
    dropped: int
    """Calls of which nothing is left."""
    dropped_records: int
    """Spans and scores of which nothing is left."""
    shed: int
    """Calls that were kept without their bodies, so without usage and cost."""

    def __init__(self, max_items: int = 10_000, max_bytes: int = 64 << 20) -> None:
        self.max_items = max_items
        self.max_bytes = max_bytes
        self.pending = []
        self._items: deque[tuple[Left, int]] = deque()
        self._put = 0
        self._taken = 0
        self.dropped = 0
        self.dropped_records = 0
        self.shed = 0

    def __len__(self) -> int:
        return len(self._items) + len(self.pending)

    @property
    def is_high(self) -> bool:
        """Whether it is half full, of items or of bytes."""
        return len(self._items) * 2 >= self.max_items or (self._put - self._taken) * 2 >= self.max_bytes

    def put(self, exchange: "Exchange") -> None:
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

    def put_record(self, record: "OpenSpan | Span | Score") -> None:
        """Leave a span or a score. It is stored with the calls of its time."""
        text = getattr(record, "comment", None) or getattr(record, "error_message", None)
        size = RECORD_BYTES + len(text or "")
        if len(self._items) >= self.max_items or self._put - self._taken + size > self.max_bytes:
            self.dropped_records += 1
            return
        self._put += size
        self._items.append((record, size))

    def take(self) -> "Left | None":
        """The oldest of what was left; ``None`` when there is none. For one thread only."""
        try:
            item, size = self._items.popleft()
        except IndexError:
            return None
        self._taken += size
        if not self._items:
            self._put = self._taken
        return item
