"""How far a limit is overshot, and what budgets cost: the caller, and the worker that asks the store.

    python -m benchmarks.budgets [--quick]

Each way to spend runs against a limit until the first refusal: one task, threads, tasks, processes. A call
takes as long as told, as if a model answered; what matters is how many are on their way when the limit is
passed. Beside miharu stands a lock around a counter that knows each price before it sends: the least that
can be overshot, by whoever asks first.
"""

import argparse
import asyncio
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

import miharu
from benchmarks.population import population
from miharu import monitor
from miharu.batch import Batch
from miharu.config import resolve_database
from miharu.recorder.budgets.account import Account
from miharu.recorder.budgets.sums import sums_for
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both

ONE = 0.000075
"""What a call costs, in dollars."""
URL = "https://api.openai.com/v1/chat/completions"
ANSWER = {
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


def body(number: object) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": str(number)}]}


def spend_sync(takes: float) -> int:
    """Make calls until one is refused; how many were made."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        time.sleep(takes)
        return httpx2.Response(200, json=ANSWER)

    made = 0
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        while True:
            try:
                client.post(URL, json=body(random.random()))
            except miharu.BudgetExceeded:
                return made
            made += 1


async def spend_async(takes: float) -> int:
    async def answer(_: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(takes)
        return httpx2.Response(200, json=ANSWER)

    made = 0
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        while True:
            try:
                await client.post(URL, json=body(random.random()))
            except miharu.BudgetExceeded:
                return made
            made += 1


def threads(number: int, takes: float) -> int:
    made: list[int] = []
    workers = [threading.Thread(target=lambda: made.append(spend_sync(takes))) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(made)


def tasks(number: int, takes: float) -> int:
    async def run() -> int:
        return sum(await asyncio.gather(*(spend_async(takes) for _ in range(number))))

    return asyncio.run(run())


def once(limit: int, spend: Callable[[], int]) -> int:
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        miharu.init(Path(folder, "calls.db"), budgets=[miharu.Budget(limit * ONE, refuse=True)])
        miharu.flush()
        made = spend()
        miharu.shutdown(60)
    return made


def processes(limit: int, number: int, takes: float) -> int:
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        path = Path(folder, "calls.db")
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.budgets", "--child", str(path), str(limit), str(takes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(number)
        ]
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        return sum(int(child.communicate()[0]) for child in children)


def child(path: str, limit: int, takes: float) -> None:
    miharu.init(path, budgets=[miharu.Budget(limit * ONE, refuse=True)])
    miharu.flush()
    print("ready", flush=True)
    sys.stdin.readline()
    made = spend_sync(takes)
    miharu.shutdown(60)
    print(made)


def with_a_lock(limit: int, number: int, takes: float) -> int:
    """A counter that is raised before a call is sent, since each costs the same and everybody knows it."""
    spent, lock = 0, threading.Lock()

    def work() -> None:
        nonlocal spent
        while True:
            with lock:
                if spent >= limit:
                    return
                spent += 1
            time.sleep(takes)

    workers = [threading.Thread(target=work) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return spent


def overshoot(quick: bool) -> None:
    limit, runs = (200, 1) if quick else (400, 5)
    print(f"Calls made against a limit of {limit}, the median and the worst of {runs} runs")
    scenes: list[tuple[str, float, Callable[[], int]]] = [
        ("one thread, 20 ms a call", 0.02, lambda: once(limit, lambda: spend_sync(0.02))),
        ("8 threads, 20 ms a call", 0.02, lambda: once(limit, lambda: threads(8, 0.02))),
        ("8 threads, 200 ms a call", 0.2, lambda: once(limit, lambda: threads(8, 0.2))),
        ("50 tasks, 200 ms a call", 0.2, lambda: once(limit, lambda: tasks(50, 0.2))),
        ("4 processes, 20 ms a call", 0.02, lambda: processes(limit, 4, 0.02)),
        ("4 processes, 200 ms a call", 0.2, lambda: processes(limit, 4, 0.2)),
        ("a lock, 8 threads, 20 ms a call", 0.02, lambda: with_a_lock(limit, 8, 0.02)),
    ]
    for name, takes, run in scenes:
        began = time.perf_counter()
        over = sorted(run() - limit for _ in range(runs))
        rate = limit * runs / (time.perf_counter() - began)
        print(
            f"  {name:34} {statistics.median(over):6.0f} over, {over[-1]:4} at worst "
            f"(about {rate:.0f} calls a second, {takes * 1000:.0f} ms each)"
        )


def caller(quick: bool) -> None:
    """What is added to a call, by what is to be asked before it is sent."""
    calls, blocks = (200, 5) if quick else (400, 25)
    client = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER)))
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        miharu.init(
            Path(folder, "calls.db"),
            budgets=[miharu.Budget(10**6, refuse=True), miharu.Budget(ONE, user="nobody", refuse=True)],
        )
        running = monitor.current()
        assert running is not None
        watching = running._interceptor
        assert watching is not None
        assert running._ledger is not None
        admit, closed = watching.admit, running._ledger.refusals
        with miharu.context(user="nobody"):
            client.post(URL, json=body("x"))
        miharu.flush()
        used_up = closed.closed
        assert used_up

        def nobody() -> None:
            watching.uninstall()

        def none() -> None:
            watching.install()
            watching.admit = None

        def one() -> None:
            watching.install()
            watching.admit, closed.closed = admit, ()

        def others() -> None:
            watching.install()
            watching.admit, closed.closed = admit, used_up

        took: dict[str, list[float]] = {}
        variants = {
            "nobody watching": nobody,
            "no budget": none,
            "a budget that refuses": one,
            "one that is used up for another user": others,
        }
        for _ in range(blocks):
            for name in random.sample(list(variants), len(variants)):
                variants[name]()
                client.post(URL, json=body("x"))
                for number in range(calls):
                    start = time.perf_counter()
                    client.post(URL, json=body(number))
                    took.setdefault(name, []).append(time.perf_counter() - start)
                watching.install()
                miharu.flush(60)
        one()
        miharu.shutdown(60)
    base = statistics.median(took["nobody watching"])
    print("\nMedian time of a call in memory")
    for name in variants:
        median = statistics.median(took[name])
        print(f"  {name:38}{median * 1e6:8.1f} us {1e6 * (median - base):+7.1f} us   x{median / base:.3f}")


def asking(quick: bool) -> None:
    """What the worker needs to ask a store with many calls."""
    number = 50_000 if quick else 1_000_000
    now = time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        path = Path(folder, "calls.db")

        async def run() -> None:
            store = both(SQLiteStore(resolve_database(path)))
            await store.open()
            batch = []
            for place, call in enumerate(population(number, now)):
                batch.append(call)
                if len(batch) == 5000 or place == number - 1:
                    await store.add(Batch(calls=batch))
                    batch = []
                    while await store.roll_up():
                        pass
            print(f"\nAsking a store with {number:,} calls of 30 days: milliseconds at first, and later")
            for name, facts in (
                ("a day", {}),
                ("a month", {"per": "month"}),
                ("a month, one user", {"per": "month", "user": "user-1"}),
                ("a month, each user", {"per": "month", "each": "user"}),
                ("a month, each route", {"per": "month", "each": "route"}),
                ("a month, a tag", {"per": "month", "tag": ("team", "search")}),
                ("a month, a user on a route", {"per": "month", "user": "u", "route": "POST /chat/{id}/ask"}),
            ):
                budget = miharu.Budget(10, **facts)
                account = Account(budget, now)
                made = sums_for(budget, account.column)
                took = []
                for _ in range(12):
                    start = time.perf_counter()
                    await made.ask(store, account.starts, account.ends, now, {})
                    took.append((time.perf_counter() - start) * 1000)
                print(f"  {name:30} {took[0]:9.1f} {statistics.median(took[-5:]):9.1f}")
            await store.close()

        asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.child:
        path, limit, takes = options.child
        child(path, int(limit), float(takes))
        return
    overshoot(options.quick)
    caller(options.quick)
    asking(options.quick)


if __name__ == "__main__":
    main()
