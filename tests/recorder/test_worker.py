import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from miharu.batch import Batch
from miharu.errors import StoreError
from miharu.recorder import shift as shifts
from miharu.recorder import worker as workers
from miharu.recorder.chores import Retention
from miharu.recorder.pipeline import Outlet
from miharu.recorder.shift import Equipment
from miharu.recorder.spool import Spool
from miharu.recorder.tally import QUIET_S, Losses
from miharu.recorder.worker import Worker
from miharu.testing.store_contract import make_call
from tests.recorder.world import Bench, answered


class Made:
    """A worker with a bench, as a monitor would make it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.shifts = 0
        self.fails: BaseException | None = None
        self.breaks: BaseException | None = None
        """Not at the beginning of a shift, but in the middle."""
        self.gate = threading.Event()
        """What the imports wait for."""
        self.gate.set()
        self.worker = Worker(
            Equipment(
                pipeline=self.pipeline,
                outlet=self.outlet,
                losses=lambda: bench.queue.dropped,
                last_write=self.last_write,
                retention=Retention(),
            )
        )

    def pipeline(self) -> Any:
        self.shifts += 1
        if self.fails is not None:
            raise self.fails
        self.bench.pipeline = self.bench.another()
        return self.bench.pipeline

    def last_write(self) -> float | None:
        if self.breaks is not None:
            raise self.breaks
        return self.bench.tally.last_write

    def outlet(self) -> Outlet:
        self.gate.wait(30)
        return Outlet(lambda: self.bench.store, None, [])

    def put(self, *models: str) -> None:
        for model in models:
            self.bench.queue.put(answered(model))
        self.worker.start()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    made = Made(Bench(tmp_path))
    yield made
    made.gate.set()
    made.worker.stop()
    made.bench.spool.close()


def eventually(holds: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = threading.Event()
    timer = threading.Timer(seconds, deadline.set)
    timer.start()
    while not holds():
        assert not deadline.wait(0.005), "it did not happen"
    timer.cancel()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program holds the file for itself."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def test_a_failure_ends_the_shift_and_not_the_thread(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(workers, "PAUSE_S", (0.01, 0.02))
    made.worker._pause = 0.01
    made.fails = RuntimeError("a bug")
    made.put("a")
    thread = made.worker._thread
    assert thread is not None
    eventually(lambda: made.shifts > 5)
    assert thread.is_alive()
    with pytest.raises(StoreError, match="will try again"):
        made.worker.read_sync(lambda: made.bench.store.totals)  # type: ignore[arg-type, return-value]
    made.fails = None
    eventually(lambda: made.bench.tally.written)
    assert made.bench.models == ["a"]
    assert len([r for r in caplog.records if "the recorder failed" in r.message]) == 1


async def test_a_question_that_a_shift_leaves_behind_is_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    made.put("a")
    asked: list[threading.Event] = [threading.Event(), threading.Event()]

    async def wait(number: int) -> None:
        asked[number].set()
        await anyio.sleep_forever()

    async def ask() -> None:
        with pytest.raises(StoreError):
            await made.worker.read(wait, 0)

    def ask_at_once() -> None:
        with pytest.raises(StoreError):
            made.worker.read_sync(wait, 1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(anyio.to_thread.run_sync, ask_at_once)
        for each in asked:
            await anyio.to_thread.run_sync(each.wait, 10)
        made.breaks = RuntimeError("a bug")
        made.worker.wake()
    made.breaks = None
    await anyio.to_thread.run_sync(eventually, lambda: made.shifts > 1)


async def test_an_error_of_the_question_is_its_own(made: Made) -> None:
    async def fail() -> None:
        raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        await made.worker.read(fail)


def test_its_pauses_grow_and_calls_start_no_threads(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    pauses: list[float] = []
    all_left = threading.Event()

    class Halt(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            all_left.wait(10)  # a call that is left after the end would start it anew
            pauses.append(timeout or 0)
            return len(pauses) == 12

    made.worker._halt = Halt()
    made.fails = SystemExit()
    for _ in range(100):
        made.put()
    all_left.set()
    eventually(lambda: not made.worker.running)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 30.0
    assert made.shifts == 12


def test_a_thread_that_cannot_be_started_is_tried_again_later(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    def start(_: threading.Thread) -> None:
        nonlocal tried
        tried += 1
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", start)
        for _ in range(20):
            made.put("a")
    assert tried == 1
    assert not made.worker.running
    assert not made.worker.flush(0.1)
    made.worker._not_before = 0.0
    made.worker.start()
    assert made.worker.flush(10)
    assert len(made.bench.models) == 20


def test_calls_are_safe_while_the_store_is_still_being_imported(made: Made) -> None:
    made.gate.clear()
    made.put("a", "b")
    eventually(lambda: made.bench.spool.waiting == 2)
    assert len(made.bench.queue) == 0
    made.gate.set()
    assert made.worker.flush(10)
    assert made.bench.models == ["a", "b"]
    assert not made.bench.spools


def test_a_stop_waits_for_the_imports(made: Made) -> None:
    """A daemon that is torn down in the middle of one may take the program with it."""
    made.gate.clear()
    made.put("a")
    assert not made.worker.stop(0.2)
    made.gate.set()
    assert made.worker.stop(10)
    assert made.bench.models == ["a"]


def test_what_the_store_refuses_is_spooled_and_comes_back_in_order(
    made: Made, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shifts, "BACK_OFF_S", (0.01, 0.05))
    made.put("a")
    assert made.worker.flush(10)
    made.bench.store.refuses = True
    made.put(*"bcdefghijklmnop")
    eventually(lambda: made.bench.spool.waiting == 15)
    assert not made.worker.flush(0.1)
    made.bench.store.refuses = False
    assert made.worker.flush(10)
    assert made.bench.models == list("abcdefghijklmnop")
    said = [record.message for record in caplog.records]
    assert len([message for message in said if "The store refuses" in message]) == 1
    assert said.count("miharu: recording again.") == 1


def test_a_flush_does_not_wait_out_the_pause(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "BACK_OFF_S", (300.0, 300.0))
    made.bench.store.refuses = True
    made.put("a")
    eventually(lambda: made.bench.tally.failures)
    assert not made.worker.flush(0.1)
    made.bench.store.refuses = False
    assert made.worker.flush(10)
    assert made.bench.models == ["a"]


def test_a_flush_that_waits_does_not_hold_up_pages(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "BACK_OFF_S", (1.0, 1.0))
    made.put("a")
    assert made.worker.flush(10)
    made.bench.store.refuses = True
    made.put("b")
    waiting: Future[None] = Future()
    made.worker._orders.flushes.append(waiting)
    eventually(lambda: made.bench.tally.failures)
    assert made.worker.read_sync(made.bench.store.revision) > 0
    assert not waiting.done()


def test_a_stop_while_the_store_refuses_loses_nothing(
    made: Made, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    made.put("a")
    assert made.worker.flush(10)
    made.bench.store.refuses = True
    made.put("b", "c")
    assert made.worker.stop(10)
    assert made.bench.spool.waiting == 2
    assert "Calls are kept until it takes them" in caplog.text
    made.bench.spool.close()
    after = Made(Bench(tmp_path))
    after.put("d")
    eventually(lambda: after.bench.tally.written and not after.bench.spools)
    assert sorted(after.bench.models) == ["a", "b", "c", "d"]
    assert after.worker.stop()


def leave(made: Made, model: str) -> None:
    """What a child leaves that was killed."""
    spool = Spool(made.bench.spool.place)
    spool.append(Batch(calls=[make_call(model=model)]))
    spool.close()


def test_a_program_that_ends_takes_what_its_children_have_left(made: Made) -> None:
    leave(made, "a")
    made.worker.start()
    eventually(lambda: not made.bench.spools)  # the next look would be a while away
    leave(made, "b")
    assert made.worker.stop()
    assert made.bench.models == ["a", "b"]
    assert not made.bench.spools


def test_a_fork_does_not_wait_for_that(made: Made) -> None:
    leave(made, "a")
    made.worker.start()
    eventually(lambda: not made.bench.spools)
    leave(made, "b")
    assert made.worker.park(10)
    assert made.bench.models == ["a"]


def test_a_locked_file_harms_nobody(made: Made) -> None:
    """A real lock: the store waits for it, and calls go on being read and spooled."""
    made.put("a")
    assert made.worker.flush(10)
    with locked(made.bench.folder / "calls.db"):
        made.put("b")
        eventually(lambda: len(made.bench.queue.pending) == 1)
        made.put(*"cdefghijklmn")
        eventually(lambda: made.bench.spool.waiting == 13)
        assert made.worker.read_sync(made.bench.store.revision) > 0
    assert made.worker.flush(10)
    assert made.bench.models == list("abcdefghijklmn")


def test_a_worker_that_does_not_end_is_saved_from(made: Made) -> None:
    made.put("a")
    assert made.worker.flush(10)
    with locked(made.bench.folder / "calls.db"):
        made.put("b")
        eventually(lambda: len(made.bench.queue.pending) == 1)
        made.put("c")
        assert not made.worker.stop(0.1)
        made.worker.salvage()
        assert made.bench.spool.waiting == 2
        assert len(made.bench.queue) == 0


def test_a_worker_that_never_came_to_it_is_saved_from(made: Made) -> None:
    made.bench.queue.put(answered("a"))
    assert made.worker.stop(1)
    made.worker.salvage()
    assert made.bench.spool.waiting == 1


def test_losses_are_said_when_they_begin_and_when_they_are_over(caplog: pytest.LogCaptureFixture) -> None:
    losses = Losses()
    losses.look(0, 0.0)
    assert not caplog.records
    for second in range(1, 100):
        losses.look(second * 10, float(second))
    assert len(caplog.records) == 1
    losses.look(990, 99.0 + QUIET_S)
    losses.look(990, 199.0)
    losses.end()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "990 calls were lost" in caplog.records[1].message
    losses.look(995, 300.0)
    losses.end()
    assert "5 calls were lost" in caplog.records[3].message


def test_a_full_queue_is_said_by_the_worker(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    made.bench.spool.place = None
    made.bench.store.refuses = True
    made.put("a")
    eventually(lambda: len(made.bench.queue.pending) == 1)
    made.put(*["b"] * 30)
    eventually(lambda: "more calls come than can be kept" in caplog.text)
    assert made.bench.queue.dropped == 10
    made.worker.stop()
    assert "10 calls were lost" in caplog.text


def test_it_stops_in_the_process_that_started_it_only(made: Made) -> None:
    made.put("a")
    assert made.worker.flush(10)
    made.worker._pid = os.getpid() + 1
    assert made.worker.stop(30)
    made.worker._pid = os.getpid()
