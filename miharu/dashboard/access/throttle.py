"""Wrong tokens, counted by where they come from, so that a token that a person chose is not found by trying.

A token that miharu has made has 256 bits, and so has every cookie; they need no counting.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ("MOST", "WINDOW_S", "Guesses")

MOST = 10
"""Different wrong tokens from one address within the window; a repeated one counts once."""
WINDOW_S = 60.0
_ADDRESSES = 1000


class Guesses:
    """The wrong tokens that one process has seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, set[int]]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        """Whether tokens from that address are not checked at the moment, right or wrong."""
        since, wrong = self._seen.get(_place(address), (0.0, set()))
        return len(wrong) >= MOST and self._clock() - since < WINDOW_S

    def note(self, address: str, shown: str) -> None:
        """Count a wrong token."""
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
    """The address, or the /64 network of IPv6, since one visitor has 2⁶⁴ addresses."""
    try:
        ip = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return address if ip.ipv4_mapped else str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
