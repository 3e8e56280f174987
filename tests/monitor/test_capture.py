"""``miharu.capture``: the calls of a block, wherever they are made."""

import contextvars
import threading
from pathlib import Path

import anyio
import pytest

import miharu
from miharu import monitor
from miharu.call import Call, Outcome, Usage
from miharu.interceptor import handoff
from miharu.monitor.calls import Calls
from miharu.monitor.monitor import Monitor
from tests.calls import aask, ask, rows


def test_without_init_it_watches_for_the_block_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask()
    with miharu.capture() as calls:
        ask()
        ask()
    ask()
    assert [call.model for call in calls] == ["gpt-4o-2024-08-06"] * 2
    assert (calls.cost_nanousd, calls.tokens) == (150_000, 30)
    assert handoff.target() is None
    assert monitor.current() is None
    assert not list(tmp_path.iterdir())


def test_with_init_its_calls_are_stored_as_ever(database: Path) -> None:
    miharu.init(database)
    with miharu.capture() as calls:
        ask()
    ask()
    assert miharu.flush()
    assert len(calls) == 1
    assert {row["id"] for row in rows(database)} > {calls[0].id}


def test_init_in_the_block_is_as_good(database: Path) -> None:
    """An app that is started in a test calls it."""
    with miharu.capture() as calls:
        ask("before")
        miharu.init(database)
        ask("after")
    assert len(calls) == 2
    assert miharu.flush()
    assert len(rows(database)) == 1


async def test_of_coroutines() -> None:
    async with miharu.capture() as calls:
        await aask()
    assert len(calls) == 1


@pytest.mark.waits
async def test_of_coroutines_without_async() -> None:
    with miharu.capture() as calls:
        await aask()
    assert len(calls) == 1


async def test_a_block_that_ends_slowly_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop goes on, and so does what would begin a block meanwhile, once that has ended."""
    ending, go_on = threading.Event(), threading.Event()
    stop = Monitor.stop

    def slowly(monitor: Monitor, timeout: float) -> bool:
        ending.set()
        assert go_on.wait(10)
        return stop(monitor, timeout)

    monkeypatch.setattr(Monitor, "stop", slowly)

    async def one() -> None:
        async with miharu.capture() as calls:
            await aask()
        assert len(calls) == 1

    async def other() -> None:
        await anyio.to_thread.run_sync(ending.wait)
        async with miharu.capture() as calls:
            await aask()
        assert len(calls) == 1

    async def third() -> None:
        await anyio.to_thread.run_sync(ending.wait)
        await anyio.wait_all_tasks_blocked()
        go_on.set()

    async with anyio.create_task_group() as group:
        for task in (one, other, third):
            group.start_soon(task)


def test_looked_at_inside_the_block_they_are_up_to_date() -> None:
    with miharu.capture() as calls:
        assert len(calls) == 0
        assert list(calls) == []
        ask()
        assert len(calls) == 1
        assert calls[0].api == "openai.chat"
        assert calls[:1] == [calls[-1]]
        assert calls == [calls[0]]
        assert "openai.chat" in repr(calls)


def test_calls_of_blocks_inside_are_calls_of_those_around() -> None:
    with miharu.capture() as outer:
        ask()
        with miharu.capture() as inner:
            ask()
    assert (len(outer), len(inner)) == (2, 1)


async def test_blocks_at_the_same_time_have_their_own() -> None:
    found: dict[int, list[str | None]] = {}

    async def run(number: int) -> None:
        async with miharu.capture() as calls, miharu.context(user=f"u{number}"):
            for _ in range(number):
                await aask()
            await anyio.to_thread.run_sync(ask)
        found[number] = [call.user_id for call in calls]

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(run, number)
    assert found == {number: [f"u{number}"] * (number + 1) for number in range(8)}


def test_a_call_without_a_context_belongs_to_every_open_block() -> None:
    def elsewhere() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    with miharu.capture() as outer:
        elsewhere()
        with miharu.capture() as inner:
            elsewhere()
    assert (len(outer), len(inner)) == (2, 1)


def test_a_server_that_ran_before_the_block_is_seen() -> None:
    go_on, done = threading.Event(), threading.Event()

    def serve() -> None:
        go_on.wait()
        with miharu.context(user="server"):
            ask()
        done.set()

    thread = threading.Thread(target=contextvars.copy_context().run, args=(serve,))
    thread.start()
    with miharu.capture() as calls:
        go_on.set()
        assert done.wait(10)
    thread.join()
    assert [call.user_id for call in calls] == ["server"]


def test_a_call_after_the_block_is_not_its_own_though_it_was_started_there() -> None:
    with miharu.capture() as outer:
        with miharu.capture() as inner:
            context = contextvars.copy_context()
        context.run(ask)
    assert (len(outer), len(inner)) == (1, 0)


def test_a_failing_block_has_its_calls() -> None:
    def fail() -> None:
        ask()
        raise LookupError

    capture = miharu.capture()
    with pytest.raises(LookupError), capture:
        fail()
    assert len(capture.calls) == 1


async def test_a_cancelled_block_has_its_calls() -> None:
    with anyio.CancelScope() as scope:
        async with miharu.capture() as calls:
            await aask()
            scope.cancel()
            await anyio.sleep_forever()
    assert len(calls) == 1


def test_they_are_in_the_order_of_their_start() -> None:
    calls, wanted = Calls(), ["a", "b", "c"]
    for started, name in ((2, "b"), (3, "c"), (1, "a")):
        calls.take(started, Call(id=name, timestamp=0, api="x", outcome=Outcome(status="success")))
    assert [call.id for call in calls] == wanted


def test_the_end_of_a_background_call_completes_it() -> None:
    opened = Call(id="a", timestamp=0, api="x", response_id="r", outcome=Outcome(status="success"))
    end = Call(
        id="b",
        timestamp=1,
        api="x",
        response_id="r",
        outcome=Outcome(status="success"),
        usage=Usage(prompt_tokens=3),
        duration_ms=9,
        completes=True,
    )
    calls = Calls()
    calls.take(1, opened)
    calls.take(2, end)
    assert [(call.id, call.usage.prompt_tokens, call.duration_ms) for call in calls] == [("a", 3, 9)]
    other = Calls()
    other.take(2, end)
    assert len(other) == 1
