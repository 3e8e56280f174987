"""Wrong tokens, counted by where they come from, so that a token that a person chose is not found by trying.

A token that miharu has made has 256 bits, and so has every cookie; they need no counting.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ("MOST", "WINDOW_S", "Guesses")

MOST = 10
"""Different ones from one address within the window; the same again, from a forgotten tab, is none."""
WINDOW_S = 60.0
_ADDRESSES = 1000


class Guesses:
    """Of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, set[int]]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        """Whether nothing is to be compared for that address at the moment, be it right or wrong."""
        since, wrong = self._seen.get(_place(address), (0.0, set()))
        return len(wrong) >= MOST and self._clock() - since < WINDOW_S

    def note(self, address: str, shown: str) -> None:
        """That this one was wrong."""
        place = _place(address)
        since, wrong = self._seen.get(place, (0.0, set()))
        if not wrong or self._clock() - since >= WINDOW_S:
            since, wrong = self._clock(), set()
        if len(wrong) < MOST:
            wrong.add(hash(shown))
        self._seen[place] = since, wrong
        self._seen.move_to_end(place)
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)


def _place(address: str) -> str:
    """Who has one address of the sixth version has 2⁶⁴ of them."""
    try:
        ip = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return address if ip.ipv4_mapped else str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
