"""A span and a log record, as they were sent: whatever the encoding was, and not checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ("Attributes", "LogRecord", "OtelSpan", "SpanEvent", "problem_of")

Attributes = Mapping[str, Any]
"""Texts, numbers, booleans, lists and mappings of them."""
_LATEST_NS = (1 << 43) * 1_000_000


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
    attributes: Attributes
    body: Any


def problem_of(span: OtelSpan) -> str | None:
    """Why it cannot be taken in."""
    if len(span.trace_id) != 32 or len(span.id) != 16 or not int(span.trace_id, 16) or not int(span.id, 16):
        return "a span has no valid trace_id and span_id"
    if not 0 < span.start <= span.end < _LATEST_NS:
        return "a span begins and ends at no time that there is"
    return None
