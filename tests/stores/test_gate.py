"""One writer at a time, in threads of one process as in many processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from miharu.errors import StoreError
from miharu.stores.sqlite import gate as module
from miharu.stores.sqlite.gate import Gate

HOLDER = """
import asyncio, sys
from pathlib import Path
from miharu.stores.sqlite.gate import Gate

async def main():
    gate = Gate(Path(sys.argv[1]))
    gate.open()
    async with gate.held():
        print("held", flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


def opened(database: Path) -> Gate:
    gate = Gate(database)
    gate.open()
    return gate


def waiting() -> int:
    """How many threads wait in line."""
    return sum(thread.name == "miharu-gate" for thread in threading.enumerate())


def ended() -> bool:
    """Whether those who stopped waiting end, now that nobody holds it."""
    for thread in threading.enumerate():
        if thread.name == "miharu-gate":
            thread.join(10)
    return not waiting()


async def test_the_second_waits_for_the_first(database: Path) -> None:
    first, second = opened(database), opened(database)
    order: list[str] = []

    async def come_second() -> None:
        async with second.held():
            order.append("second in")

    async with anyio.create_task_group() as group, first.held():
        group.start_soon(come_second)
        await anyio.wait_all_tasks_blocked()
        order.append("first out")
    assert order == ["first out", "second in"]
    first.close()
    second.close()


async def test_who_waits_too_long_is_told_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    first, second = opened(database), opened(database)
    async with first.held():
        with pytest.raises(StoreError, match="locked by another process"):
            async with second.held():
                pass
        with pytest.raises(StoreError, match=str(database)), second.held_here():
            pass
    with second.held_here():
        pass
    first.close()
    second.close()


async def test_a_failure_inside_opens_it_again(database: Path) -> None:
    first, second = opened(database), opened(database)
    with pytest.raises(ValueError, match="mine"):
        async with first.held():
            raise ValueError("mine")
    async with second.held():
        pass
    first.close()
    second.close()


async def test_whoever_stopped_waiting_gets_in_nobodys_way(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = opened(database), opened(database), opened(database)
    async with first.held():
        with monkeypatch.context() as patch:
            patch.setattr(module, "WAIT_S", 0.0)
            with pytest.raises(StoreError):
                async with second.held():
                    pass
        assert waiting() == 1
    async with third.held():  # though the turn of the second comes before
        pass
    async with second.held():
        pass
    assert ended()
    for gate in (first, second, third):
        gate.close()


async def test_whoever_comes_again_waits_in_the_same_place(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(database), opened(database)
    order: list[str] = []

    async def come_second() -> None:
        async with second.held():
            order.append("second in")

    async with first.held():
        with monkeypatch.context() as patch:
            patch.setattr(module, "WAIT_S", 0.0)
            for _ in range(5):
                with pytest.raises(StoreError):
                    async with second.held():
                        pass
        assert waiting() == 1
    async with anyio.create_task_group() as group, first.held():
        group.start_soon(come_second)
        await anyio.wait_all_tasks_blocked()
        assert waiting() == 1
        order.append("first out")
    assert order == ["first out", "second in"]
    first.close()
    second.close()


async def test_whoever_is_cancelled_while_waiting_leaves_it_open(database: Path) -> None:
    first, second = opened(database), opened(database)

    async def wait() -> None:
        async with second.held():
            raise AssertionError

    async with first.held(), anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    async with first.held():
        pass
    first.close()
    second.close()


def test_whoever_waits_without_a_loop_is_told_as_well(database: Path) -> None:
    first, second = opened(database), opened(database)
    order: list[str] = []

    def come_second() -> None:
        with second.held_here():
            order.append("second in")

    thread, until = threading.Thread(target=come_second), time.monotonic() + 10
    with first.held_here():
        thread.start()
        while not waiting():
            assert time.monotonic() < until
        order.append("first out")
    thread.join()
    assert order == ["first out", "second in"]
    first.close()
    second.close()


async def test_where_no_thread_can_be_started_it_asks_again_and_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = opened(database), opened(database)
    order: list[str] = []

    async def come_second() -> None:
        async with second.held():
            order.append("second in")

    monkeypatch.setattr(threading.Thread, "start", start)
    async with anyio.create_task_group() as group, first.held():
        group.start_soon(come_second)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        order.append("first out")
    assert order == ["first out", "second in"]
    first.close()
    second.close()


async def test_a_closed_gate_forgets_where_it_waited(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = opened(database), opened(database)
    async with first.held():
        with monkeypatch.context() as patch:
            patch.setattr(module, "WAIT_S", 0.0)
            with pytest.raises(StoreError):
                async with second.held():
                    pass
        second.close()
        Path(f"{database}.lock").unlink()
        second.open()
        async with second.held():  # another file by now
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
    gate = opened(database)
    with monkeypatch.context() as patch:
        patch.setattr(module, "WAIT_S", 0.0)
        with pytest.raises(StoreError), gate.held_here():
            pass
    holder.kill()
    holder.communicate()
    with gate.held_here():
        pass
    gate.close()


def test_its_file_is_private(database: Path) -> None:
    gate = opened(database)
    assert Path(f"{database}.lock").stat().st_mode & 0o777 == 0o600
    gate.close()
    gate.close()
