"""PostgreSQL beside SQLite, in one run: one writer by every path, eight writers, the dashboard's questions.

    python -m benchmarks.postgres [--quick] [--calls NUMBER ...] [--rows NUMBER]

The server is one of its own (Debian's binaries, ``scripts/test`` installs them), on this machine and with
``fsync`` on; its processor time is counted beside the client's. Calls are made by ``population.py`` and kept
through the stores' own code, with the roll-ups folded in between as the worker does.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import MetaData, Table, insert
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.population import population
from benchmarks.store import BATCH, DAY, RUNS, cpu, limit, questions
from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.recorder.maintenance import ROLL_UP_S
from miharu.recorder.run import BACK_OFF_S
from miharu.stores.base import Query
from miharu.stores.columns import CALLS, to_row
from miharu.stores.postgres import PostgresStore, partitions, writing
from miharu.stores.postgres.address import connect_arguments
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both
from tests.stores.postgres.server import Server

Adding: TypeAlias = Callable[[Sequence[Call]], Awaitable[None]]

END = 1_800_000_000_000
WRITERS = 8


def server_cpu(server: Server) -> float:
    """Seconds of processor time of the server and all its processes, those that are gone included."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        own, parent = int(entry.parent.name), int(fields[1])
        if own == server.pid:
            total += sum(map(int, fields[11:15]))
        elif parent == server.pid:
            total += sum(map(int, fields[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def made_by(url: str) -> OpenStore:
    return both((PostgresStore if url.startswith("postgresql") else SQLiteStore)(url, clock=lambda: END))


async def tend(store: OpenStore) -> None:
    while await store.roll_up():
        pass


# ---- one writer


async def one_writer(server: Server, rows: int, batch: int) -> None:
    calls = list(population(rows, END, days=2))

    for name, insert_ in (("store.add", None), ("store.add, as for a replay", writing.merge)):
        store = both(PostgresStore(server.url(await server.new_database())))
        await store.open()
        await _timed(name, server, calls, batch, _adding(store, insert_))
        await store.close()

    url = server.url(await _ready(server, calls))
    connection = await asyncpg.connect(**connect_arguments(url))

    async def copy(some: Sequence[Call]) -> None:
        await connection.copy_records_to_table("llm_calls", records=map(to_row, some), columns=CALLS)

    await _timed("asyncpg, COPY alone", server, calls, batch, copy)
    await connection.execute("TRUNCATE llm_calls")
    places = ", ".join(f"${place}" for place in range(1, len(CALLS) + 1))
    statement = f"INSERT INTO llm_calls ({', '.join(CALLS)}) VALUES ({places})"

    async def many(some: Sequence[Call]) -> None:
        await connection.executemany(statement, list(map(to_row, some)))

    await _timed("asyncpg, executemany", server, calls, batch, many)
    await connection.execute("TRUNCATE llm_calls")
    await connection.close()
    engine = create_async_engine(url)
    async with engine.connect() as reflecting:
        table = await reflecting.run_sync(
            lambda sync: Table("llm_calls", MetaData(), autoload_with=sync, resolve_fks=False)
        )

    async def core(some: Sequence[Call]) -> None:
        async with engine.begin() as writing_:
            await writing_.execute(
                insert(table), [dict(zip(CALLS, to_row(call), strict=True)) for call in some]
            )

    await _timed("SQLAlchemy Core", server, calls, batch, core)
    await engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        lite = both(SQLiteStore(f"sqlite+aiosqlite:///{folder}/calls.db"))
        await lite.open()

        async def sqlite(some: Sequence[Call]) -> None:
            await lite.add(Batch(calls=some))

        await _timed("SQLite, store.add", None, calls, batch, sqlite)
        await lite.close()


def _adding(store: OpenStore, insert_: writing.Insert | None) -> Adding:
    async def add(some: Sequence[Call]) -> None:
        if insert_ is None:
            await store.add(Batch(calls=some))
            return
        await store.sides.writer._make_room(Batch(calls=some))
        await store.sides.writer.database.run(
            lambda connection: writing.add(connection, Batch(calls=some), insert=insert_)
        )

    return add


async def _ready(server: Server, calls: Sequence[Call]) -> str:
    """A database with all tables and no call."""
    database = await server.new_database()
    store = both(PostgresStore(server.url(database)))
    await store.open()
    days = partitions.days_of("llm_calls", [call.timestamp for call in calls])
    await store.sides.writer.database.run(lambda connection: partitions.create(connection, days))
    await store.close()
    return database


async def _timed(
    name: str,
    server: Server | None,
    calls: Sequence[Call],
    batch: int,
    add: Adding,
) -> None:
    await add(calls[:batch])  # connected, compiled, and the tables of the day are made
    rest = calls[batch:]
    theirs, ours, clock = server_cpu(server) if server else 0.0, cpu(), time.perf_counter()
    for start in range(0, len(rest), batch):
        await add(rest[start : start + batch])
    seconds, used = time.perf_counter() - clock, cpu() - ours
    beside = f"{(server_cpu(server) - theirs) / len(rest) * 1e6:>8.1f} µs of the server's" if server else ""
    print(
        f"  {name:<28}{batch:>6} a batch {len(rest) / seconds:>10,.0f} rows/s "
        f"{used / len(rest) * 1e6:>8.1f} µs CPU a row {beside}",
        flush=True,
    )


# ---- eight writers


async def work(url: str, seed: int, calls: int, batch: int) -> dict[str, Any]:
    """The child: so many calls, with the roll-ups in between."""
    store = made_by(url)
    await store.open()
    made = list(population(calls, END, days=1, seed=seed))
    print("ready", flush=True)
    sys.stdin.readline()
    waited, used, tended, refused = [], cpu(), time.perf_counter(), 0
    for start in range(0, calls, batch):
        clock = time.perf_counter()
        while True:
            try:
                await store.add(Batch(calls=made[start : start + batch]))
            except StoreError:
                refused += 1
                await asyncio.sleep(BACK_OFF_S[0])
            else:
                break
        waited.append(time.perf_counter() - clock)
        if time.perf_counter() - tended > ROLL_UP_S:
            await tend(store)
            tended = time.perf_counter()
    told = {"waited": waited, "cpu": cpu() - used, "refused": refused}
    await store.close()
    return told


def eight(url: str, calls: int, batch: int, server: Server | None) -> None:
    name = "PostgreSQL" if server else "SQLite"
    command = [sys.executable, "-m", "benchmarks.postgres", "--work", url, str(calls), str(batch)]
    children = [
        subprocess.Popen([*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for seed in range(WRITERS)
    ]
    for child in children:
        assert child.stdout
        child.stdout.readline()
    theirs, clock = server_cpu(server) if server else 0.0, time.perf_counter()
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    told = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    seconds = time.perf_counter() - clock
    rows = WRITERS * calls
    waited = sorted(second for one in told for second in one["waited"])
    beside = f", {(server_cpu(server) - theirs) / rows * 1e6:.1f} µs of the server's" if server else ""
    kept = asyncio.run(kept_in(url))
    print(
        f"  {name:<12}{batch:>6} a batch {rows / seconds:>9,.0f} rows/s, {kept:,} of {rows:,} kept; an add: "
        f"{statistics.median(waited) * 1000:.1f} ms, p99 {waited[int(len(waited) * 0.99)] * 1000:.0f} ms, "
        f"at most {waited[-1] * 1000:.0f} ms; {sum(one['cpu'] for one in told) / rows * 1e6:.1f} µs CPU a row"
        f"{beside}; {sum(one['refused'] for one in told)} batches were refused and came again",
        flush=True,
    )
    if kept != rows:
        raise SystemExit(f"{rows - kept} rows are lost")


async def kept_in(url: str) -> int:
    store = made_by(url)
    await store.open()
    await tend(store)
    kept = (await store.totals(Query(start=0, end=END))).calls
    await store.close()
    return kept


# ---- the dashboard's questions


async def fill(name: str, url: str, calls: int) -> None:
    store = made_by(url)
    await store.open()
    made, clock, used = population(calls, END), time.perf_counter(), 0.0
    while batch := list(itertools.islice(made, BATCH)):
        at = cpu()
        await store.add(Batch(calls=batch))
        await tend(store)
        used += cpu() - at
    size = await store.size() or 0
    await store.close()
    print(
        f"  {name:<12}{calls:>12,} calls in {time.perf_counter() - clock:,.0f} s, making them included; "
        f"{used / calls * 1e6:.1f} µs CPU a row; {size / calls:,.0f} bytes a call",
        flush=True,
    )


async def ask(url: str) -> dict[str, float]:
    store = made_by(url)
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


def measure(server: Server, sizes: Sequence[int], rows: int) -> None:
    def database() -> str:
        return server.url(asyncio.run(server.new_database()))

    print("One writer")
    for batch in (100, 500):
        asyncio.run(one_writer(server, rows, batch))
    with tempfile.TemporaryDirectory() as folder:
        limit(Path(folder), list(population(rows, END)))
        print(f"\n{WRITERS} processes, {rows // WRITERS:,} calls each, with roll-ups")
        for batch in (10, 100):
            eight(database(), rows // WRITERS, batch, server)
            eight(f"sqlite+aiosqlite:///{folder}/{batch}.db", rows // WRITERS, batch, None)
        print("\nThe questions of the dashboard")
        answers = {}
        for calls in sizes:
            urls = {"PostgreSQL": database(), "SQLite": f"sqlite+aiosqlite:///{folder}/q{calls}.db"}
            for name, url in urls.items():
                asyncio.run(fill(name, url, calls))
                answers[name, calls] = asyncio.run(ask(url))
    print(f"\n{'ms, median of 5':<36}" + "".join(f"{name:>12}{calls:>12,}" for name, calls in answers))
    for question in next(iter(answers.values())):
        print(f"{question:<36}" + "".join(f"{times[question]:>24.1f}" for times in answers.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer rows, and ten thousand calls only")
    parser.add_argument("--calls", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--rows", type=int, default=80_000, help="for the writers")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        url, *numbers = arguments.work
        calls, batch, seed = map(int, numbers)
        print(json.dumps(asyncio.run(work(url, seed, calls, batch))))
        return
    server = Server("fsync=on")
    try:
        sizes = [10_000] if arguments.quick else arguments.calls
        measure(server, sizes, 8_000 if arguments.quick else arguments.rows)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
