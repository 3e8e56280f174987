"""What waits: what callers have left, bounded and never waiting, and what was read and is not stored yet.

There is no lock: ``deque.append`` is atomic. How much memory calls take is bounded in ``holding.py``, from
their first byte on.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from miharu.exchange import Exchange
from miharu.holding import HOLDING, Holding

if TYPE_CHECKING:  # it is made on the program's own thread
    from miharu.attribution.spans.span import OpenSpan
    from miharu.batch import Marker, Score, Span
    from miharu.call import Call

__all__ = ("ExchangeQueue", "Kept", "Left")

Left: TypeAlias = "Exchange | OpenSpan | Span | Score | Marker"
"""What callers leave."""
Kept: TypeAlias = "Call | Span | Score | Marker"
"""What the recorder makes of it."""

RECORD_BYTES = 512
"""What a span, a score or a marker takes, about, beside its longest text."""


class ExchangeQueue:
    """Full, it drops; where memory is short, of a call only the ends are kept. Both are counted."""

    __slots__ = (
        "_items",
        "dropped",
        "dropped_records",
        "holding",
        "max_items",
        "pending",
        "shed",
        "taken",
        "under_way",
    )

    pending: list[Kept]
    """What was read and not stored yet, at most about one batch; it outlives the worker that read it."""
    under_way: "Iterator[Kept] | None"
    """What is still to come of an exchange that was taken: the results of a batch are many calls."""
    dropped: int
    """Calls of which nothing is left."""
    dropped_records: int
    """Spans, scores and markers of which nothing is left."""
    taken: int
    """How many were taken so far."""
    shed: int
    """Calls of whose bodies only the ends were kept: no content, and in most cases usage."""

    def __init__(self, max_items: int = 10_000, holding: Holding = HOLDING) -> None:
        self.max_items = max_items
        self.pending = []
        self.under_way = None
        self.holding = holding
        self._items: deque[tuple[Left, int]] = deque()
        self.dropped = 0
        self.dropped_records = 0
        self.shed = 0
        self.taken = 0

    def __len__(self) -> int:
        return len(self._items) + len(self.pending) + (self.under_way is not None)

    @property
    def arrived(self) -> int:
        """How many were left so far, and not dropped."""
        return self.taken + len(self._items)

    @property
    def is_high(self) -> bool:
        """Whether it is half full, of items or of bytes."""
        return len(self._items) * 2 >= self.max_items or self.holding.used * 2 >= self.holding.limit

    def put(self, exchange: "Exchange") -> None:
        """Leave an exchange, which the recorder reads later."""
        if len(self._items) >= self.max_items:
            self.dropped += 1
            exchange.let_go()
            return
        exchange.hold()
        self.shed += exchange.shed
        self._items.append((exchange, 0))

    def put_record(self, record: "OpenSpan | Span | Score | Marker") -> None:
        """Leave a span, a score or a marker. It is stored with the calls of its time."""
        text = getattr(record, "comment", None) or getattr(record, "error_message", None)
        size, content = RECORD_BYTES + len(text or ""), getattr(record, "held", 0)
        if content and self.holding.used + size + content > self.holding.limit:
            record.shed()  # type: ignore[union-attr] # only an open span holds content
        else:
            size += content
        if len(self._items) >= self.max_items or not self.holding.take(size):
            self.dropped_records += 1
            return
        self._items.append((record, size))

    def take_exchanges(self, most: int, room: int) -> "list[Exchange]":
        """The oldest exchanges; what else waits keeps its place. For one thread only.

        Args:
            most: How many.
            room: Bytes that they may hold; the one that goes beyond is the last.
        """
        found, others = list[Exchange](), list[tuple[Left, int]]()
        while len(found) < most and room > 0:
            try:
                item, size = self._items.popleft()
            except IndexError:
                break
            if isinstance(item, Exchange):
                found.append(item)
                room -= item.held
            else:
                others.append((item, size))
        self._items.extendleft(reversed(others))
        self.taken += len(found)
        return found

    def put_back(self, exchanges: "Sequence[Exchange]") -> None:
        """Put exchanges back that were taken."""
        self._items.extendleft((exchange, 0) for exchange in reversed(exchanges))
        self.taken -= len(exchanges)

    def take(self) -> "Left | None":
        """The oldest of what was left; ``None`` when there is none. For one thread only.

        An exchange holds its memory until it lets go of it.
        """
        try:
            item, size = self._items.popleft()
        except IndexError:
            return None
        self.taken += 1
        self.holding.give_back(size)
        return item
