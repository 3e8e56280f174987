"""How often one address may send: a bucket of tokens each, and a bound on how many buckets there are."""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

__all__ = ("BURST", "PER_SECOND", "Rate")

PER_SECOND = 100
BURST = 300
"""Requests that may come at once."""
_ADDRESSES = 10_000


class Rate:
    """Counts what each address sends."""

    def __init__(
        self, per_second: float = PER_SECOND, burst: int = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted; those that sent last come last."""

    def wait(self, address: str) -> int | None:
        """Count one request; after how many seconds to come again, where there were too many."""
        now = self._clock()
        tokens, since = self._buckets.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        self._buckets[address] = max(0.0, tokens - 1), now
        if len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)
        return None if tokens >= 1 else max(1, ceil((1 - tokens) / self._per_second))
