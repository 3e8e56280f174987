"""Spans that failed: the program's own work."""

from collections import defaultdict
from dataclasses import dataclass

from miharu.analysis.error_skeletons import skeleton
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.stores.base import Query

__all__ = ("FailedWork", "failed_work")

_SPANS, _WORK = 500, 12
"""Failed spans that are read, and how many of them are told apart."""
_OF_SPANS = {"route", "user", "service", "session", "trace", "error", "status"}
"""The filters that say which spans are meant, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedWork:
    """Spans of one name that ended in the same error."""

    name: str
    error: str
    text: str
    spans: int
    """Among those read."""
    last: int
    link: str


async def failed_work(view: View, query: Query, site: Site) -> tuple[list[FailedWork], int]:
    """Spans that failed, by what they are called and what they say; and how many they are."""
    if view.fields_asked - _OF_SPANS:
        return [], 0
    found = await site.store.failed_spans(query, _SPANS)
    by_text = defaultdict(list)
    for span in found.newest:
        by_text[span.name, span.error_type or "error", skeleton(span.error_message)].append(span)
    failed = [
        FailedWork(
            name=name,
            error=error,
            text=text or "It says nothing.",
            spans=len(spans),
            last=spans[0].timestamp,
            link=view.only("trace", spans[0].trace_id).to("sessions", sel=spans[0].id),
        )
        for (name, error, text), spans in by_text.items()
    ]
    return sorted(failed, key=lambda one: (-one.spans, -one.last))[:_WORK], found.number
