"""The calls of one WebSocket session, cut out of its messages on the caller's path.

What a message is to a call is told by a look at its first bytes, with an expression of the provider's rule.
A call keeps references to the few messages that tell of it; sound is dropped unread. So however long a
session lasts, it holds no more than the calls that are under way.

One call is in ``call.py``; the libraries' own parts are in ``websockets.py`` and ``aiohttp.py``.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache, update_wrapper
from typing import Any, TypeVar, cast

from miharu._guard import swallowed
from miharu.attribution import context
from miharu.exchange import Request
from miharu.interceptor import handoff
from miharu.interceptor.gate import Turns
from miharu.interceptor.handoff import begun, finish, forget, is_unseen
from miharu.interceptor.sockets.call import Message, SessionExchange, kept, line

__all__ = ("Session", "turns_at")

HEAD = 512
"""Bytes of a message in which its type is looked for."""
TAIL = 1024
"""Bytes of the end of one that has no type."""
LARGEST = 4 << 10
"""Bytes of a part of an answer that is kept whole; of a larger one only the start is, and when it came."""
MOST_KNOWN = 256 << 10
"""Bytes of a message about the session that is kept."""
MOST_OPEN = 32
"""Calls under way at a time."""
SWITCHED = 101
"""The HTTP status of an answer that begins a session."""

_QUIET = {None, "websocket_1000", "websocket_1001", "websocket_1005", "websocket_1006"}
"""Ends of a session in which nothing was asked, that are no failure."""

Instant = tuple[int, int]
"""``time.perf_counter_ns()``, and the Unix milliseconds at the same time."""
_Method = TypeVar("_Method", bound=Callable[..., None])


def _guarded(method: _Method) -> _Method:
    """The guard on the user's path: nothing that happens in the method reaches the program."""

    def guarded(*facts: Any) -> None:
        try:
            method(*facts)
        except Exception:  # noqa: BLE001 - whatever it is, it is not the program's affair
            swallowed("looking at a session's messages")

    return cast("_Method", update_wrapper(guarded, method))


