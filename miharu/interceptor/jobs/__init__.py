"""The names of jobs, asked from the task queue that runs them. Each job has a trace of its own.

naming.py       the block of one job
celery.py       Celery, by its signals
rq.py           RQ
arq.py          arq
apscheduler.py  APScheduler 3

Like the HTTP clients they are hooked when they are loaded, and never imported by us.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

__all__ = ("JOBS",)


def _later(module: str, function: str = "hook") -> Callable[[ModuleType], None]:
    """Our side of a library, which is imported with it."""

    def hook(library: ModuleType) -> None:
        getattr(import_module(f"{__name__}.{module}"), function)(library)

    return hook


JOBS = {
    "celery.signals": _later("celery"),
    "rq.job": _later("rq", "hook_job"),
    "rq.worker": _later("rq", "hook_worker"),
    "arq.worker": _later("arq"),
    "apscheduler.executors.base": _later("apscheduler"),
}
