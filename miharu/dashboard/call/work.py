"""One span in full: a piece of the program's work, how it ended, and whose it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.batch import Span
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import split_route

__all__ = ("Work", "work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    span: Span
    error: str
    """The error it ended with; empty for a success."""
    method: str
    route: str
    meta: Sequence[tuple[str, str]]
    calls: str
    """Where the calls of its trace are listed."""


def work(span: Span, view: View) -> Work:
    method, route = split_route(span.route)
    facts = (
        ("Service", span.service),
        ("Route", span.route),
        ("User", span.user_id),
        ("Session", span.session_id),
        *((f"Tag {name}", value) for name, value in (span.tags or {}).items()),
        ("Trace", span.trace_id),
        ("Span", span.id),
        ("Parent span", span.parent_id),
    )
    return Work(
        span=span,
        error="" if span.status == "success" else span.error_type or span.status,
        method=method,
        route=route,
        meta=[(name, value) for name, value in facts if value],
        calls=view.only("trace", span.trace_id).to("calls"),
    )
