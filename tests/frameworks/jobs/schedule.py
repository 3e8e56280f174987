"""Jobs of all of APScheduler's kinds, each of them once."""

import asyncio
import threading
from typing import Any

from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

import miharu
from tests.frameworks.model import aask, ask

miharu.init()  # in the processes that APScheduler spawns as well
LATE = {"misfire_grace_time": None}
"""However long the machine takes to start a process, the job is run."""


def report(user: str) -> None:
    miharu.context(user=user)
    ask(f"aps.{user}")


async def areport(user: str) -> None:
    miharu.context(user=user)
    await aask(f"aps.{user}")


def until_done(scheduler: Any, jobs: int) -> threading.Event:
    """Set when as many jobs have ended."""
    left, done = [jobs], threading.Event()

    def ended(event: Any) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    scheduler.add_listener(ended, 4096 | 8192 | 16384)
    return done


def in_threads_and_processes() -> None:
    scheduler = BackgroundScheduler(
        executors={"default": {"type": "threadpool"}, "process": ProcessPoolExecutor(1)},
        job_defaults=LATE,
    )
    done = until_done(scheduler, 3)
    scheduler.add_job(report, args=["ann"], name="nightly")
    scheduler.add_job(report, args=["bob"])
    scheduler.add_job(report, args=["cy"], name="elsewhere", executor="process")
    scheduler.start()
    assert done.wait(60)
    scheduler.shutdown()


async def in_a_loop() -> None:
    scheduler = AsyncIOScheduler(job_defaults=LATE)
    done = until_done(scheduler, 2)
    scheduler.add_job(areport, args=["dan"], name="hourly")
    scheduler.add_job(report, args=["eve"], name="daily")
    scheduler.start()
    assert await asyncio.to_thread(done.wait, 60)
    scheduler.shutdown()


if __name__ == "__main__":
    in_threads_and_processes()
    asyncio.run(in_a_loop())
    ask("aps.main")
