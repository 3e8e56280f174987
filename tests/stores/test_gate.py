"""One writer at a time, in threads of one process as in many processes."""

import subprocess
import sys
from pathlib import Path

import anyio
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
        with pytest.raises(StoreError, match=str(database)), second.held_at_exit():
            pass
    with second.held_at_exit():
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


def test_a_holder_that_is_killed_holds_no_more(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    gate = opened(database)
    with monkeypatch.context() as patch:
        patch.setattr(module, "WAIT_S", 0.0)
        with pytest.raises(StoreError), gate.held_at_exit():
            pass
    holder.kill()
    holder.communicate()
    with gate.held_at_exit():
        pass
    gate.close()


def test_its_file_is_private(database: Path) -> None:
    gate = opened(database)
    assert Path(f"{database}.lock").stat().st_mode & 0o777 == 0o600
    gate.close()
    gate.close()
