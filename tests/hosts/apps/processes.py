"""Asks in children of multiprocessing: ``python -m tests.hosts.apps.processes METHOD HOW``."""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.hosts.apps.asking import ask


def by_process(context: Any) -> None:
    children = [context.Process(target=ask) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def by_pool(context: Any) -> None:
    pool = context.Pool(2)
    pool.map(ask, ["a", "b"], chunksize=1)
    pool.close()
    pool.join()


def by_executor(context: Any) -> None:
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(ask, ["a", "b"]))


def by_terminated_pool(context: Any) -> None:
    """A pool that leaves its block terminates its processes, which get no chance to do anything."""
    with context.Pool(2) as pool:
        pool.map(ask, [str(number) for number in range(10)], chunksize=1)
        while sum(spool.read_bytes().count(b"openai.chat") for spool in spools()) < 10:
            time.sleep(0.01)


def spools() -> Iterator[Path]:
    database = Path(os.environ["MIHARU_DATABASE_URL"])
    return database.parent.glob(f"{database.name}.spool-*")


if __name__ == "__main__":
    method, how = sys.argv[1:]
    globals()[f"by_{how}"](multiprocessing.get_context(method))
    ask("the parent")
