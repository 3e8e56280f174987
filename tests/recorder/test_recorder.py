import atexit
import logging
import os
import sqlite3
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miharu import _guard
from miharu.batch import Batch
from miharu.pricing.base import Prices
from miharu.recorder import batch_reader
from miharu.recorder import pipeline as pipelines
from miharu.recorder import recorder as recorders
from miharu.recorder import run as runs
from miharu.recorder.costing.prices_loader import PricesLoader
from miharu.recorder.counters import QUIET_S, Losses
from miharu.recorder.maintenance import Retention
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.recorder import Recorder
from miharu.recorder.run import Run
from miharu.recorder.spool import Spool
from miharu.recorder.threads.bell import Bell
from miharu.recorder.threads.orders import Flush, Orders
from miharu.stores.base import Writer
from miharu.testing.store_contract import make_call
from tests.recorder.world import Bench, answered


class Made:
    """A recorder with a bench, as a monitor would make it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.runs = 0
        self.fails: BaseException | None = None
        self.gate = threading.Event()
        """What the loading of prices waits for."""
        self.gate.set()
        self.recorder = Recorder(self.run)

    def run(self, orders: Orders) -> Run:
        self.runs += 1
        if self.fails is not None:
            raise self.fails
        return Run(
            orders,
            self.pipeline,
            self.writer,
            losses=lambda: self.bench.queue.dropped,
            last_write=lambda: self.bench.counters.last_write,
            retention=Retention(),
        )

    def pipeline(self, meanwhile: Callable[[], object]) -> Pipeline:
        self.bench.pipeline = self.bench.another(PricesLoader(self.prices, meanwhile))
        return self.bench.pipeline

    def writer(self, meanwhile: Callable[[], object]) -> Writer:
        self.bench.meanwhile = meanwhile
        return self.bench.writer

    def prices(self) -> Prices | None:
        self.gate.wait(30)
        return None

    def put(self, *models: str) -> None:
        for model in models:
            self.bench.queue.put(answered(model))
            if self.recorder.orders.asleep:
                self.recorder.ring()
        if not models:
            self.recorder.start()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    made = Made(Bench(tmp_path, has_prices=False))
    yield made
    made.gate.set()
    made.recorder.stop()
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


def test_a_failure_ends_the_run_and_not_the_thread(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(recorders, "PAUSE_S", (0.01, 0.02))
    made.recorder._pause = 0.01
    made.fails = RuntimeError("a bug")
    made.put("a")
    thread = made.recorder._thread
    assert thread is not None
    eventually(lambda: made.runs > 5)
    assert thread.is_alive()
    made.fails = None
    eventually(lambda: made.bench.counters.written)
    assert made.bench.models == ["a"]
    assert len([r for r in caplog.records if "the recorder failed" in r.message]) == 1


def test_it_sleeps_until_a_call_rings(made: Made) -> None:
    """No time-out, no polling: an idle program does nothing."""
    waits: list[float | None] = []
    wait = made.recorder.orders.calls.wait

    def waiting(seconds: float | None = None) -> bool:
        waits.append(seconds)
        return wait(seconds)

    made.recorder.orders.calls = Listened(made.recorder.orders.calls, waiting)  # type: ignore[assignment]
    made.put()
    eventually(lambda: waits and waits[-1] is None)
    before = len(waits)
    made.put("a")
    eventually(lambda: made.bench.counters.written == 1)
    assert len(waits) <= before + 1
    assert made.bench.models == ["a"]


class Listened:
    """A bell that tells how long it was waited for."""

    def __init__(self, bell: Bell, wait: Callable[[float | None], bool]) -> None:
        self.ring = bell.ring
        self.wait = wait


def test_calls_of_one_moment_are_one_transaction(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "WINDOW_S", 30.0)
    made.put()
    eventually(lambda: made.recorder.orders.asleep)
    made.put("a")
    eventually(lambda: not made.recorder.orders.asleep)
    made.put("b", "c", "d")
    assert made.recorder.flush(10)
    assert [len(batch.calls) for batch in made.bench.batches] == [4]


def test_its_pauses_grow_and_calls_start_no_threads(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    pauses: list[float] = []
    all_left = threading.Event()

    class Halt(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            all_left.wait(10)  # a call that is left after the end would start it anew
            pauses.append(timeout or 0)
            return len(pauses) == 12

    made.recorder._halt = Halt()
    made.fails = SystemExit()
    for _ in range(100):
        made.put()
    all_left.set()
    eventually(lambda: not made.recorder.running)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 30.0
    assert made.runs == 12


@pytest.mark.parametrize("step", ["__init__", "start"])
def test_a_thread_that_cannot_be_started_is_tried_again_later(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    """There are too many; or none may be made, as in another interpreter of the process."""
    tried = 0

    def refuse(*_: object, **__: object) -> None:
        nonlocal tried
        tried += 1
        raise RuntimeError("not here")

    monkeypatch.setattr(_guard, "_said", set())
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, step, refuse)
        for _ in range(20):
            made.put("a")
    assert tried == 1
    assert caplog.text.count("no thread could be started (not here)") == 1
    assert not made.recorder.running
    assert not made.recorder.flush(0.1)
    made.recorder._not_before = 0.0
    made.recorder.start()
    assert made.recorder.flush(10)
    assert len(made.bench.models) == 20


def test_calls_are_safe_while_the_prices_are_still_being_imported(made: Made) -> None:
    made.gate.clear()
    made.put("a", "b")
    eventually(lambda: made.bench.spool.waiting == 2)
    assert len(made.bench.queue) == 0
    made.gate.set()
    assert made.recorder.flush(10)
    assert made.bench.models == ["a", "b"]
    assert not made.bench.spools


def test_a_stop_waits_for_the_imports(made: Made) -> None:
    """A daemon that is torn down in the middle of one may take the program with it."""
    made.gate.clear()
    made.put("a")
    assert not made.recorder.stop(0.2)
    made.gate.set()
    assert made.recorder.stop(10)
    assert made.bench.models == ["a"]


def test_what_the_store_refuses_is_spooled_and_comes_back_in_order(
    made: Made, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BACK_OFF_S", (0.01, 0.05))
    made.put("a")
    assert made.recorder.flush(10)
    made.bench.writer.refuses = True
    made.put(*"bcdefghijklmnop")
    eventually(lambda: made.bench.spool.waiting == 15)
    assert not made.recorder.flush(0.1)
    made.bench.writer.refuses = False
    assert made.recorder.flush(10)
    assert made.bench.models == list("abcdefghijklmnop")
    said = [record.message for record in caplog.records]
    assert len([message for message in said if "The store refuses" in message]) == 1
    assert said.count("miharu: recording again.") == 1


def test_a_flush_does_not_wait_out_the_pause(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BACK_OFF_S", (300.0, 300.0))
    made.bench.writer.refuses = True
    made.put("a")
    eventually(lambda: made.bench.counters.failures)
    assert not made.recorder.flush(0.1)
    made.bench.writer.refuses = False
    assert made.recorder.flush(10)
    assert made.bench.models == ["a"]


def test_a_flush_waits_until_the_store_takes_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BACK_OFF_S", (0.01, 0.05))
    made.put("a")
    assert made.recorder.flush(10)
    made.bench.writer.refuses = True
    made.put("b")
    waiting = Flush()
    made.recorder.orders.flushes.append(waiting)
    eventually(lambda: made.bench.counters.failures > 1)
    assert not waiting.done.is_set()
    made.bench.writer.refuses = False
    assert waiting.done.wait(10)
    assert made.bench.models == ["a", "b"]


@pytest.mark.parametrize("is_spooled", [False, True])
def test_a_flush_and_a_stop_do_not_wait_for_calls_that_come_meanwhile(
    made: Made, monkeypatch: pytest.MonkeyPatch, is_spooled: bool
) -> None:
    monkeypatch.setattr(pipelines, "LONG_S", 0)
    monkeypatch.setattr(batch_reader, "READING_S", 0)  # one at a time
    add, comes = made.bench.writer.add, [True]

    def meanwhile(batch: Batch) -> int:
        if comes:
            made.put("later", "later")
            if is_spooled:
                made.bench.pipeline.spool_all()
        return add(batch)

    monkeypatch.setattr(made.bench.writer, "add", meanwhile)
    made.put("a", "b")
    assert made.recorder.flush(10)
    assert {"a", "b"} <= set(made.bench.models)
    assert made.recorder.stop(10)
    assert len(made.bench.queue) or made.bench.spool.waiting


def test_what_is_left_in_the_spool_needs_no_further_call(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "LONG_S", 0)
    monkeypatch.setattr(runs, "WINDOW_S", 0.01)
    add, more = made.bench.writer.add, list("bcdefgh")

    def meanwhile(batch: Batch) -> int:
        if more:
            made.put(more.pop(0))
            made.bench.pipeline.spool_all()
        return add(batch)

    monkeypatch.setattr(made.bench.writer, "add", meanwhile)
    made.put("a")
    eventually(lambda: made.bench.counters.written == 8)
    assert made.bench.models == list("abcdefgh")


def test_a_stop_leaves_no_thread_for_the_end_of_the_program(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_waited_for = threading.Event()

    class Done(threading.Event):
        def set(self) -> None:
            super().set()
            is_waited_for.wait(30)  # on a busy machine a thread may stand here

    made.recorder._done = Done()
    made.put("a")
    eventually(lambda: made.bench.counters.written)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "miharu"]
    join = thread.join

    def joined(timeout: float | None = None) -> None:
        is_waited_for.set()
        join(timeout)

    monkeypatch.setattr(thread, "join", joined)
    assert made.recorder.stop(10)
    is_gone = not thread.is_alive()
    is_waited_for.set()
    assert is_gone


def test_a_stop_while_the_store_refuses_loses_nothing(
    made: Made, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    made.put("a")
    assert made.recorder.flush(10)
    made.bench.writer.refuses = True
    made.put("b", "c")
    assert made.recorder.stop(10)
    assert made.bench.spool.waiting == 2
    assert "Calls are kept until it takes them" in caplog.text
    made.bench.spool.close()
    after = Made(Bench(tmp_path, has_prices=False))
    after.put("d")
    eventually(lambda: after.bench.counters.written and not after.bench.spools)
    assert sorted(after.bench.models) == ["a", "b", "c", "d"]
    assert after.recorder.stop()


def leave(made: Made, model: str) -> None:
    """What a child leaves that was killed."""
    spool = Spool(made.bench.spool.place)
    spool.append(Batch(calls=[make_call(model=model)]))
    spool.close()


def test_a_program_that_ends_takes_what_its_children_have_left(made: Made) -> None:
    leave(made, "a")
    made.recorder.start()
    eventually(lambda: not made.bench.spools)  # the next look would be a while away
    leave(made, "b")
    assert made.recorder.stop()
    assert made.bench.models == ["a", "b"]
    assert not made.bench.spools


def test_a_fork_does_not_wait_for_that(made: Made) -> None:
    leave(made, "a")
    made.recorder.start()
    eventually(lambda: not made.bench.spools)
    leave(made, "b")
    assert made.recorder.park(10)
    assert made.bench.models == ["a"]


def test_a_locked_file_harms_nobody(made: Made) -> None:
    """A real lock: the store waits for it, and calls go on being read and spooled."""
    made.put("a")
    assert made.recorder.flush(10)
    with locked(made.bench.folder / "calls.db"):
        made.put("b")
        eventually(lambda: len(made.bench.queue.pending) == 1)
        made.put(*"cdefghijklmn")
        eventually(lambda: made.bench.spool.waiting == 13)
        assert made.bench.questions("revision") > 0
    assert made.recorder.flush(10)
    assert made.bench.models == list("abcdefghijklmn")


def test_a_recorder_that_does_not_end_is_saved_from(made: Made) -> None:
    made.put("a")
    assert made.recorder.flush(10)
    with locked(made.bench.folder / "calls.db"):
        made.put("b")
        eventually(lambda: len(made.bench.queue.pending) == 1)
        made.put("c")
        assert not made.recorder.stop(0.1)
        made.recorder.spool_remaining()
        assert made.bench.spool.waiting == 2
        assert len(made.bench.queue) == 0


def test_a_recorder_that_never_came_to_it_is_saved_from(made: Made) -> None:
    made.bench.queue.put(answered("a"))
    assert made.recorder.stop(1)
    made.recorder.spool_remaining()
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


def test_a_full_queue_is_said_by_the_recorder(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    made.bench.spool.place = None
    made.bench.writer.refuses = True
    made.put("a")
    eventually(lambda: len(made.bench.queue.pending) == 1)
    made.put(*["b"] * 30)
    eventually(lambda: "more calls come than can be kept" in caplog.text)
    assert made.bench.queue.dropped == 10
    made.recorder.stop()
    assert "10 calls were lost" in caplog.text


def test_it_stops_in_the_process_that_started_it_only(made: Made) -> None:
    made.put("a")
    assert made.recorder.flush(10)
    made.recorder._pid = os.getpid() + 1
    assert made.recorder.stop(30)
    made.recorder._pid = os.getpid()


def test_what_goes_on_after_a_fork_is_still_done_at_the_end(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_exit: dict[object, bool] = {}
    monkeypatch.setattr(atexit, "register", lambda work: at_exit.update({work: True}))
    monkeypatch.setattr(atexit, "unregister", lambda work: at_exit.pop(work, None))
    made.gate.clear()
    made.put("a")
    eventually(lambda: made.bench.spools)  # it waits for its prices
    assert not made.recorder.park(0.05)
    assert not at_exit
    made.recorder.go_on()
    assert list(at_exit) == [made.recorder.stop]


@pytest.mark.parametrize(("before", "after", "said"), [(False, True, 1), (True, True, 0), (False, False, 0)])
def test_gevent_that_patches_too_late_is_named_once(
    *,
    before: bool,
    after: bool,
    said: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patched = before
    gevent = types.ModuleType("gevent.monkey")
    gevent.is_module_patched = lambda name: patched and name == "threading"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)
    monkeypatch.setattr(_guard, "_said", set())
    recorder = Recorder(lambda _: None)
    patched = after
    recorder.start()
    recorder.start()
    assert recorder.stop()
    assert caplog.text.count("patch_all() was called after miharu.init()") == said
    monkeypatch.delattr(gevent, "is_module_patched")
    Recorder(lambda _: None)  # half imported: nobody knows yet
