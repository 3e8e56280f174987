"""arq: ``Worker.run_job`` runs a job in a task of its own, and finds out on the way which function it is."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from miharu.attribution import context
from miharu.interceptor.jobs.naming import named
from miharu.interceptor.wrapping import put, wrap

__all__ = ("hook",)

_UNNAMED = "arq job"


def hook(worker: ModuleType) -> None:
    """Wrap both, once."""
    if hasattr(getattr(worker, "Worker", None), "run_job"):
        wrap(worker.Worker, "run_job", _run)
        if callable(getattr(worker, "deserialize_job_raw", None)):
            put(worker, "deserialize_job_raw", _read)


def _run(original: Callable[..., Any]) -> Callable[..., Any]:
    async def run_job(self: Any, *args: Any, **options: Any) -> Any:
        with named(_UNNAMED):
            return await original(self, *args, **options)

    return run_job


def _read(original: Callable[..., Any]) -> Callable[..., Any]:
    def deserialize_job_raw(*args: Any, **options: Any) -> Any:
        job = original(*args, **options)
        here = context.current()
        if here is not None and here.origin is not None and here.origin.source == _UNNAMED:
            here.origin.source = f"arq {job[0]}"
        return job

    return deserialize_job_raw
