"""Celery tells of each task before and after it runs, in the thread that runs it."""

from types import ModuleType
from typing import Any

from miharu._guard import swallowed
from miharu.attribution.context import Beginning, Origin
from miharu.interceptor import handoff

__all__ = ("hook",)

_running: dict[str, Beginning] = {}


def hook(signals: ModuleType) -> None:
    """Connect to Celery's signals, once."""
    signals.task_prerun.connect(_begins, weak=False, dispatch_uid="miharu")
    signals.task_postrun.connect(_ends, weak=False, dispatch_uid="miharu")


def _begins(task_id: str = "", task: Any = None, **_: Any) -> None:
    try:
        # An eager task runs inside its caller, so its calls are the caller's.
        if handoff.target() is None or getattr(getattr(task, "request", None), "is_eager", False):
            return
        block = Beginning(Origin(source=f"celery {task.name}"))
        block.__enter__()
        _running[task_id] = block
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("naming a Celery task")


def _ends(task_id: str = "", **_: Any) -> None:
    block = _running.pop(task_id, None)
    if block is not None:
        block.leave()
