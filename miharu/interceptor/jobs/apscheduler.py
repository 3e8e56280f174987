"""APScheduler 3: each executor hands ``run_job`` to its pool, or ``run_coroutine_job`` to its loop."""

import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

from miharu.interceptor.jobs.naming import named
from miharu.interceptor.wrapping import put

__all__ = ("hook",)


def hook(base: ModuleType) -> None:
    """Wrap both where they are defined, and where executors have taken them from there before."""
    package = base.__name__.rpartition(".")[0]
    for name, kind in (("run_job", _Run), ("run_coroutine_job", _RunCoroutine)):
        original = getattr(base, name, None)
        if original is None or isinstance(original, _Run):
            continue
        ours = kind(original)
        for loaded, module in list(sys.modules.items()):
            if loaded.startswith(package) and getattr(module, name, None) is original:
                put(module, name, ours.instead_of)


class _Run:
    """Runs a job under its name. A process pool takes it for the original, and finds that by its name."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self._original = original

    def instead_of(self, _: object) -> Self:
        return self

    def __call__(self, job: Any, *args: Any, **options: Any) -> Any:
        with named(_name(job)):
            return self._original(job, *args, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return pkgutil.resolve_name, (f"{self._original.__module__}:{self._original.__qualname__}",)


class _RunCoroutine(_Run):
    async def __call__(self, job: Any, *args: Any, **options: Any) -> Any:
        with named(_name(job)):
            return await self._original(job, *args, **options)


def _name(job: Any) -> str:
    return f"apscheduler {getattr(job, 'name', None) or getattr(job, 'id', 'job')}"
