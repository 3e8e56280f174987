"""RQ: ``Job.perform`` runs one job. By default in a process of its own, which ends without a warning.

A work horse imports the module of its job, and with it often ``miharu.init()``, when the job runs already.
Such a job gets its name there and then.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from miharu._guard import swallowed
from miharu.attribution import context
from miharu.attribution.context import Beginning, Origin
from miharu.interceptor import handoff
from miharu.interceptor.jobs.naming import named
from miharu.interceptor.wrapping import wrap

__all__ = ("hook_job", "hook_worker")

_late: list[Beginning] = []
"""The block of a job that ran already when RQ was hooked."""


def hook_job(module: ModuleType) -> None:
    """Give each job its name, from the one that runs now on."""
    if hasattr(getattr(module, "Job", None), "perform"):
        wrap(module.Job, "perform", _perform)
    running = module.get_current_job() if hasattr(module, "get_current_job") else None
    here = context.current()
    if running is not None and (here is None or here.origin is None):
        _late.append(Beginning(Origin(source=_name(running))))
        _late[0].__enter__()


def hook_worker(module: ModuleType) -> None:
    """Store what a job has called before its process ends."""
    worker = getattr(module, "BaseWorker", None) or getattr(module, "Worker", None)
    for name in ("handle_job_success", "handle_job_failure"):
        if hasattr(worker, name):
            wrap(worker, name, _handle)  # type: ignore[arg-type] # a class, since it has that method


def _perform(original: Callable[..., Any]) -> Callable[..., Any]:
    def perform(self: Any, *args: Any, **options: Any) -> Any:
        with named(_name(self)):
            return original(self, *args, **options)

    return perform


def _handle(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return original(self, *args, **options)
        finally:
            if _late:
                _late.pop().leave()
            if getattr(self, "_is_horse", False):  # it leaves by os._exit, past every other chance
                handoff.settle()

    return handle


def _name(job: Any) -> str:
    try:
        return f"rq {job.func_name}"
    except Exception:  # noqa: BLE001 - a job that cannot be read fails in RQ's own words
        swallowed("naming an RQ job")
        return "rq job"