class Session:
    """A session that is watched. Its program may send on one thread and receive on another."""

    def __init__(self, turns: Turns, request: Request) -> None:
        self.request = request
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._turns = turns
        self._sent, self._received, self._key = _compiled(turns.sent, turns.received, turns.key)
        self._reference = context.now()
        self._asked: deque[SessionExchange] = deque()
        """Calls that were asked for, and have not begun."""
        self._open: dict[bytes, SessionExchange] = {}
        self._known: list[bytes] = []
        self._last_end: bytes | None = None
        self._is_used = False
        """A call has begun."""
        self._waits_since: Instant | None = None
        self._heard: Instant | None = None
        self._opening: SessionExchange | None = SessionExchange(request, None, *self._reference)
        begun(self._opening)

    @_guarded
    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """The provider has accepted it."""
        self.status, self.headers = status, headers
        if self._opening is not None:
            forget(self._opening)
            self._opening = None

    @_guarded
    def refused(self, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
        """The provider has refused it: that is a call that has failed."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.status, opening.response_headers, opening.decoded = status, headers, False
            if body:
                opening.keep(body)
            finish(opening, "eof", None)

    @_guarded
    def sent(self, message: Message) -> None:
        """Look at a message that the program sends."""
        for kind in self._kinds(self._sent, message):
            if kind == "asks":
                self._ask(kept(message))
            elif kind == "waits":
                self._wait()
            elif kind == "knows" and len(message) <= MOST_KNOWN:
                self._known = [line(message)]

    @_guarded
    def received(self, message: Message) -> None:
        """Look at a message that the provider has sent."""
        kinds = self._kinds(self._received, message)
        if not kinds:
            return
        for kind, note in _NOTES:
            if kind in kinds:
                note(self, message)
                break
        if "waits" in kinds:
            self._wait()

    @_guarded
    def ended(self, error_type: str | None, message: str | None) -> None:
        """Nothing more comes. Without an error the program itself has ended it, and left its calls."""
        opening, self._opening = self._opening, None
        if opening is None and not self._is_used and error_type not in _QUIET:
            opening = self._made(None, None)  # such as a model that there is not, or a quota that is used up
        waiting = [] if self._turns.whole and error_type is None else list(self._asked)
        for exchange in self._asked if not waiting else ():
            forget(exchange)  # it may be answered already, which a format without types does not tell
        for exchange in filter(None, (opening, *self._open.values(), *waiting)):
            exchange.error_type, exchange.error_message = error_type, message
            self._finish(exchange, "closed" if error_type is None else "error")
        self._asked.clear()
        self._open.clear()
        self._known, self._last_end = [], None

    def __del__(self) -> None:
        if self._opening is not None or self._asked or self._open:
            self.ended(None, None)

    def _kinds(self, pattern: re.Pattern[bytes], message: Message) -> frozenset[str] | set[str]:
        """What a message is to a call; nothing where nobody records."""
        if handoff.target() is None:
            return _NOTHING
        size, whole = len(message), self._turns.whole
        if not whole or size > HEAD + TAIL:
            head: Any = message[:HEAD]
        else:
            head = message
        if isinstance(head, str):
            head = head.encode("utf-8", "replace")
        if not whole:
            found = pattern.search(head)
            return {found.lastgroup or ""} if found else _NOTHING
        parts = [head]
        if size > HEAD + TAIL:
            tail: Any = message[-TAIL:]
            parts.append(tail.encode("utf-8", "replace") if isinstance(tail, str) else tail)
        return {(found.lastgroup or "").rstrip("_") for part in parts for found in pattern.finditer(part)}

    def _know(self, message: Message) -> None:
        if len(message) <= MOST_KNOWN:
            self._known = [*self._known[:1], line(message)]

    def _end_of_one(self, message: Message) -> None:
        self._end(self._taken(message), message, total=self._turns.total)
        if self._turns.whole:
            self._waits_since = None

    def _tell(self, message: Message) -> None:
        (self._found(message) or self._begin(message)).keep(line(message))

    def _add(self, message: Message) -> None:
        exchange = self._found(message)
        if exchange is not None:
            exchange.keep(line(message))

    def _begin_one(self, message: Message) -> None:
        self._begin(message).keep(line(message))

    def _alone(self, message: Message) -> None:
        self._end(self._made(None, self._heard), message)

    def _refuse(self, message: Message) -> None:
        with suppress(IndexError):  # nothing was asked
            self._end(self._asked.popleft(), message)

    def _wait(self) -> None:
        self._waits_since = self._heard = time.perf_counter_ns(), time.time_ns() // 1_000_000

    def _ask(self, message: bytes) -> None:
        self._waits_since = None
        asked = self._made(message, None, here=True)
        if self._turns.whole:  # an answer does not say which question it is to, so it is the last one
            while self._asked:
                forget(self._asked.popleft())
        self._asked.append(asked)
        if len(self._asked) > MOST_OPEN:
            finish(self._asked.popleft(), "dropped", None)

    def _begin(self, message: Message) -> SessionExchange:
        try:
            exchange = self._asked.popleft()
        except IndexError:
            exchange = self._made(None, self._waits_since)
        self._waits_since = None
        self._open[self._key_of(message)] = exchange
        if len(self._open) > MOST_OPEN:
            with suppress(StopIteration, KeyError):
                self._finish(self._open.pop(next(iter(self._open))), "dropped")
        return exchange

    def _content(self, message: Message) -> None:
        exchange = self._found(message)
        if exchange is None:
            if not self._turns.whole:
                return
            exchange = self._begin(message)
        if len(message) <= self._turns.content or not exchange.has_content:
            exchange.has_content = True
            exchange.keep(line(message if len(message) <= LARGEST else message[:HEAD]))

    def _end(self, exchange: SessionExchange, message: Message, *, total: bool = False) -> None:
        last = line(message)
        if total:
            if self._last_end is not None:
                exchange.keep(self._last_end)
            self._last_end = last if len(last) <= MOST_KNOWN else b"{}"
        exchange.keep(last)
        self._finish(exchange, "eof")

    def _finish(self, exchange: SessionExchange, end: Any) -> None:
        for known in self._known:
            exchange.keep(known)
        finish(exchange, end, None)

    def _made(self, asked: bytes | None, since: Instant | None, *, here: bool = False) -> SessionExchange:
        """A call: of who asks for it here, or else of who has opened the session."""
        self._is_used = True
        exchange = SessionExchange(self.request, asked, *(context.now() if here else self._reference))
        exchange.status, exchange.response_headers = self.status, self.headers
        if since is not None:
            exchange.started, exchange.timestamp = since
        begun(exchange)
        return exchange

    def _taken(self, message: Message) -> SessionExchange:
        """The call that this message ends."""
        found = self._found(message)
        if found is None:
            return self._begin_and_take(message)
        for key, exchange in list(self._open.items()):
            if exchange is found:
                self._open.pop(key, None)
        return found

    def _begin_and_take(self, message: Message) -> SessionExchange:
        exchange = self._begin(message)
        self._open = {key: each for key, each in self._open.items() if each is not exchange}
        return exchange

    def _found(self, message: Message) -> SessionExchange | None:
        """The call under way that a message belongs to."""
        if len(self._open) < 2:
            return next(iter(self._open.values()), None)
        return self._open.get(self._key_of(message))

    def _key_of(self, message: Message) -> bytes:
        found = self._key.search(kept(message[:HEAD])) if self._key is not None else None
        return b"" if found is None else next(filter(None, found.groups()), b"")


_NOTHING: frozenset[str] = frozenset()
_NOTES: tuple[tuple[str, Callable[[Session, Message], None]], ...] = (
    ("knows", Session._know),  # noqa: SLF001 - they are its own
    ("ends", Session._end_of_one),  # noqa: SLF001
    ("tells", Session._tell),  # noqa: SLF001
    ("content", Session._content),  # noqa: SLF001
    ("begins", Session._begin_one),  # noqa: SLF001
    ("alone", Session._alone),  # noqa: SLF001
    ("refuses", Session._refuse),  # noqa: SLF001
    ("adds", Session._add),  # noqa: SLF001
)
"""What becomes of a message that the provider has sent; of several kinds the first counts."""


def turns_at(host: str, port: int | None, path: str) -> Turns | None:
    """How a session there is divided into calls; ``None`` where it is not to be watched."""
    watching = handoff.target()
    turns = None if watching is None else watching.gate.turns(host, path)
    if watching is None or turns is None or is_unseen():
        return None
    return None if watching.ignores and watching.ignores(host, port, path) else turns


@lru_cache(64)
def _compiled(
    sent: str, received: str, key: str
) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes] | None]:
    """Compiled with the first session, because it takes a while."""
    return (
        re.compile(sent.encode()),
        re.compile(received.encode()),
        re.compile(key.encode()) if key else None,
    )
