"""One writer at a time, in threads of one process as in many processes."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miharu.errors import StoreError
from miharu.stores.sqlite.locks import writer_lock as module
from miharu.stores.sqlite.locks.writer_lock import WriterLock

FILES = Path("/proc/self/fd")
HOLDER = """
import sys
from pathlib import Path
from miharu.stores.sqlite.locks.writer_lock import WriterLock

lock = WriterLock(Path(sys.argv[1]))
lock.open()
with lock.held():
    print("held", flush=True)
    sys.stdin.read()
"""


def opened(database: Path) -> WriterLock:
    lock = WriterLock(database)
    lock.open()
    return lock


def waiting() -> int:
    """How many threads wait in line."""
    return sum(thread.name == "miharu-lock" for thread in threading.enumerate())


def ended() -> bool:
    """Whether those who stopped waiting end, now that the lock is free."""
    for thread in threading.enumerate():
        if thread.name == "miharu-lock":
            thread.join(10)
    return not waiting()


@contextmanager
def coming(lock: WriterLock, order: list[str]) -> Iterator[None]:
    """A thread that waits for the lock; at the end of the block it has had it."""

    def come() -> None:
        with lock.held():
            order.append("second in")

    thread = threading.Thread(target=come)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive()


def until_someone_waits() -> None:
    until = time.monotonic() + 30
    while not waiting():
        assert time.monotonic() < until
        time.sleep(0.001)


def give_up(lock: WriterLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for it, and no longer than it takes."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "WAIT_S", 0.0)
        with pytest.raises(StoreError, match="locked by another process"), lock.held():
            pass


def test_the_second_waits_for_the_first(database: Path) -> None:
    first, second = opened(database), opened(database)
    order: list[str] = []
    with first.held():
        waits = coming(second, order)
        waits.__enter__()
        until_someone_waits()
        order.append("first out")
    waits.__exit__(None, None, None)
    assert order == ["first out", "second in"]
    first.close()
    second.close()


def test_a_writer_that_waits_too_long_is_told_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    first, second = opened(database), opened(database)
    refused = pytest.raises(StoreError, match=f"{database} is locked by another process")
    with first.held(), refused, second.held():
        pass
    with second.held():
        pass
    first.close()
    second.close()


def test_something_else_is_done_meanwhile(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.01)
    first, done = opened(database), threading.Event()
    second = WriterLock(database, done.set)
    second.open()
    order: list[str] = []
    with first.held():
        waits = coming(second, order)
        waits.__enter__()
        assert done.wait(10)
        order.append("first out")
    waits.__exit__(None, None, None)
    assert order == ["first out", "second in"]
    first.close()
    second.close()


def test_a_failure_inside_opens_it_again(database: Path) -> None:
    first, second = opened(database), opened(database)
    with pytest.raises(ValueError, match="mine"), first.held():
        raise ValueError("mine")
    with second.held():
        pass
    first.close()
    second.close()


def test_a_writer_that_stopped_waiting_gets_in_no_others_way(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = opened(database), opened(database), opened(database)
    with first.held():
        give_up(second, monkeypatch)
        assert waiting() == 1
    with third.held():  # though the turn of the second comes before
        pass
    with second.held():
        pass
    assert ended()
    for lock in (first, second, third):
        lock.close()


def test_a_writer_that_comes_again_waits_in_the_same_place(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(database), opened(database)
    order: list[str] = []
    with first.held():
        for _ in range(5):
            give_up(second, monkeypatch)
        assert waiting() == 1
    with first.held():
        waits = coming(second, order)
        waits.__enter__()
        until_someone_waits()
        assert waiting() == 1
        order.append("first out")
    waits.__exit__(None, None, None)
    assert order == ["first out", "second in"]
    first.close()
    second.close()


def test_where_no_thread_can_be_started_it_asks_again_and_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first = opened(database)
    asked: list[int] = []
    holding = first.held()

    def meanwhile() -> None:
        asked.append(1)
        if len(asked) == 3:
            holding.__exit__(None, None, None)

    second = WriterLock(database, meanwhile)
    second.open()
    holding.__enter__()
    monkeypatch.setattr(threading.Thread, "start", start)
    with second.held():
        assert len(asked) == 3
    first.close()
    second.close()


def test_a_closed_lock_forgets_where_it_waited(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = opened(database), opened(database)
    with first.held():
        give_up(second, monkeypatch)
        second.close()
        Path(f"{database}.lock").unlink()
        second.open()
        with second.held():  # another file by now
            pass
    assert ended()
    first.close()
    second.close()


def test_a_holder_that_is_killed_holds_no_more(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    lock = opened(database)
    give_up(lock, monkeypatch)
    holder.kill()
    holder.communicate()
    with lock.held():
        pass
    lock.close()


def test_its_file_is_private(database: Path) -> None:
    lock = opened(database)
    assert Path(f"{database}.lock").stat().st_mode & 0o777 == 0o600
    lock.close()
    lock.close()


@pytest.fixture
def nothing_stays_open(database: Path) -> Iterator[None]:
    """Each time that the test opens the lock file, it is closed again."""
    if not FILES.exists():
        pytest.skip("the system does not list the files that are open")
    yield
    targets = [file.readlink() for file in FILES.iterdir() if file.is_symlink()]
    assert Path(f"{database}.lock") not in targets


@pytest.mark.usefixtures("nothing_stays_open")
def test_a_place_in_the_queue_leaves_no_file_open(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that was left nor one whose turn came."""
    first, second = opened(database), opened(database)
    with first.held():
        give_up(second, monkeypatch)
    assert ended()
    order: list[str] = []
    with first.held():
        waits = coming(second, order)
        waits.__enter__()
        until_someone_waits()
    waits.__exit__(None, None, None)
    assert order == ["second in"]
    first.close()
    second.close()


@pytest.mark.usefixtures("nothing_stays_open")
def test_a_place_without_a_thread_leaves_no_file_open(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = opened(database), opened(database)
    monkeypatch.setattr(threading.Thread, "start", start)
    with first.held():
        give_up(second, monkeypatch)
    first.close()
    second.close()
