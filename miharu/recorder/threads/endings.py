"""The ways in which a process ends that let one do something before."""

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ("before_the_end", "forget", "remember")

_registered: list[Callable[[], None]] = []
"""``multiprocessing`` itself remembers them weakly."""


def before_the_end(work: Callable[[], object]) -> None:
    """Have this done when this process ends; once is enough, also where several ways lead there.

    A child of ``multiprocessing``, or of Celery's own copy of that, leaves by ``os._exit``, past ``atexit``,
    but runs its finalizers. A worker of Celery's pool does not even do that; it sends a signal of Celery's.
    """
    atexit.register(work)
    ours = os.getpid()

    def in_this_process(*_: object, **__: object) -> None:
        if os.getpid() == ours:
            work()

    _registered.append(in_this_process)
    for name in ("multiprocessing.util", "billiard.util"):
        util = sys.modules.get(name)
        # what another thread is importing just now has not all of its names yet
        if hasattr(util, "register_after_fork") and hasattr(util, "Finalize"):
            _finalize(util, in_this_process)
    ends = getattr(sys.modules.get("celery.signals"), "worker_process_shutdown", None)
    if ends is not None:
        ends.connect(in_this_process, weak=False)


def forget(work: Callable[[], object]) -> None:
    """Do not run it at a normal exit any more; at other ends it finds nothing to do."""
    atexit.unregister(work)


def remember(work: Callable[[], object]) -> None:
    """Undo ``forget``."""
    atexit.unregister(work)
    atexit.register(work)


def _finalize(util: Any, work: Callable[[], None]) -> None:
    """Have it done by the finalizers; a child that is started afresh clears those of its time of loading."""

    def register(finalized: Callable[[], None]) -> None:
        util.Finalize(None, finalized, exitpriority=10)

    register(work)
    util.register_after_fork(work, register)
