"""What happened next: what the model did after the tool that failed most had failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.analysis.after_failures import WITHIN_MS, After, after, traces_of
from miharu.batch import Span
from miharu.call import Call
from miharu.conditions.language import Condition
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query

__all__ = ("Following", "Next", "what_followed")

_SPANS, _FAILURES, _AT_ONCE, _CALLS, _ROWS = 500, 100, 10, 400, 6
"""Failed spans that are read, failures that are followed, and in one question, calls of it, and rows."""
_WORDS = {
    "again": "the model asked for it again",
    "answered": "the model answered without a tool",
    "failed": "the call failed or was left",
    "nothing": "no call followed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """One thing that happened."""

    text: str
    tool: str
    """The other tool that was asked for; else empty."""
    times: int
    share: float
    is_bad: bool
    link: str
    """The newest example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What followed the failures of a tool."""

    tool: str
    known: int
    """The newest failures of which it is known what followed."""
    rows: Sequence[Next]
    more: int
    """How often something else happened."""


async def what_followed(tool: str, query: Query, view: View, site: Site) -> Following | None:
    """What came after the newest failures of a tool; ``None`` where that is not known of any."""
    found = await site.store.failed_spans(query, _SPANS)
    failures = [span for span in found.newest if span.is_tool and span.name == tool][:_FAILURES]
    several = [failures[at : at + _AT_ONCE] for at in range(0, len(failures), _AT_ONCE)]
    async with together() as ask:
        parts = [(some, ask(_calls_around, some, site)) for some in several]
    seen: dict[After, list[Span]] = {}
    for some, calls in parts:
        since = calls.value[-1].timestamp if len(calls.value) == _CALLS else 0  # there are more before
        for span in some:
            if span.timestamp >= since and (came := after(span, calls.value)) is not None:
                seen.setdefault(came, []).append(span)
    known = sum(map(len, seen.values()))
    if not known:
        return None
    most = sorted(seen.items(), key=lambda one: (-len(one[1]), one[0]))
    rows = [_next(came, spans, known, view) for came, spans in most[:_ROWS]]
    return Following(tool=tool, known=known, rows=rows, more=known - sum(row.times for row in rows))


async def _calls_around(failures: Sequence[Span], site: Site) -> Sequence[Call]:
    traces = sorted(set[str]().union(*map(traces_of, failures)))
    query = Query(
        start=min(span.timestamp for span in failures) - WITHIN_MS,
        end=max(span.timestamp + span.duration_ms for span in failures) + WITHIN_MS,
        conditions=(Condition(field="trace_id", operator="in", values=tuple(traces)),),
    )
    return await site.store.calls(query, _CALLS)


def _next(came: After, spans: Sequence[Span], known: int, view: View) -> Next:
    kind, other = came
    return Next(
        text=_WORDS.get(kind, "the model asked for"),
        tool=other,
        times=len(spans),
        share=100 * len(spans) / known,
        is_bad=kind == "failed",
        link=view.only("trace", spans[0].trace_id).to("sessions", sel=spans[0].id),
    )
