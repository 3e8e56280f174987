"""One exchange as it was on the wire, and what a first look at it says."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from miharu._quick import quickly_made
from miharu.exchange import End
from miharu.wire.json import Facts, loads
from miharu.wire.large import salvaged

__all__ = ("Wire",)


@quickly_made
@dataclass(frozen=True, kw_only=True)
class Wire:
    """One exchange as it was on the wire, content-encoding undone."""

    method: str
    host: str
    path: str
    provider: str | None
    """Who answers at that host (``providers/hosts.py``); ``None`` for an unknown host."""
    query: str = ""
    """Of the address, as it was sent."""
    request_headers: Mapping[str, str]
    request_body: bytes | None
    request_gap: int | None = None
    """Where in it bytes are missing, because there was no memory for them."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Of a request that is a multipart form, without its files."""
    status: int | None
    """HTTP status; ``None`` when no response came."""
    headers: Mapping[str, str]
    """Of the response, names in lower case."""
    body: bytes
    """What was received of it, and kept."""
    end: End
    gap: int | None = None
    """Where in ``body`` bytes are missing that were too many to keep; ``None`` where it is whole."""
    unread: str | None = None
    """Why the rest of it was not decoded, where that would have cost too much."""
    marks: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    """For each chunk the length of ``body`` up to its end, and nanoseconds from the start to its arrival."""

    @cached_property
    def asked(self) -> Mapping[str, Any]:
        """The request's JSON object, or the facts of one that was not kept whole; empty where it is none."""
        if self.request_body and self.request_gap is not None:
            return Facts(
                salvaged(self.request_body[: self.request_gap], self.request_body[self.request_gap :])
            )
        value = loads(self.request_body) if self.request_body else None
        return value if isinstance(value, dict) else {}

    @cached_property
    def answered(self) -> Mapping[str, Any]:
        """The response's JSON object, or the facts of one that is too large; empty where it is none."""
        if self.gap is not None:
            return Facts(salvaged(self.body[: self.gap], self.body[self.gap :]))
        value = loads(self.body) if self.body else None
        return value if isinstance(value, dict) else {}

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is Server-Sent Events: by its first bytes, else by what the response says."""
        start = self.body[:64].lstrip()
        if start.startswith((b"data:", b"event:", b":", b"{", b"[")):
            return not start.startswith((b"{", b"["))
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def ms_at(self, offset: int) -> int | None:
        """Milliseconds from the start until the byte at ``offset`` of the body was consumed."""
        index = bisect_left(self.marks, (offset + 1,))
        return round(self.marks[index][1] / 1e6) if index < len(self.marks) else None
