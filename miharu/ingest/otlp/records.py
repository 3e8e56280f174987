"""A span and a log record, as they were sent: whatever the encoding was, and not checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miharu._bounds import is_recent

__all__ = ("Attributes", "LogRecord", "OtelSpan", "SpanEvent", "is_place", "parent_of", "problem_of")

Attributes = Mapping[str, Any]
"""Texts, numbers, booleans, lists and mappings of them."""
_NS = 1_000_000
_CLOCK = "; set its clock right, or that of this miharu"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened within a span."""

    name: str
    at: int
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class OtelSpan:
    """A span. Ids are hexadecimal, instants Unix nanoseconds."""

    trace_id: str
    id: str
    parent_id: str
    """Empty at the root."""
    name: str
    kind: int
    start: int
    end: int
    attributes: Attributes
    events: tuple[SpanEvent, ...] = ()
    failed: bool = False
    message: str = ""
    """Of its status."""
    resource: Attributes
    scope: str
    """The name of what has made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """A log record that is an event of GenAI."""

    trace_id: str
    span_id: str
    name: str
    at: int = 0
    """Unix nanoseconds; 0 where it was not said."""
    attributes: Attributes
    body: Any


def is_place(trace_id: str, span_id: str) -> bool:
    """Whether these hexadecimal ids are those of a span: of the right length, and not zero."""
    return len(trace_id) == 32 and len(span_id) == 16 and bool(int(trace_id, 16)) and bool(int(span_id, 16))


def parent_of(own: str, parent: str) -> str:
    """The parent's id; empty where it is zero, or the span's own."""
    return "" if parent == own or not parent.strip("0") else parent


def problem_of(one: OtelSpan | LogRecord, now: float) -> str | None:
    """Why it cannot be taken in, at that time (Unix seconds)."""
    if isinstance(one, OtelSpan):
        return _problem_of_span(one, now)
    if one.at and not is_recent(one.at // _NS, now):
        return f"a log record is from before 2015, or more than a day ahead{_CLOCK}"
    return None


def _problem_of_span(span: OtelSpan, now: float) -> str | None:
    if not is_place(span.trace_id, span.id):
        return "a span has no valid trace_id and span_id"
    if len(span.parent_id) not in {0, 16}:
        return "a span has no valid parent_span_id"
    if span.end < span.start:
        return "a span ends before it begins"
    if not is_recent(span.start // _NS, now) or not is_recent(span.end // _NS, now):
        return f"a span is from before 2015, or more than a day ahead{_CLOCK}"
    return None
