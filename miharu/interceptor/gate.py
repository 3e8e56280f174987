"""Which requests are worth a look. It runs for every request of the host program: set look-ups, no more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

__all__ = ("Gate", "Pass", "Turns")


class Turns(Protocol):
    """How the messages of a WebSocket session are divided into calls: what a provider's rule says of it."""

    @property
    def sent(self) -> str: ...
    @property
    def received(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def whole(self) -> bool: ...
    @property
    def content(self) -> int: ...
    @property
    def total(self) -> bool: ...


class Pass(Protocol):
    """What a provider's rule says to the gate."""

    @property
    def method(self) -> str: ...
    @property
    def tail(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def turns(self) -> Turns | None: ...
    def matches(self, method: str, host: str, path: str) -> bool: ...


class Gate:
    """Lets pass what may be a model call; the worker takes the second, closer look."""

    __slots__ = ("_files", "_hosts", "_parents", "_sessions", "_tails")

    def __init__(self, rules: Iterable[Pass]) -> None:
        self._tails: dict[str, tuple[str, ...]] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._files: dict[str, tuple[Pass, ...]] = {}
        self._hosts: tuple[str, ...] = ()
        self._sessions: tuple[Pass, ...] = ()
        self.widen(rules)

    def widen(self, rules: Iterable[Pass]) -> None:
        """Let more pass, from now on."""
        rules = list(rules)
        posts = [rule for rule in rules if rule.method == "POST"]
        self._tails = _by_tail(self._tails, [rule for rule in posts if rule.tail])
        self._hosts = _all(self._hosts, [rule.host for rule in posts if not rule.tail])
        gets = [rule for rule in rules if rule.method == "GET"]
        self._parents = _by_tail(self._parents, [rule for rule in gets if not rule.file])
        files = dict(self._files)
        for rule in gets:
            if rule.file:
                files[rule.file[1:]] = (*files.get(rule.file[1:], ()), rule)
        self._files = files
        self._sessions = (*self._sessions, *(rule for rule in rules if rule.method == "WEBSOCKET"))

    def passes(self, method: str, host: str, path: str) -> bool:
        """Whether the last segment of the path, or what follows a colon in it, is a known one.

        Of a ``GET`` it is the segment before: it fetches one thing by its id.
        """
        if method == "POST":
            tail = path.rpartition("/")[2] or path.rstrip("/").rpartition("/")[2]
            hosts = self._tails.get(tail) or (
                self._tails.get(tail.rpartition(":")[2]) if ":" in tail else None
            )
            return (hosts is not None and host.endswith(hosts)) or host.endswith(self._hosts)
        if method != "GET":
            return False
        hosts = self._parents.get(path.rpartition("/")[0].rpartition("/")[2])
        return (hosts is not None and host.endswith(hosts)) or self.is_file(method, host, path)

    def is_file(self, method: str, host: str, path: str) -> bool:
        """Whether it fetches a file of lines, which is read in parts."""
        tail = path.rpartition("/")[2].rpartition(":")[2]
        return any(rule.matches(method, host, path) for rule in self._files.get(tail, ()))

    def turns(self, host: str, path: str) -> Turns | None:
        """How a WebSocket session there is divided into calls; ``None`` where it is not one with a model."""
        path = path.rstrip("/")
        for rule in self._sessions:
            if rule.turns is not None and path.endswith(rule.path) and host.endswith(rule.host):
                return rule.turns
        return None


def _by_tail(known: Mapping[str, tuple[str, ...]], rules: Iterable[Pass]) -> dict[str, tuple[str, ...]]:
    """Which hosts a tail is known at; the empty end stands for all of them."""
    found = dict(known)
    for rule in rules:
        found[rule.tail] = _all(found.get(rule.tail, ()), [rule.host])
    return found


def _all(some: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))
