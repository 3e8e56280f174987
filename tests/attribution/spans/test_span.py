"""``miharu.span``: a tree of spans, with the calls in them, their durations and errors."""

import asyncio
import contextvars
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

import miharu
from miharu.attribution import context
from miharu.attribution.context import Beginning, Origin
from miharu.attribution.resolve import span_record
from tests.attribution.conftest import Fail
from tests.calls import aask, ask, rows


def test_spans_and_calls_are_one_tree(database: Path) -> None:
    miharu.init(database, service="shop")
    with miharu.span("answer") as outer:
        ask()
        with miharu.span("retrieve") as inner:
            ask()
        ask()
    assert miharu.flush()
    calls = rows(database)
    assert {call["trace_id"] for call in calls} == {outer.trace_id} == {inner.trace_id}
    assert sorted(call["parent_id"] for call in calls) == sorted([outer.id, outer.id, inner.id])
    assert len({call["span_id"] for call in calls}) == 3
    kept = {span["name"]: dict(span) for span in rows(database, "llm_spans")}
    assert set(kept) == {"answer", "retrieve"}
    assert (kept["answer"]["id"], kept["answer"]["parent_id"]) == (outer.id, None)
    assert (kept["retrieve"]["id"], kept["retrieve"]["parent_id"]) == (inner.id, outer.id)
    assert {span["trace_id"] for span in kept.values()} == {outer.trace_id}
    assert {span["service"] for span in kept.values()} == {"shop"}
    assert {span["status"] for span in kept.values()} == {"success"}
    assert kept["answer"]["duration_ms"] >= kept["retrieve"]["duration_ms"]


def test_a_call_by_itself_is_a_trace_of_its_own(database: Path) -> None:
    miharu.init(database)
    ask("one")
    ask("two")
    assert miharu.flush()
    one, two = rows(database)
    assert one["trace_id"] != two["trace_id"]
    assert (one["parent_id"], two["parent_id"]) == (None, None)
    assert len(one["span_id"]) == 16


def test_a_span_belongs_to_whom_its_calls_belong(spans: list[Any]) -> None:
    with Beginning(Origin({"path": "/chat", "method": "GET"})):
        miharu.context(session="s")
        with miharu.context(tags={"a": "b"}), miharu.span("work"):
            miharu.context(user="ann")
    span = span_record(spans[0], "shop")
    assert (span.route, span.user_id, span.session_id) == ("GET /chat", "ann", "s")
    assert (span.tags, span.service) == ({"a": "b"}, "shop")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LookupError("no such thing"), "error"),
        (KeyboardInterrupt(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
        (SystemExit(3), "cancelled"),
        (SystemExit(), "success"),
    ],
)
def test_how_it_ended(spans: list[Any], error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), miharu.span("work"):
        raise error
    span = span_record(spans[0], None)
    assert span.status == status
    if status == "error":
        assert (span.error_type, span.error_message) == ("builtins.LookupError", "no such thing")


def test_an_error_that_cannot_be_printed(spans: list[Any]) -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(OddError), miharu.span("work"):
        raise OddError
    assert (spans[0].status, spans[0].error_message) == ("error", None)


async def test_a_cancelled_one(spans: list[Any]) -> None:
    entered = anyio.Event()

    async def work() -> None:
        async with miharu.span("work"):
            entered.set()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await entered.wait()
        group.cancel_scope.cancel()
    assert spans[0].status == "cancelled"
    assert context.current() is None


async def test_tasks_started_in_it_are_part_of_it() -> None:
    async with miharu.capture() as calls, miharu.span("work") as span, anyio.create_task_group() as group:
        group.start_soon(aask)
        group.start_soon(anyio.to_thread.run_sync, ask)  # type: ignore[arg-type]
    assert [call.parent_id for call in calls] == [span.id, span.id]


def test_a_thread_of_ones_own_is_not_unless_it_is_given_the_context() -> None:
    with miharu.capture() as calls, miharu.span("work") as span:
        for run in (contextvars.Context().run, contextvars.copy_context().run):
            thread = threading.Thread(target=run, args=(ask,))
            thread.start()
            thread.join()
    assert [call.parent_id for call in calls] == [None, span.id]


def test_it_is_used_once(spans: list[Any]) -> None:
    work = miharu.span("work")
    for _ in range(2):
        with work:
            pass
    assert len(spans) == 1
    assert context.current() is None


def test_one_that_never_began_has_no_trace() -> None:
    assert miharu.span("work").trace_id == ""


def test_nobody_listens() -> None:
    """Without ``init()`` a span still has its ids, and nothing is kept."""
    with miharu.span("work") as span:
        assert miharu.trace_id() == span.trace_id
    assert context.current() is None


def test_a_mistake_of_ours_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fail: Fail
) -> None:
    monkeypatch.setattr("miharu.attribution.tracing.new_span_id", fail)
    with miharu.span("work") as span:
        assert span.trace_id == ""
    assert "miharu.span() failed" in caplog.text
