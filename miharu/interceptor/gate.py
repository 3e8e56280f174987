"""Which requests are worth a look. This runs for each request of the host program: it is a set look-up."""

from collections.abc import Iterable

__all__ = ("Gate",)


class Gate:
    """Lets pass what may be a model call; the worker takes the second, closer look."""

    __slots__ = ("_tails",)

    def __init__(self, tails: Iterable[str]) -> None:
        self._tails = frozenset(tails)

    def widen(self, tails: Iterable[str]) -> None:
        """Let more pass, from now on."""
        self._tails |= frozenset(tails)

    def passes(self, method: str, path: str) -> bool:
        """Whether the last segment of the path, or what follows a colon in it, is a known one."""
        if method != "POST":
            return False
        tail = path.rpartition("/")[2] or path.rstrip("/").rpartition("/")[2]
        return tail in self._tails or (":" in tail and tail.rpartition(":")[2] in self._tails)
