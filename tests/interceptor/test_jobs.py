"""The hooks of task queues alone: when nobody watches, when a job runs already, and in strange versions.

What they do to the real queues is seen in tests/frameworks.
"""

import asyncio
import pickle
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from miharu.attribution import context
from miharu.attribution.context import Beginning, Origin
from miharu.interceptor import Interceptor, handoff, wrapping
from miharu.interceptor.jobs import JOBS, apscheduler, arq, celery, rq


@pytest.fixture
def settled() -> Iterator[list[str]]:
    """Somebody watches; how often a job's end was waited for."""
    waits: list[str] = []
    handoff.hand_to(Interceptor(lambda exchange: None, (), settle=lambda: waits.append("settled")))
    yield waits
    wrapping.restore()
    handoff.hand_to(None)


def running() -> str | None:
    here = context.current()
    return here.origin.source if here is not None and here.origin is not None else None


def module(name: str, **attributes: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


class Signal:
    def __init__(self) -> None:
        self.receivers: dict[str, Callable[..., None]] = {}

    def connect(self, receiver: Callable[..., None], weak: bool, dispatch_uid: str) -> None:
        self.receivers[dispatch_uid] = receiver

    def send(self, **facts: Any) -> None:
        for receiver in self.receivers.values():
            receiver(**facts)


def rq_module() -> tuple[ModuleType, Any, Any]:
    class Job:
        func_name = "jobs.sync"

        def perform(self) -> str | None:
            return running()

    class BaseWorker:
        _is_horse = True

        def handle_job_success(self) -> None: ...

        def handle_job_failure(self) -> None:
            raise LookupError

    return module("rq", Job=Job, get_current_job=lambda: None), Job, BaseWorker


@pytest.mark.parametrize("name", JOBS)
def test_a_version_that_is_not_the_one_we_know_is_left_alone(name: str, settled: list[str]) -> None:
    strange = module(name, task_prerun=Signal(), task_postrun=Signal())
    before = dict(vars(strange))
    JOBS[name](strange)
    assert vars(strange) == before


def test_celery(settled: list[str]) -> None:
    signals = module("celery.signals", task_prerun=Signal(), task_postrun=Signal())
    task = SimpleNamespace(name="shop.send_mail", request=SimpleNamespace(is_eager=False))
    celery.hook(signals)
    celery.hook(signals)
    signals.task_prerun.send(task_id="1", task=task, sender=task)
    assert running() == "celery shop.send_mail"
    eager = SimpleNamespace(name="shop.inner", request=SimpleNamespace(is_eager=True))
    signals.task_prerun.send(task_id="2", task=eager)
    assert running() == "celery shop.send_mail"
    signals.task_postrun.send(task_id="2")
    assert running() == "celery shop.send_mail"
    signals.task_postrun.send(task_id="1")
    assert running() is None
    handoff.hand_to(None)
    signals.task_prerun.send(task_id="3", task=task)
    assert running() is None


def test_a_celery_task_without_a_name(
    settled: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    signals = module("celery.signals", task_prerun=Signal(), task_postrun=Signal())
    celery.hook(signals)
    signals.task_prerun.send(task_id="1", task=None)
    assert "naming a Celery task failed" in caplog.text


def test_rq(settled: list[str]) -> None:
    jobs, job, worker = rq_module()
    rq.hook_job(jobs)
    rq.hook_worker(module("rq.worker", BaseWorker=worker))
    assert job().perform() == "rq jobs.sync"
    assert running() is None
    worker().handle_job_success()
    with pytest.raises(LookupError):
        worker().handle_job_failure()
    assert settled == ["settled", "settled"]


def test_an_rq_job_that_runs_when_we_come(settled: list[str]) -> None:
    jobs, job, worker = rq_module()
    jobs.get_current_job = job  # type: ignore[attr-defined]
    rq.hook_worker(module("rq.worker", Worker=worker))
    rq.hook_job(jobs)
    assert running() == "rq jobs.sync"
    worker().handle_job_success()
    assert running() is None


def test_an_rq_job_that_cannot_be_read(settled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, job, _ = rq_module()
    job.func_name = property(lambda self: 1 / 0)
    monkeypatch.delenv("MIHARU_UNGUARDED")
    rq.hook_job(jobs)
    assert job().perform() == "rq job"


def test_a_job_inside_a_request_is_the_requests(settled: list[str]) -> None:
    jobs, job, _ = rq_module()
    rq.hook_job(jobs)
    with Beginning(Origin({"path": "/"}, source=None)):
        assert job().perform() is None
    handoff.hand_to(None)
    assert job().perform() is None


def test_arq(settled: list[str]) -> None:
    class Worker:
        async def run_job(self, job: str) -> tuple[str | None, str | None]:
            before = running()
            worker.deserialize_job_raw(job)
            return before, running()

    worker = module("arq.worker", Worker=Worker, deserialize_job_raw=lambda name: (name, (), {}))
    arq.hook(worker)
    assert asyncio.run(Worker().run_job("resize")) == ("arq job", "arq resize")
    worker.deserialize_job_raw("elsewhere")
    assert running() is None
    wrapping.restore()
    assert asyncio.run(Worker().run_job("resize")) == (None, None)


def run_job(job: Any, *args: Any) -> str | None:
    return running()


async def run_coroutine_job(job: Any, *args: Any) -> str | None:
    return running()


def test_apscheduler(settled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    base = module("apscheduler.executors.base", run_job=run_job, run_coroutine_job=run_coroutine_job)
    pool = module("apscheduler.executors.pool", run_job=run_job)
    for each in (base, pool):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    apscheduler.hook(base)
    apscheduler.hook(base)
    job = SimpleNamespace(name="nightly", id="1")
    assert base.run_job is pool.run_job
    assert base.run_job(job, "store") == "apscheduler nightly"
    assert asyncio.run(base.run_coroutine_job(SimpleNamespace(id="7"))) == "apscheduler 7"
    assert pickle.loads(pickle.dumps(base.run_job)) is run_job, (
        "a process pool finds the original by its name"
    )
    wrapping.restore()
    assert (base.run_job, pool.run_job) == (run_job, run_job)


def test_a_hook_that_fails_costs_the_names_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(library: ModuleType) -> None:
        raise RuntimeError

    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setitem(JOBS, "rq.job", fail)
    monkeypatch.setitem(sys.modules, "rq.job", module("rq.job"))
    interceptor = Interceptor(lambda exchange: None, ())
    interceptor.install()
    interceptor.uninstall()
    assert "hooking a task queue failed" in caplog.text


def test_a_settling_that_fails_is_swallowed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    handoff.settle()
    handoff.hand_to(Interceptor(lambda exchange: None, (), settle=lambda: 1 / 0))
    handoff.settle()
    handoff.hand_to(None)
    assert "storing calls before a process ends failed" in caplog.text
