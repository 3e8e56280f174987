import asyncio
import contextvars
import os
import threading

import anyio
import anyio.lowlevel
import pytest

from miharu.recorder.threads.loop import LoopEnded, LoopThread

seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


@pytest.fixture
def loop() -> LoopThread:
    return LoopThread("miharu-test-loop")


async def twice(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return number * 2


def test_nothing_runs_before_it_is_needed(loop: LoopThread) -> None:
    assert not loop.running
    assert "miharu-test-loop" not in {thread.name for thread in threading.enumerate()}
    assert loop.run(twice, 2) == 4
    assert loop.running
    assert loop.stop()
    assert "miharu-test-loop" not in {thread.name for thread in threading.enumerate()}


async def test_a_coroutine_of_any_loop_is_answered(loop: LoopThread) -> None:
    assert await loop.call(twice, 2) == 4
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(loop.call, twice, 3)
    assert await anyio.to_thread.run_sync(loop.stop)


def refuse(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(threading.Thread, "start", start)


def test_at_the_end_of_a_program_it_runs_on_the_thread_that_waits(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "can't create new thread at interpreter shutdown")
    loops, looked = set[object](), asyncio.Event()

    async def slowly() -> int:
        loops.add(asyncio.get_running_loop())
        await looked.wait()
        return threading.get_ident()

    assert loop.run(slowly, meanwhile=looked.set) == threading.get_ident()
    assert loop.run(slowly) == threading.get_ident()
    assert len(loops) == 1  # a connection belongs to one loop
    monkeypatch.undo()
    elsewhere: list[BaseException] = []

    def ask() -> None:
        try:
            loop.start_soon(slowly)
            loop.run(slowly)
        except LoopEnded as error:
            elsewhere.append(error)

    refuse(monkeypatch, "can't create new thread at interpreter shutdown")
    ask()
    assert [str(one) for one in elsewhere] == [
        "miharu-test-loop could not be started: can't create new thread at interpreter shutdown."
    ]
    assert loop.stop()
    assert all(one.is_closed() for one in loops)  # type: ignore[attr-defined]


def test_too_many_threads_are_no_end_of_a_program(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "can't start new thread")
    with pytest.raises(LoopEnded, match="can't start new thread"):
        loop.run(twice, 2)
    monkeypatch.undo()
    assert loop.run(twice, 2) == 4
    assert loop.stop()


async def test_an_error_of_the_question_is_its_own(loop: LoopThread) -> None:
    async def fail() -> None:
        raise RuntimeError("of its own")

    async def time_out() -> None:
        raise TimeoutError("of its own")

    for error, function in ((RuntimeError, fail), (TimeoutError, time_out)):
        with pytest.raises(error, match="of its own"):
            await loop.call(function)
        with pytest.raises(error, match="of its own"):
            await anyio.to_thread.run_sync(loop.run, function)
    loop.stop()


async def test_what_is_not_answered_by_its_end_is_refused(loop: LoopThread) -> None:
    asked = [threading.Event(), threading.Event()]

    async def wait(number: int) -> None:
        asked[number].set()
        await anyio.sleep_forever()

    async def ask() -> None:
        with pytest.raises(LoopEnded):
            await loop.call(wait, 0)

    def ask_at_once() -> None:
        with pytest.raises(LoopEnded):
            loop.run(wait, 1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(anyio.to_thread.run_sync, ask_at_once)
        for each in asked:
            await anyio.to_thread.run_sync(each.wait, 10)
        await anyio.to_thread.run_sync(loop.stop)
    with pytest.raises(LoopEnded):
        loop.run(twice, 1)
    with pytest.raises(LoopEnded):
        await loop.call(twice, 1)


def test_it_begins_anew_after_a_stop_that_was_not_for_good(loop: LoopThread) -> None:
    assert loop.run(twice, 1) == 2
    assert loop.stop(for_good=False)
    assert loop.run(twice, 2) == 4
    loop.stop()


def test_something_else_is_done_meanwhile(loop: LoopThread) -> None:
    done = threading.Event()

    async def wait() -> str:
        await anyio.to_thread.run_sync(done.wait, 10)
        return "answer"

    assert loop.run(wait, meanwhile=done.set) == "answer"
    loop.stop()


def test_where_no_thread_can_be_started_it_says_so(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(LoopEnded, match="could not be started"):
            loop.run(twice, 1)
    assert loop.run(twice, 1) == 2
    loop.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_has_one_of_its_own(loop: LoopThread) -> None:
    assert loop.run(twice, 1) == 2
    child = os.fork()
    if not child:
        loop.after_fork_in_child()
        os._exit(0 if loop.run(twice, 2) == 4 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert loop.run(twice, 3) == 6
    loop.stop()
