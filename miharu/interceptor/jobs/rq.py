"""RQ: ``Job.perform`` runs one job. By default in a process of its own, which ends without a warning."""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from miharu._guard import swallowed
from miharu.interceptor import handing
from miharu.interceptor.jobs.naming import named
from miharu.interceptor.wrapping import wrap

__all__ = ("hook",)


def hook(jobs: ModuleType) -> None:
    """Wrap it, once."""
    here = os.getpid()

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def perform(self: Any, *args: Any, **options: Any) -> Any:
            try:
                with named(f"rq {_name(self)}"):
                    return original(self, *args, **options)
            finally:
                if os.getpid() != here:  # RQ's work horse leaves by os._exit, past every other chance
                    handing.settle()

        return perform

    if hasattr(getattr(jobs, "Job", None), "perform"):
        wrap(jobs.Job, "perform", make)


def _name(job: Any) -> str:
    try:
        return str(job.func_name)
    except Exception:  # noqa: BLE001 - a job that cannot be read fails in RQ's own words
        swallowed("naming an RQ job")
        return "job"
