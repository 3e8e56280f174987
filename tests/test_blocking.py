"""The watch itself: it sees what our code would block a loop with, and nothing else."""

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.blocking import OURS, watched

pytest.importorskip("blockbuster")

WAYS = {
    "a sleep": "import time\ntime.sleep(0)",
    "a file opened": "with open(PATH): pass",
    "a file opened by its path": "import pathlib\npathlib.Path(PATH).read_bytes()",
    "a descriptor opened": "import os\nos.close(os.open(PATH, os.O_RDONLY))",
    "a folder listed": "import os\nos.listdir(FOLDER)",
    "a database opened": "import sqlite3\nsqlite3.connect(PATH).close()",
    "a statement of SQLite": "DATABASE.execute('SELECT 1')",
    "a connection": "import socket\nwith socket.socket() as one: one.connect(ADDRESS)",
    "a name looked up": "import socket\nsocket.getaddrinfo('127.0.0.1', 80)",
    "a lock that another thread holds": "LOCK.acquire(timeout=0.01)",
    "an event": "import threading\nthreading.Event().wait(0.01)",
    "a future": """
from concurrent.futures import Future
try: Future().result(0.01)
except TimeoutError: pass
""",
    "a thread's end": "import threading\none = threading.Thread(target=int)\none.start()\none.join()",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, Any]]:
    file = tmp_path / "file"
    file.touch()
    lock = threading.Lock()
    lock.acquire()
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as database,
        socket.socket() as listener,
    ):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield {
            "PATH": str(file),
            "FOLDER": str(tmp_path),
            "DATABASE": database,
            "LOCK": lock,
            "ADDRESS": listener.getsockname(),
        }


def function(file: str, source: str, world: dict[str, Any]) -> Callable[[], None]:
    """One that would stand in that file."""
    body = source.strip().replace("\n", "\n    ")
    names = dict(world)
    exec(compile(f"def function():\n    {body}", file, "exec"), names)
    made: Callable[[], None] = names["function"]
    return made


async def call(made: Callable[[], None]) -> None:
    made()


@pytest.mark.parametrize("way", WAYS)
def test_it_sees(way: str, world: dict[str, Any]) -> None:
    with watched() as found:
        asyncio.run(call(function(f"{OURS}broken.py", WAYS[way], world)))
    assert found
    assert "broken.py" in found[0]


@pytest.mark.parametrize("way", WAYS)
def test_what_the_host_does_is_the_hosts(way: str, world: dict[str, Any]) -> None:
    """Even where our code has called it, as the middleware calls an app."""
    theirs = function("/srv/app.py", WAYS[way], world)
    ours = function(f"{OURS}middleware.py", "APP()", {"APP": theirs})
    with watched() as found:
        asyncio.run(call(ours))
    assert found == []


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_without_a_loop_may_wait(way: str, world: dict[str, Any]) -> None:
    with watched() as found:
        asyncio.run(asyncio.to_thread(function(f"{OURS}writer.py", WAYS[way], world)))
    assert found == []


def test_so_may_a_loop_of_miharus_own(world: dict[str, Any]) -> None:
    made = function(f"{OURS}queries.py", WAYS["a statement of SQLite"], world)
    with watched() as found:
        thread = threading.Thread(target=asyncio.run, args=(call(made),), name="miharu-queries")
        thread.start()
        thread.join()
    assert found == []


def test_a_lock_that_is_free_is_not_waited_for() -> None:
    made = function(f"{OURS}queue.py", "with LOCK: LOCK.locked()", {"LOCK": threading.Lock()})
    with watched() as found:
        asyncio.run(call(made))
    assert found == []


def test_it_sees_a_block_that_waits_for_its_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    made = function(f"{OURS}queue.py", "with LOCK: pass", {"LOCK": lock})

    def release() -> None:
        until = time.monotonic() + 10
        while not found and time.monotonic() < until:
            threading.Event().wait(0.001)
        lock.release()

    with watched() as found:
        thread = threading.Thread(target=release)
        thread.start()
        asyncio.run(call(made))
        thread.join()
    assert len(found) == 1


def test_everything_is_as_it_was_afterwards(world: dict[str, Any]) -> None:
    before = time.sleep, threading.Lock().acquire.__class__, open
    with watched():
        assert time.sleep is not before[0]
    assert (time.sleep, threading.Lock().acquire.__class__, open) == before
