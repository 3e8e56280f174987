"""The seam for a wire format: static rules for the caller's path, and a reader for the worker.

Rule      which requests it may be: plain data, matched without running any of the plug-in's code
Wire      one exchange, decoded
Reading   what it says
Provider  Wire -> Reading

What a call is to be paid for reaches its price in two ways:

- Tokens go into ``Usage``, and the provider's own usage object as it is into ``usage_raw``. What each field
  of it is to a price stands in ``miharu/pricing/_fields.py``, by wire format: counted among the tokens, a
  part of another field, free, or a quantity with a unit. A field that is not there and speaks of something
  countable leaves the call without a cost, so a new field of a built-in format needs a line there, and a new
  format a table, unless its reader puts the usage together itself and names each quantity in it. The usage
  object of a plug-in's format is not looked into.
- Whatever else the request or the answer tells of goes into ``Reading.quantities`` and ``Reading.terms``;
  both are kept in ``usage_raw`` under ``miharu``, so that ``miharu reprice`` knows them as well. A quantity
  is named by the unit of genai-prices where there is one (``web_searches``, ``storage_searches``,
  ``code_executions``, ``rerank_searches``, ``input_audio_seconds``, ``input_characters``,
  ``input_document_pages``, ``input_video_tokens``), and else by any word: what no list has a price for leaves
  the call without a cost. So does a paid tool that ran, even where nothing says how often: it is 1 of
  something without a unit.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from miharu.call import Usage
from miharu.exchange import End
from miharu.providers._json import Facts, loads
from miharu.providers._large import salvaged
from miharu.providers.rules import Rule

__all__ = ("Provider", "Reading", "Rule", "Wire")


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One exchange as it was on the wire, content-encoding undone."""

    method: str
    host: str
    path: str
    provider: str | None
    """Who answers at that host (``hosts.py``); ``None`` for a host that nobody knows."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an exchange says, in the normal form. Whether it succeeded is judged from it in one place."""

    terminated: bool
    """The format's own end was seen: the end marker of a stream, or a whole JSON body."""
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    """As the response names it."""
    request_model: str | None = None
    stream: bool = False
    ttft_ms: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    """Set where the provider reports an error, with whatever HTTP status."""
    finish_reason: str | None = None
    service_tier: str | None = None
    response_id: str | None = None
    quantities: Mapping[str, float] = field(default_factory=dict)
    """What is to be paid beside the fields of the usage object: how many, by unit."""
    terms: Mapping[str, str] = field(default_factory=dict)
    """What decides on the price beside model, date and service tier, such as ``{"latency": "optimized"}``."""
    stated_cost_usd: Decimal | None = None
    """What the provider or gateway itself says that it cost, in US dollars; preferred over any price."""
    opens: bool = False
    """The work goes on after this answer, and a later exchange of that ``response_id`` ends it."""
    completes: bool = False
    """It is the end of a call that an earlier exchange with the same ``response_id`` has opened."""
    began_ms: int | None = None
    """When that call began, in Unix milliseconds by the provider's clock.

    Where that is not said, only the end of a call that the same process has opened is known as one.
    """
    lasted_ms: int | None = None
    """How long it took, by the provider's clock."""

    @property
    def is_error(self) -> bool:
        """Whether the provider itself reports one."""
        return self.error_type is not None or self.error_message is not None


class Provider(Protocol):
    """Reads one wire format."""

    @property
    def api(self) -> str:
        """Its name, stored with each call, such as ``openai.chat``."""
        ...

    @property
    def rules(self) -> Sequence[Rule]:
        """Which requests it may be."""
        ...

    def read(self, wire: Wire) -> Reading | None:
        """Say what the exchange was, or ``None``: it only looked like a call in this format.

        Runs in the worker. The bytes are anybody's: truncated, malformed, hostile.
        """
        ...
