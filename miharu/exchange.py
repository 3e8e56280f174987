"""What the interceptor saw of one HTTP exchange: references only, nothing decoded.

An exchange is filled on the caller's path, so it is mutable, slotted and does no work there; the worker
reads it once. It lies below both, so that interceptor and recorder never have to meet.
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from miharu.attribution.context import Context
    from miharu.attribution.said import Said

__all__ = ("CHUNK_OVERHEAD", "KEPT_HEAD", "KEPT_TAIL", "End", "Exchange", "Request")

End = Literal["eof", "closed", "dropped", "cancelled", "error"]
"""How the body ended: read to its end; closed before that; never touched and garbage-collected; cancelled, or
the program interrupted; broken off by an error."""

KEPT_HEAD = 8 << 20
"""Bytes of memory for the part of a body that is kept whole."""
KEPT_TAIL = 1 << 20
"""Bytes kept from the end of a larger one: usage stands there."""
CHUNK_OVERHEAD = 96
"""Bytes that a chunk takes beside its content, so that a million tiny ones stay bounded too."""


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


class Exchange:
    """One request and what came back. Instants are ``time.perf_counter_ns()``, except ``timestamp``."""

    __slots__ = (
        "_tail_size",
        "arrivals",
        "chunks",
        "context",
        "decoded",
        "end",
        "ended",
        "error_message",
        "error_type",
        "lost",
        "response_headers",
        "said",
        "shed",
        "started",
        "status",
        "tail",
        "timestamp",
        "traced",
    )

    status: int | None
    """``None`` as long as no response came."""
    response_headers: Mapping[str, str]
    chunks: list[bytes]
    """Raw chunks of the body in order of arrival, content-encoding and all unless ``decoded``."""
    arrivals: list[int]
    """When each of them was consumed."""
    tail: deque[bytes] | None
    """The last chunks of a body that outgrew ``KEPT_HEAD``."""
    lost: int
    """Bytes between ``chunks`` and ``tail`` that were not kept."""
    shed: bool
    """Its bodies were let go of because too much waited."""
    decoded: bool
    """The body had been read before we saw it (a mocked transport), so its encoding is undone."""
    end: End | None
    error_type: str | None
    """The qualified name of the exception. The exception itself would keep the caller's frames alive."""
    error_message: str | None
    ended: int
    context: "Context | None"
    """To whom it belongs, with ``said`` and ``traced``: what ``context.now()`` gave when it began."""
    said: "Said | None"
    traced: Any
    timestamp: int
    """Unix milliseconds at the start."""
    started: int

    def __init__(
        self, context: "Context | None" = None, said: "Said | None" = None, traced: Any = None
    ) -> None:
        self.status = None
        self.response_headers = {}
        self.chunks = []
        self.arrivals = []
        self.tail = None
        self._tail_size = 0
        self.lost = 0
        self.shed = False
        self.decoded = False
        self.end = None
        self.error_type = None
        self.error_message = None
        self.ended = 0
        self.context = context
        self.said = said
        self.traced = traced
        self.timestamp = time.time_ns() // 1_000_000
        self.started = time.perf_counter_ns()

    def request(self) -> Request:
        """Describe what was asked. Called by the worker, never on the caller's path."""
        raise NotImplementedError

    def size(self) -> int:
        """Bytes of memory that the kept body takes, about."""
        return sum(map(len, self.chunks)) + CHUNK_OVERHEAD * len(self.chunks) + self._tail_size

    def overflow(self, chunk: bytes) -> None:
        """Keep a chunk that comes after ``KEPT_HEAD``, at the price of older ones."""
        tail = self.tail
        if tail is None:
            tail = self.tail = deque()
        if len(chunk) > KEPT_TAIL:
            self.lost += len(chunk) - KEPT_TAIL
            chunk = chunk[-KEPT_TAIL:]
        tail.append(chunk)
        self._tail_size += len(chunk) + CHUNK_OVERHEAD
        while self._tail_size > KEPT_TAIL and len(tail) > 1:
            gone = len(tail.popleft())
            self._tail_size -= gone + CHUNK_OVERHEAD
            self.lost += gone

    def forget_content(self) -> None:
        """Let go of the bodies, to keep memory within bounds; the rest is still worth a row."""
        self.shed = True
        self.chunks = []
        self.arrivals = []
        self.tail = None
        self._tail_size = 0
