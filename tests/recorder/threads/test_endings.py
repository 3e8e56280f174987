"""How a process ends, seen from outside in tests/hosts; here are the parts that can be seen from inside."""

import multiprocessing.util
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import miharu
from miharu import monitor
from miharu.recorder.threads import imports
from miharu.recorder.threads.endings import before_the_end, forget
from tests.calls import ask, rows


class Registry:
    """What a copy of ``multiprocessing.util`` would be told."""

    def __init__(self) -> None:
        self.finalizers: list[Callable[[], None]] = []
        self.after_fork: list[Callable[[], None]] = []

    def Finalize(self, _: None, work: Callable[[], None], exitpriority: int) -> None:
        self.finalizers.append(work)

    def register_after_fork(self, work: Callable[[], None], register: Callable[[Any], None]) -> None:
        self.after_fork.append(lambda: register(work))


@pytest.fixture
def billiard(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setitem(sys.modules, "billiard.util", registry)
    return registry


def test_a_child_that_is_started_afresh_registers_again(billiard: Registry) -> None:
    done: list[int] = []
    work = lambda: done.append(os.getpid())  # noqa: E731
    before_the_end(work)
    billiard.finalizers.clear()  # as its bootstrap does, after the program was loaded
    for register in billiard.after_fork:
        register()
    for finalizer in billiard.finalizers:
        finalizer()
    assert done == [os.getpid()]
    forget(work)


def test_a_child_does_not_end_its_parent(billiard: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    before_the_end(lambda: done.append(1))
    monkeypatch.setattr(os, "getpid", lambda: 0)
    for finalizer in billiard.finalizers:
        finalizer()
    assert not done


def test_a_worker_of_celery_says_that_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Callable[..., None]] = []
    signal = SimpleNamespace(connect=lambda work, weak: connected.append(work))
    monkeypatch.setitem(sys.modules, "celery.signals", SimpleNamespace(worker_process_shutdown=signal))
    done: list[int] = []
    before_the_end(lambda: done.append(1))
    connected[0](sender=None, pid=1, exitcode=0)
    assert done == [1]


def test_a_finalizer_of_multiprocessing_is_there_while_recording(database: Path) -> None:
    before = len(multiprocessing.util._finalizer_registry)  # type: ignore[attr-defined]
    miharu.init(database)
    assert len(multiprocessing.util._finalizer_registry) == before + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("signals", [3, 1000])
def test_a_handler_of_signals_does_not_cut_the_end_short(
    signals: int, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gunicorn's raises ``SystemExit`` ten times a second."""
    miharu.init(database)
    watching = monitor.current()
    assert watching is not None
    ask()
    stop, stops = watching.stop, 0

    def interrupted(timeout: float) -> bool:
        nonlocal stops
        stops += 1
        if stops <= signals:
            raise SystemExit(0)
        return stop(timeout)

    monkeypatch.setattr(watching, "stop", interrupted)
    watching._at_exit()
    monkeypatch.undo()
    assert stops == min(signals + 1, 100)
    assert miharu.shutdown()
    assert len(rows(database)) == 1


def test_the_users_hand_does(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    miharu.init(database)
    watching = monitor.current()
    assert watching is not None
    timeouts: list[float] = []

    def interrupted(timeout: float) -> bool:
        timeouts.append(timeout)
        if len(timeouts) == 1:
            raise KeyboardInterrupt
        return True

    with monkeypatch.context() as patched:
        patched.setattr(watching, "stop", interrupted)
        watching._at_exit()
    assert timeouts[0] > 1
    assert timeouts[1:] == [0.0]


def test_an_interrupt_while_the_thread_starts_leaves_one(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a notebook it may come at any time."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "miharu":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            miharu.init(database)
    miharu.init(database)
    ask()
    assert miharu.flush()
    assert len(rows(database)) == 1
    threads = [thread for thread in threading.enumerate() if thread.name == "miharu"]
    watching = monitor.current()
    assert watching is not None
    for thread in threads:  # the other one was told to end
        if thread is not watching._recorder._thread:
            thread.join(10)
            assert not thread.is_alive()


def test_an_interrupt_before_it_starts_leaves_none(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    miharu.init(database)
    assert miharu.shutdown()
    miharu.init(database)
    watching = monitor.current()
    assert watching is not None
    watching.before_fork()
    imports.let_go()
    watching._recorder = watching._new_recorder()

    def interrupted(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            watching._recorder.start()
    assert not watching._recorder.running
    ask()
    assert miharu.flush()
    assert len(rows(database)) == 1
