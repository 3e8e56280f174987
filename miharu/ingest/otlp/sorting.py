"""One call is one row: the innermost span is the call, those around it are spans, and repeats are nothing.

A call that an interceptor of miharu has stored already, in the same process, is known by its trace: it is a
child of the instrumentor's span, or has the same response id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miharu.batch import Batch, Span
from miharu.call import Call
from miharu.ingest.otlp.kinds import Kind, kind_of
from miharu.ingest.otlp.memory import Key, Memory
from miharu.ingest.otlp.records import OtelSpan
from miharu.ingest.otlp.rows import as_call, as_span, id_of
from miharu.stores.base import Query

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("batch_of",)

AROUND_MS = 3_600_000
"""How long before and after a trace's calls others of it are looked for."""
STORED = 500
"""Calls of a trace that are looked at."""


def batch_of(spans: Sequence[OtelSpan], memory: Memory, monitor: "Monitor") -> Batch:
    """What is to be stored of these spans."""
    kinds = {_key(span): kind_of(span) for span in spans}
    stored = _stored(spans, kinds, monitor)
    with memory.lock:
        _climb(spans, kinds, memory, {call.parent_id for calls in stored.values() for call in calls})
        calls, works = list[Call](), list[Span]()
        for span in spans:
            call, work = _sorted(span, kinds[_key(span)], memory, stored.get(span.trace_id, ()), monitor)
            calls += [call] if call else []
            works += [work] if work else []
    return Batch(calls=calls, spans=works)


def _sorted(
    span: OtelSpan, kind: Kind, memory: Memory, stored: Sequence[Call], monitor: "Monitor"
) -> tuple[Call | None, Span | None]:
    key, above = _key(span), memory.is_above(_key(span))
    content = monitor.config.capture_content
    if kind != "call":
        return None, as_span(span, content=content) if above or kind == "work" else None
    if above:
        return None, as_span(span, content=content)
    call = as_call(span, memory.events_of(key) if content else (), content=content)
    kept = call if call.response_id is None else _once(call, call.response_id, span, memory, stored)
    return kept, None if kept else as_span(span, content=content)


def _once(
    call: Call, response_id: str, span: OtelSpan, memory: Memory, stored: Sequence[Call]
) -> Call | None:
    """The call, if it is the first with that response, or the end of one that was open; else it is known."""
    key = _key(span)
    others = [one for one in stored if one.response_id == response_id and one.span_id != span.id]
    if memory.owner_of(response_id, key) == key and not others:
        if _is_open(call):
            memory.note_open(response_id, call.timestamp)
        return call
    if _is_open(call):
        return None
    began = memory.ended(response_id, key)
    if began is None:
        began = next((one.timestamp for one in others if _is_open(one)), None)
    return None if began is None else _end_of(span, call, min(began, call.timestamp))


def _is_open(call: Call) -> bool:
    """Whether it is the receipt of a call that goes on in the background."""
    return call.outcome.status == "success" and call.usage.usage_source == "none"


def _end_of(span: OtelSpan, call: Call, began: int) -> Call:
    """The end of the call that began then: the store puts both together, by response and beginning."""
    lasted = call.timestamp + call.duration_ms - began
    return replace(call, id=id_of(span, began), timestamp=began, duration_ms=lasted, completes=True)


def _climb(
    spans: Sequence[OtelSpan], kinds: Mapping[Key, Kind], memory: Memory, parents: set[str | None]
) -> None:
    """Note each span above a call: from the latest start on, so that children come before their parents."""
    for span in sorted(spans, key=lambda one: (one.start, -one.end), reverse=True):
        key = _key(span)
        if span.id in parents:
            memory.note_above(key)
        if span.parent_id and (kinds[key] == "call" or memory.is_above(key)):
            memory.note_above((span.trace_id, span.parent_id))


def _stored(
    spans: Sequence[OtelSpan], kinds: Mapping[Key, Kind], monitor: "Monitor"
) -> Mapping[str, Sequence[Call]]:
    """The calls that are stored of the traces that have calls here."""
    moments: dict[str, list[int]] = {}
    for span in spans:
        if kinds[_key(span)] == "call":
            moments.setdefault(span.trace_id, []).append(span.start // 1_000_000)

    async def look() -> dict[str, Sequence[Call]]:
        found: dict[str, Sequence[Call]] = {}
        for trace_id, starts in moments.items():
            query = Query(start=min(starts) - AROUND_MS, end=max(starts) + AROUND_MS, trace_id=trace_id)
            found[trace_id] = await monitor.questions.calls(query, STORED)
        return found

    return monitor.read_sync(look) if moments else {}


def _key(span: OtelSpan) -> Key:
    return span.trace_id, span.id
