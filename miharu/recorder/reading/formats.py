"""Which wire formats a request may be in: by the last segment of its path, remembered by address."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from miharu.providers.base import Provider, Rule

__all__ = ("Formats",)

REMEMBERED = 512
"""Addresses whose formats are remembered."""
LONGEST = 300
"""Characters of one; a longer one is looked up anew."""


class Formats:
    """Finds the formats of a request, in the order in which they are tried."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = tuple(providers)
        self._by_tail: dict[str, list[tuple[int, Rule]]] = {}
        self._others: list[tuple[int, Rule]] = []
        """Rules that say nothing of the last segment as a whole."""
        for number, provider in enumerate(self._providers):
            for rule in provider.rules:
                is_whole = rule.method != "GET" and ("/" in rule.path or ":" in rule.path)
                rules = self._by_tail.setdefault(rule.tail, []) if is_whole else self._others
                rules.append((number, rule))
        self._remembered = lru_cache(REMEMBERED)(self._found)

    def of(self, method: str, host: str, path: str) -> Sequence[Provider]:
        """Those with a rule that such a request matches; the host comes without its port."""
        if len(host) + len(path) > LONGEST:
            return self._found(method, host, path)
        return self._remembered(method, host, path)

    def _found(self, method: str, host: str, path: str) -> Sequence[Provider]:
        tail = path.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        rules = (*self._by_tail.get(tail, ()), *self._others)
        numbers = {number for number, rule in rules if rule.matches(method, host, path)}
        return tuple(self._providers[number] for number in sorted(numbers))
