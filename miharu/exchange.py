"""What the interceptor saw of one HTTP exchange: references only, nothing decoded.

An exchange is filled on the caller's path, so it is mutable, slotted and does no work there; the worker
reads it once. It lies below both, so that interceptor and recorder never have to meet.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from miharu._quick import quickly_made
from miharu.holding import HOLDING, Holding
from miharu.kept_body import CHUNK_OVERHEAD, LEAST_HEAD, KeptBody

if TYPE_CHECKING:
    from miharu.attribution.context import Context
    from miharu.attribution.stated import Stated

__all__ = ("End", "Exchange", "Part", "Request", "ends_of")

End = Literal["eof", "closed", "dropped", "cancelled", "error"]
"""How the body ended: read to its end; closed before that; never touched and garbage-collected; cancelled, or
the program interrupted; broken off by an error."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked."""

    method: str
    host: str
    """With the port where the URL names one."""
    path: str
    query: str
    userinfo: str = ""
    """What stands before the host in the address, as it is written there."""
    headers: Mapping[str, str]
    """Names in lower case. Credentials are among them: they are read, never stored."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The plain fields of a multipart form."""
    body: bytes | None
    """``None`` where it was not plain bytes from the start; a stream is never read by us."""
    gap: int | None = None
    """Where in ``body`` bytes are missing for which there was no memory; ``None`` where it is whole."""


class Exchange(KeptBody):
    """One request and what came back. Instants are ``time.perf_counter_ns()``, except ``timestamp``."""

    __slots__ = (
        "context",
        "decoded",
        "end",
        "ended",
        "error_message",
        "error_type",
        "parts",
        "response_headers",
        "started",
        "stated",
        "status",
        "timestamp",
        "traced",
    )

    status: int | None
    """``None`` as long as no response came."""
    response_headers: Mapping[str, str]
    decoded: bool
    """The body had been read before we saw it (a mocked transport), so its encoding is undone."""
    end: End | None
    error_type: str | None
    """The qualified name of the exception. The exception itself would keep the caller's frames alive."""
    error_message: str | None
    ended: int
    context: "Context | None"
    """To whom it belongs, with ``stated`` and ``traced``: what ``context.now()`` gave when it began."""
    stated: "Stated | None"
    traced: Any
    timestamp: int
    """Unix milliseconds at the start."""
    started: int
    parts: int
    """How many parts of its body were passed on and not read yet, where it is read in parts."""

    def __init__(
        self,
        context: "Context | None" = None,
        stated: "Stated | None" = None,
        traced: Any = None,
        holding: Holding = HOLDING,
    ) -> None:
        super().__init__(holding)
        self.status = None
        self.response_headers = {}
        self.decoded = False
        self.end = None
        self.error_type = None
        self.error_message = None
        self.ended = self.parts = 0
        self.context = context
        self.stated = stated
        self.traced = traced
        self.timestamp = time.time_ns() // 1_000_000
        self.started = time.perf_counter_ns()

    def request(self) -> Request:
        """Describe what was asked. Called by the recorder, never on the caller's path."""
        raise NotImplementedError

    def part(self) -> "Part | None":
        """The whole lines of what was kept so far, which it keeps no longer; ``None`` where there is none."""
        for place in range(len(self.chunks) - 1, -1, -1):
            if at := self.chunks[place].rfind(b"\n") + 1:
                break
        else:
            return None
        head = [*self.chunks[:place], self.chunks[place][:at]]
        part = Part(self, head, self.arrivals[: place + 1], self._holding)
        self.parts += 1
        rest = [self.chunks[place][at:], *self.chunks[place + 1 :]]
        self.chunks, self.arrivals = rest, self.arrivals[place:]
        part.held, self.held = self.held, 0
        self.insist(sum(len(chunk) + CHUNK_OVERHEAD for chunk in rest))
        return part

    def asked_size(self) -> int:
        """Bytes of memory that the request's body takes, which its sender may have let go of."""
        return 0

    def abridge_request(self) -> None:
        """Keep of the request's body the ends only."""

    def hold(self) -> None:
        """Hold what it needs now that it is over: of the request's body too, all or the ends."""
        self.trim()
        size = self.asked_size()
        if size <= 2 * LEAST_HEAD:
            self.insist(size)
        elif not self.take(size):
            self.shed = True
            self.abridge_request()
            self.insist(2 * LEAST_HEAD)


class Part(Exchange):
    """The first lines of a body that is read in parts, while the rest of it still comes."""

    __slots__ = ("whole",)

    def __init__(
        self, whole: Exchange, chunks: list[bytes], arrivals: list[int], holding: Holding = HOLDING
    ) -> None:
        super().__init__(whole.context, whole.stated, whole.traced, holding)
        self.whole = whole
        self.timestamp, self.started = whole.timestamp, whole.started
        self.status, self.response_headers, self.decoded = whole.status, whole.response_headers, whole.decoded
        self.chunks, self.arrivals = chunks, arrivals
        self.end, self.ended = "eof", time.perf_counter_ns()

    def request(self) -> Request:
        return self.whole.request()


def ends_of(body: bytes) -> tuple[bytes, int | None]:
    """The ends of a body for which there is no memory, and where between them bytes are missing."""
    if len(body) <= 2 * LEAST_HEAD:
        return body, None
    return body[:LEAST_HEAD] + body[-LEAST_HEAD:], LEAST_HEAD
