"""Work outside of requests, in the real task queues: what a call is called there."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.calls import rows
from tests.frameworks.serving import ROOT, environment, provider

pytest.importorskip("celery", reason="they have an environment of their own: requirements/frameworks.txt")
pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, on a port of this machine."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    with provider() as url:
        yield environment(tmp_path / "calls.db", url)


def run(environ: dict[str, str], *command: str) -> None:
    out = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert out.returncode == 0, out.stdout + out.stderr


def found(environ: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    """Route and user by the model's name."""
    calls = rows(Path(environ["MIHARU_DATABASE_URL"]))
    return {call["model"]: (call["route"], call["user_id"]) for call in calls}


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_celery(environ: dict[str, str], tmp_path: Path, pool: str) -> None:
    for name in ("queue", "control", "results"):
        (tmp_path / name).mkdir()
    environ |= {"CELERY_FOLDER": str(tmp_path)}
    ask = """
from tests.frameworks.jobs.celery_app import *
results = [send_mail.delay(user) for user in ("ann", "bob")] + [fail.delay(), outer.delay(), outer.delay()]
for result in results:
    result.get(timeout=60, propagate=False)
"""
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "tests.frameworks.jobs.celery_app", "worker"),
            *("--pool", pool, "--concurrency", "2", "--loglevel", "WARNING", "--without-mingle"),
        ],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        run(environ, "-c", ask)
    finally:
        worker.terminate()
        worker.wait(60)
    assert found(environ) == {
        "celery.ann": ("celery shop.send_mail", "ann"),
        "celery.bob": ("celery shop.send_mail", "bob"),
        "celery.fail": ("celery shop.fail", None),
        "celery.inner": ("celery shop.outer", None),
        "celery.outer": ("celery shop.outer", None),
    }
    assert len(rows(Path(environ["MIHARU_DATABASE_URL"]))) == 7


@pytest.mark.parametrize("early", [False, True], ids=["init in the job's module", "init before"])
@pytest.mark.parametrize("kind", ["Worker", "SimpleWorker"])
def test_rq(environ: dict[str, str], redis: str, kind: str, *, early: bool) -> None:
    """The first has a process for each job, which leaves by ``os._exit``."""
    url = f"{redis}/{len(kind) + early}"
    ask = f"""
from redis import Redis
from rq import Queue
from tests.frameworks.jobs.rq_jobs import sync
queue = Queue(connection=Redis.from_url({url!r}))
for user in ("ann", "bob"):
    queue.enqueue(sync, user)
"""
    run(environ, "-c", ask)
    start = "import tests.frameworks.jobs.rq_jobs\n" * early + "from rq.cli import main; main()"
    options = ("--burst", "--url", url, "--worker-class", f"rq.worker.{kind}")
    run(environ, "-c", start, "worker", *options)
    assert found(environ) == {
        "rq.ann": ("rq tests.frameworks.jobs.rq_jobs.sync", "ann"),
        "rq.bob": ("rq tests.frameworks.jobs.rq_jobs.sync", "bob"),
    }


def test_arq(environ: dict[str, str], redis: str) -> None:
    environ |= {"REDIS_URL": f"{redis}/1"}
    ask = """
import asyncio
from arq import create_pool
from tests.frameworks.jobs.arq_worker import Worker
async def main():
    pool = await create_pool(Worker.redis_settings)
    for user in ("ann", "bob"):
        await pool.enqueue_job("resize", user)
    await pool.enqueue_job("fail")
asyncio.run(main())
"""
    run(environ, "-c", ask)
    run(environ, "-m", "arq", "tests.frameworks.jobs.arq_worker.Worker")
    assert found(environ) == {
        "arq.ann": ("arq resize", "ann"),
        "arq.ann.thread": ("arq resize", "ann"),
        "arq.bob": ("arq resize", "bob"),
        "arq.bob.thread": ("arq resize", "bob"),
        "arq.fail": ("arq fail", None),
    }


def test_dramatiq(environ: dict[str, str]) -> None:
    """miharu does not know its jobs: what belongs to one is what the job says itself."""
    run(environ, "-m", "tests.frameworks.jobs.dramatiq_actors")
    assert found(environ) == {
        "dramatiq.ann": ("dramatiq send_mail", "ann"),
        "dramatiq.bob": ("dramatiq send_mail", "bob"),
        "dramatiq.outside": ("script tests.frameworks.jobs.dramatiq_actors", None),
    }


def test_apscheduler(environ: dict[str, str]) -> None:
    run(environ, "-m", "tests.frameworks.jobs.schedule")
    assert found(environ) == {
        "aps.ann": ("apscheduler nightly", "ann"),
        "aps.bob": ("apscheduler report", "bob"),
        "aps.cy": ("apscheduler elsewhere", "cy"),
        "aps.dan": ("apscheduler hourly", "dan"),
        "aps.eve": ("apscheduler daily", "eve"),
        "aps.main": ("script tests.frameworks.jobs.schedule", None),
    }


def test_a_notebook(environ: dict[str, str], tmp_path: Path) -> None:
    import nbformat

    cell = """
import miharu
from tests.frameworks.model import ask
miharu.init()
ask("cell")
assert miharu.flush()
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(notebook, tmp_path / "report.ipynb")
    run(environ, "-c", "from nbclient.cli import main; main()", str(tmp_path / "report.ipynb"))
    assert found(environ) == {"cell": ("notebook", None)}
