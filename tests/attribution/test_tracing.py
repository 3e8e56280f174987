"""Trace ids: taken over from the request and from OpenTelemetry, else made here."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, propagation

import miharu
from miharu.attribution import context, tracing
from miharu.attribution.context import Beginning, Origin
from miharu.attribution.resolve import Attribution, attribution_of, span_record

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def here() -> Attribution:
    return attribution_of(*context.now())


def scope(*parents: str) -> dict[str, Any]:
    return {"path": "/", "headers": [(b"traceparent", parent.encode()) for parent in parents]}


@contextmanager
def opentelemetry(trace_id: int, span_id: int) -> Iterator[tuple[str, str]]:
    """A span of the real API, as its SDK makes one active."""
    context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        yield f"{trace_id:032x}", f"{span_id:016x}"


@pytest.mark.parametrize("parent", [PARENT, f"cc-{TRACE}-{SPAN}-00-what-the-future-holds", f" {PARENT} "])
def test_a_request_brings_its_trace(parent: str) -> None:
    assert tracing.incoming(scope(parent)) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "parents",
    [
        (),
        ("",),
        ("nonsense",),
        (PARENT.upper(),),
        (PARENT.replace("00-", "ff-", 1),),
        (f"00-{'0' * 32}-{SPAN}-01",),
        (f"00-{TRACE}-{'0' * 16}-01",),
        (PARENT[:-1],),
        (PARENT + "0",),
        (PARENT, PARENT),
    ],
)
def test_what_is_no_trace_is_left_alone(parents: tuple[str, ...]) -> None:
    assert tracing.incoming(scope(*parents)) is None
    with Beginning(Origin(scope(*parents))):
        assert here().trace_id not in {TRACE, None}
        assert here().parent_id is None


def test_a_call_of_such_a_request_is_in_that_trace() -> None:
    with Beginning(Origin(scope(PARENT))):
        assert (here().trace_id, here().parent_id) == (TRACE, SPAN)
        with miharu.span("work") as span:
            assert span.trace_id == TRACE
            assert (here().trace_id, here().parent_id) == (TRACE, span.id)


def test_all_of_one_request_share_a_trace_and_those_of_another_have_another() -> None:
    seen = []
    for _ in range(2):
        with Beginning(Origin({"path": "/"})):
            seen += [here().trace_id, here().trace_id, miharu.trace_id()]
    assert len(set(seen)) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", str(each)) for each in seen)


def test_an_active_span_of_opentelemetry_is_the_parent() -> None:
    with opentelemetry(5, 6) as ids:
        assert (here().trace_id, here().parent_id) == ids
        assert miharu.trace_id() == ids[0]
    assert here().trace_id is None
    assert miharu.trace_id() is None


def test_in_a_request_it_is_preferred_to_the_header() -> None:
    with Beginning(Origin(scope(PARENT))), opentelemetry(5, 6) as ids:
        assert (here().trace_id, here().parent_id) == ids


def test_a_span_of_ours_inside_takes_its_trace_and_is_the_parent() -> None:
    with opentelemetry(5, 6) as ids, miharu.span("work") as span:
        assert span.trace_id == ids[0]
        with opentelemetry(5, 7):
            assert (here().trace_id, here().parent_id, here().tags) == (ids[0], span.id, None)


def test_a_trace_that_begins_inside_a_span_of_ours_is_taken_over() -> None:
    with miharu.span("main") as span, opentelemetry(5, 6) as ids:
        assert (here().trace_id, here().parent_id) == (ids[0], span.id)
        assert span.trace_id == ids[0]


def test_a_second_trace_inside_a_span_of_ours_is_noted_beside() -> None:
    with miharu.span("main") as span:
        with opentelemetry(5, 6) as first:
            assert here().trace_id == first[0]
        with opentelemetry(7, 8) as second:
            found = here()
    assert (found.trace_id, found.parent_id) == (first[0], span.id)
    assert found.tags == {"otel.trace_id": second[0], "otel.span_id": second[1]}


def test_the_header_names_no_parent_in_a_trace_of_another() -> None:
    with Beginning(Origin(scope(PARENT))):
        with opentelemetry(5, 6) as ids:
            assert miharu.trace_id() == ids[0]
        assert (here().trace_id, here().parent_id) == (ids[0], None)


def test_a_span_whose_trace_became_another_has_no_parent_in_the_first() -> None:
    with opentelemetry(5, 6), miharu.span("work") as span, opentelemetry(7, 8) as inner:
        assert here().trace_id == inner[0]
    record = span_record(span, None)
    assert (record.trace_id, record.parent_id) == (inner[0], None)


def test_it_never_imports_opentelemetry() -> None:
    code = """
import sys, miharu
with miharu.span("work") as span:
    assert span.trace_id and miharu.trace_id() == span.trace_id
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_name_that_programs_use_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError

    with opentelemetry(5, 6) as ids:
        monkeypatch.setattr(trace, "get_current_span", refuse)
        assert (here().trace_id, here().parent_id) == ids


def test_an_opentelemetry_that_fails_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(propagation, "get_current_span", fail)
    assert tracing.active() is None
