"""Several processes that each have a store of their own and do as they are told, all at once.

A process reads one job a line, as JSON, and answers with one line.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from miharu.batch import Batch
from miharu.call import Call, new_id
from miharu.stores.postgres import PostgresStore, rolling_up
from miharu.testing.open_store import both
from miharu.testing.store_contract import NOON, make_call

__all__ = ("Crew", "calls_of")

ROOT = Path(__file__).parents[3]


class Crew:
    def __init__(self, size: int) -> None:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.stores.postgres.crew"]
        self._all = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(size)
        ]
        self.do([{"do": "wake"}] * size)

    def start(self, jobs: Sequence[dict[str, Any]]) -> None:
        for process, job in zip(self._all, jobs, strict=False):
            assert process.stdin is not None
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()

    def answers(self, count: int) -> list[Any]:
        answers = []
        for process in self._all[:count]:
            assert process.stdout is not None
            answers.append(json.loads(process.stdout.readline()))
        return answers

    def do(self, jobs: Sequence[dict[str, Any]]) -> list[Any]:
        """Hand them out, and wait for all."""
        self.start(jobs)
        return self.answers(len(jobs))

    def dismiss(self) -> None:
        for process in self._all:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait()
            process.stdout.close()


def calls_of(seed: int, count: int, *, start: int = NOON, apart_ms: int = 1000) -> list[Call]:
    """The same calls for the same seed, whichever process makes them."""
    return [
        make_call(
            id=new_id(start + n * apart_ms, seed.to_bytes(4, "big") + n.to_bytes(6, "big")),
            timestamp=start + n * apart_ms,
            model=f"m{n % 7}",
            route=f"r{n % 5}",
            user_id=f"u{n % 50}",
            session_id=f"s{n % 400}",
            duration_ms=n % 900,
        )
        for n in range(count)
    ]


async def work(job: dict[str, Any]) -> Any:
    if job["do"] == "wake":
        return "here"
    rolling_up.WORTH_IT, rolling_up.FOLDED_AT_ONCE = 300, 1000
    store = both(PostgresStore(job["url"]))
    try:
        await store.open()
        if job["do"] == "open":
            return await store.revision()
        new = 0
        calls = calls_of(job["seed"], job["calls"], apart_ms=job.get("apart_ms", 1000))
        for first in range(0, len(calls), job["batch"]):
            new += await store.add(Batch(calls=calls[first : first + job["batch"]]))
            if job.get("tend"):
                await store.roll_up()
        return new
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await store.close()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(anyio.run(work, json.loads(line))), flush=True)
