"""What is being imported, so that a fork waits for its end: half a module would be half a module for ever."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ("hold_still", "importing", "let_go")

TAKES_S = 5.0
"""An import that takes longer is not waited for."""

_one = threading.RLock()
_held = False


@contextmanager
def importing() -> Iterator[None]:
    """Around imports in a thread of ours."""
    with _one:
        yield


def hold_still(timeout: float = TAKES_S) -> None:
    """Before a fork: wait until nothing is being imported (seconds), and let nothing begin."""
    global _held  # noqa: PLW0603 - one for the process, and only the thread that forks comes here
    _held = _one.acquire(timeout=timeout)


def let_go() -> None:
    """After the fork, in the parent and in the child."""
    global _held  # noqa: PLW0603 - as above
    if _held:
        _held = False
        _one.release()
