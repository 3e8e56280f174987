"""One call is one row: the innermost span is the call, those around it are spans, and repeats are nothing.

A call that an interceptor of miharu has stored already, in the same process, is known by its trace: it is a
child of the instrumentor's span, or has the same response id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miharu.batch import Batch, Span
from miharu.call import Call
from miharu.conditions.language import MOST_VALUES, Condition
from miharu.ingest.otlp.kinds import Kind, kind_of
from miharu.ingest.otlp.memory import Key, Memory
from miharu.ingest.otlp.records import OtelSpan
from miharu.ingest.otlp.rows import as_call, as_span, id_of
from miharu.stores.base import Query

if TYPE_CHECKING:
    from miharu.monitor import Monitor
    from miharu.stores.base import Questions

__all__ = ("batch_of",)

AROUND_MS = 3_600_000
"""How long before and after a trace's calls others of it are looked for."""
STORED = 500
"""Calls of a trace that are looked at."""
_Moments = Mapping[str, tuple[int, int]]
"""By trace, when its first and its last call here began, Unix milliseconds."""


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
    moments: dict[str, tuple[int, int]] = {}
    for span in sorted(spans, key=lambda one: one.start):
        if kinds[_key(span)] == "call":
            at = span.start // 1_000_000
            moments[span.trace_id] = moments.get(span.trace_id, (at, at))[0], at

    async def look() -> dict[str, Sequence[Call]]:
        found: dict[str, Sequence[Call]] = {}
        for part in _parts(moments):
            found |= await _look(part, monitor.questions)
        return found

    return monitor.read_sync(look) if moments else {}


def _parts(moments: _Moments) -> Iterator[_Moments]:
    """Traces of about the same time, as many as one look-up may name."""
    part: dict[str, tuple[int, int]] = {}
    begun = 0
    for trace_id, (first, last) in moments.items():
        if part and (len(part) == MOST_VALUES or last - begun > AROUND_MS):
            yield part
            part = {}
        begun = begun if part else first
        part[trace_id] = first, last
    if part:
        yield part


async def _look(moments: _Moments, questions: "Questions") -> dict[str, Sequence[Call]]:
    """The calls of each trace around its own time; of many the newest."""
    start = min(first for first, _ in moments.values()) - AROUND_MS
    end = max(last for _, last in moments.values()) + AROUND_MS
    of_these = Condition(field="trace_id", operator="in", values=tuple(moments))
    calls = await questions.calls(Query(start=start, end=end, conditions=(of_these,)), STORED)
    if len(calls) == STORED and len(moments) > 1:  # there may be more of some
        traces = list(moments)
        halves = (traces[: len(traces) // 2], traces[len(traces) // 2 :])
        parts = [await _look({name: moments[name] for name in half}, questions) for half in halves]
        return parts[0] | parts[1]
    found: dict[str, list[Call]] = {}
    for call in calls:
        first, last = moments[call.trace_id or ""]
        if first - AROUND_MS <= call.timestamp < last + AROUND_MS:
            found.setdefault(call.trace_id or "", []).append(call)
    return {**found}


def _key(span: OtelSpan) -> Key:
    return span.trace_id, span.id
