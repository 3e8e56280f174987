"""ClickHouse beside SQLite and PostgreSQL, in one run: filling through the stores' own code, the questions.

    python -m benchmarks.clickhouse [--calls NUMBER ...] [--batch NUMBER] [--stores NAME ...]

The engine is chDB behind the tests' small HTTP door, one statement at a time on this machine: a server of
its own answers several at once and needs no door. ``scripts/test --full`` makes its environment.
PostgreSQL is left out where it is not installed.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.population import population
from benchmarks.store import DAY, RUNS, cpu, questions
from miharu.batch import Batch
from miharu.stores.base import Query, Store
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.postgres import PostgresStore
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.stores.clickhouse.server import PYTHON, Server
from tests.stores.postgres.server import BINARIES
from tests.stores.postgres.server import Server as PostgresServer

END = 1_800_000_000_000
STORES = ("SQLite", "PostgreSQL", "ClickHouse")


def made_by(url: str) -> Store:
    """The store behind a URL."""
    if url.startswith("clickhouse"):
        return ClickHouseStore(url)
    if url.startswith("postgresql"):
        return PostgresStore(url, clock=lambda: END)
    return SQLiteStore(url, clock=lambda: END)


async def fill(name: str, url: str, calls: int, batch: int) -> None:
    store = both(made_by(url))
    await store.open()
    made, adding, rolling, used = population(calls, END), 0.0, 0.0, 0.0
    while some := list(itertools.islice(made, batch)):
        began, at = cpu(), time.perf_counter()
        await store.add(Batch(calls=some))
        adding += time.perf_counter() - at
        at = time.perf_counter()
        while await store.roll_up():
            pass
        rolling += time.perf_counter() - at
        used += cpu() - began
    size = await store.size() or 0
    counted = await store.totals(Query(start=0, end=END))
    await store.close()
    if counted.calls != calls:
        raise SystemExit(f"{name} has {counted.calls:,} of {calls:,} calls")
    print(
        f"  {name:<12}{calls:>10,} calls, {batch} a batch: {calls / (adding + rolling):>8,.0f} rows/s, of it "
        f"{rolling / (adding + rolling):.0%} rolling up; {used / calls * 1e6:.1f} µs CPU a row of ours; "
        f"{size / calls:,.0f} bytes a call; {counted.cost_nanousd:,} nano-dollars in all",
        flush=True,
    )


async def ask(url: str) -> dict[str, float]:
    store = both(made_by(url))
    await store.open()
    (call, *_) = await store.calls(Query(start=0, end=END - 12 * DAY, status="success"), limit=1)
    answers = {}
    for name, question in questions(store, END, call).items():
        times = []
        for _ in range(RUNS + 1):
            at = time.perf_counter()
            await question()
            times.append((time.perf_counter() - at) * 1000)
        answers[name] = statistics.median(times[1:])
    await store.close()
    return answers


@contextmanager
def servers() -> Iterator[tuple[Server, PostgresServer | None]]:
    """Those that are to be had here."""
    clickhouse, postgres = Server(), PostgresServer("fsync=on") if BINARIES else None
    try:
        yield clickhouse, postgres
    finally:
        clickhouse.remove()
        if postgres is not None:
            postgres.remove()


def measure(sizes: Sequence[int], batch: int, stores: Collection[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, servers() as (clickhouse, postgres):
        answers: dict[tuple[str, int], dict[str, float]] = {}
        print("Filling")
        for calls in sizes:
            urls = {"SQLite": f"sqlite+aiosqlite:///{folder}/{calls}.db"}
            if postgres is not None:
                urls["PostgreSQL"] = postgres.url(asyncio.run(postgres.new_database()))
            urls["ClickHouse"] = clickhouse.url(clickhouse.new_database())
            for name, url in urls.items():
                if name not in stores:
                    continue
                asyncio.run(fill(name, url, calls, batch if name == "ClickHouse" else min(batch, 500)))
                answers[name, calls] = asyncio.run(ask(url))
        heads = list(answers)
        print("\nThe questions of the dashboard, median ms")
        print(f"  {'':<44}" + "".join(f"{name[:10] + ' ' + f'{calls:,}':>22}" for name, calls in heads))
        for question in answers[heads[0]]:
            print(f"  {question:<44}" + "".join(f"{answers[head][question]:>22,.1f}" for head in heads))


def main() -> None:
    if PYTHON is None:
        raise SystemExit("there is no .venv-clickhouse: scripts/test --full makes it")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[10_000])
    parser.add_argument("--batch", type=int, default=10_000, help="calls in an insert into ClickHouse")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    given = parser.parse_args()
    measure(given.calls, given.batch, given.stores)


if __name__ == "__main__":
    main()
