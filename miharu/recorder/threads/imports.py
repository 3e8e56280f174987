"""What is being imported, so that a fork waits for its end: half a module would be half a module for ever."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

__all__ = ("hold_still", "import_step", "importing", "let_go")

TAKES_S = 5.0
"""An import that takes longer is not waited for."""
PAUSE_S = 0.0005
"""Between two steps; the program's own threads have the interpreter meanwhile."""

_one = threading.RLock()
_next = threading.Lock()
"""Held by a fork that waits: the next step is not begun before it."""
_held: "list[threading.Lock | threading.RLock]" = []


@contextmanager
def importing() -> Iterator[None]:
    """A block for imports in a thread of ours, which a fork waits for."""
    with _one:
        yield


def import_step(name: str) -> None:
    """Import a module, one of many; a fork waits for this one, and not for all."""
    with _next:
        _one.acquire()
    try:
        import_module(name)
    finally:
        _one.release()
    time.sleep(PAUSE_S)


def hold_still(timeout: float = TAKES_S) -> None:
    """Before a fork: wait until nothing is being imported (seconds), and let nothing begin."""
    until = time.monotonic() + timeout
    _held[:] = [lock for lock in (_next, _one) if lock.acquire(timeout=max(0.0, until - time.monotonic()))]


def let_go() -> None:
    """Let imports go on after the fork, in the parent and in the child."""
    while _held:
        _held.pop().release()
