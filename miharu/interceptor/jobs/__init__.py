"""In whose name: what runs jobs is asked for their names, and each job is a beginning of its own.

naming.py       the block of one job
celery.py       Celery, by its signals
rq.py           RQ
arq.py          arq
apscheduler.py  APScheduler 3

Like the HTTP clients they are hooked when they are loaded, and never imported by us.
"""

from collections.abc import Callable
from types import ModuleType

from miharu.interceptor.jobs import apscheduler, arq, celery, rq

__all__ = ("JOBS",)

JOBS: dict[str, Callable[[ModuleType], None]] = {
    "celery.signals": celery.hook,
    "rq.job": rq.hook_job,
    "rq.worker": rq.hook_worker,
    "arq.worker": arq.hook,
    "apscheduler.executors.base": apscheduler.hook,
}
