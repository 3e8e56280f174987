"""Our code does not block the host's event loop: a test fails if it was seen to.

Watched are files, sockets, SQLite, sleeps, and locks that another thread holds, by ``blockbuster``. A call
that blocks is ours if, from there outwards, miharu's code comes before any of the test's, of a client's or of
a framework's. miharu's own threads are not the host's loop. Loops of trio are not watched.
"""

import _thread
import asyncio
import ctypes
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import miharu

try:
    import forbiddenfruit
    from blockbuster import BlockBuster, BlockBusterFunction
except ImportError:  # an environment of one group of tests
    BlockBuster = None  # type: ignore[assignment,misc]

__all__ = ("unblocked", "watched")

OURS = str(Path(miharu.__file__).parent) + "/"
IN_TESTS = (OURS + "_pytest.py", OURS + "testing/")
"""Parts of the package that run in tests alone."""
LIBRARY = str(Path(threading.__file__).parent) + "/"
WE_CALL = ("anyio", "jinja2", "msgspec", "sqlalchemy", "aiosqlite", "genai_prices")
"""Libraries that block on our behalf; all others are the host's."""
FURTHER = (
    *("builtins.open", "io.open", "os.open", "os.fsync", "os.scandir", "subprocess.Popen.__init__"),
    *("socket.getaddrinfo", "fcntl.flock", "fcntl.lockf", "sqlite3.connect", "threading.Thread.join"),
)
"""What ``blockbuster`` does not know."""


Exempt = Sequence[tuple[str, Iterable[str]]]
"""Ends of files' names, and functions there that may block: asyncio's debug mode looks up lines of code."""

LOGGING = ("logging/__init__.py", {"callHandlers"})
"""Where a line of the log is written is for the host to say, and its handlers may block."""


def _is_ours(frame: FrameType | None, exempt: Exempt) -> bool:
    while frame is not None:
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        if any(file.endswith(end) and function in functions for end, functions in (LOGGING, *exempt)):
            return False
        if file.startswith(OURS):
            return not file.startswith(IN_TESTS)
        if not _is_between(file):
            return False
        frame = frame.f_back
    return False


def _is_between(file: str) -> bool:
    """Whether this is neither ours nor the host's: Python's library, or a library that we call."""
    _, is_installed, name = file.partition("/site-packages/")
    if is_installed:
        return name.startswith(tuple(f"{one}/" for one in ("blockbuster", *WE_CALL)))
    return file == __file__ or file.startswith(("<frozen", "<string>", LIBRARY))


@contextmanager
def watched() -> Iterator[list[str]]:
    """What our code has blocked a loop of asyncio with, while this lasts: where, as tracebacks."""
    found: list[str] = []
    if BlockBuster is None:
        yield found
        return
    buster = BlockBuster()
    for name in FURTHER:
        buster.functions.setdefault(name, BlockBusterFunction(None, name))
    for function in buster.functions.values():
        function.can_block_predicate = _recording(
            function.full_name, function.can_block_predicate, function.can_block_functions, found
        )
    entering = _recording("with Lock", lambda lock: not lock.locked(), (), found)
    buster.activate()
    try:
        with _entered(entering):
            yield found
    finally:
        buster.deactivate()


@contextmanager
def _entered(told: Callable[[Any], object]) -> Iterator[None]:
    """Be told of each block that begins with a lock; ``blockbuster`` replaces no method of that kind."""
    methods = forbiddenfruit.patchable_builtin(_thread.LockType)
    enter = methods["__enter__"]

    def entering(lock: Any) -> Any:
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            told(lock)
        return enter(lock)

    try:
        methods["__enter__"] = entering
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(_thread.LockType))
        yield
    finally:
        methods["__enter__"] = enter
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(_thread.LockType))


def _recording(
    name: str, can_block: Callable[..., bool], exempt: Exempt, found: list[str]
) -> Callable[..., bool]:
    """Note the call where it is ours, and let it go on: nothing else changes for being watched."""

    def record(*args: Any, **kwargs: Any) -> bool:
        frame = sys._getframe(1)
        if (
            not threading.current_thread().name.startswith("miharu")
            and not can_block(*args, **kwargs)
            and _is_ours(frame, exempt)
        ):
            found.append(f"{name}\n{''.join(traceback.format_stack(frame, 12))}")
        return True

    return record


@pytest.fixture
def unblocked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test in which our code blocks a loop, unless it is marked: it calls what says that it waits."""
    if request.node.get_closest_marker("waits"):
        yield
        return
    with watched() as found:
        yield
    assert not found, f"miharu blocked the host's event loop, {len(found)} times:\n" + "\n".join(found[:3])
