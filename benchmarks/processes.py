"""Many processes and one file: how fast, how long the worst wait, what is lost; and what a kill costs.

    python -m benchmarks.processes [--quick]

First eight writers, which keep batches of a hundred calls through the store's own code while a reader looks
every fifth of a second: with the lock, with the lock taken out, and the same rows through ``sqlite3`` alone.
Then eight programs that make calls through httpx, of which some are killed and started again. Then one such
program that is killed a hundred times.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from benchmarks.population import population
from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.stores.base import Query
from miharu.stores.columns import CALLS, to_row
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.locks.writer_lock import WriterLock
from miharu.testing import FakeProvider
from miharu.testing.open_store import OpenStore, both
from tests.stores.killing import crowd, kill_again_and_again

WRITERS = 8
BATCH = 100
LOOK_S = 0.2
TRIES = 50
VARIANTS = ("miharu", "miharu without its lock", "sqlite3 alone")
DAY = 86_400_000


def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def calls_of(writer: int, number: int) -> list[Call]:
    return list(population(number, end=int(time.time() * 1000), days=1, seed=writer))


# The writers: a process each.


async def write_through_the_store(file: Path, calls: list[Call]) -> tuple[list[float], int]:
    store, waits, errors = both(SQLiteStore(url(file))), [], 0
    await opened(store)
    for start in range(0, len(calls), BATCH):
        began = time.perf_counter()
        for _ in range(TRIES):
            try:
                await store.add(Batch(calls=calls[start : start + BATCH]))
            except StoreError:
                errors += 1
            else:
                break
        waits.append(time.perf_counter() - began)
        if start % (20 * BATCH) == 0:
            with suppress(StoreError):  # it is for later
                await store.roll_up()
    await store.close()
    return waits, errors


async def opened(store: OpenStore) -> None:
    """As the recorder does: one that is refused comes again."""
    for _ in range(TRIES):
        try:
            await store.open()
        except StoreError:
            continue
        return


def write_alone(file: Path, calls: list[Call]) -> tuple[list[float], int]:
    marks = ", ".join([f"({', '.join('?' * len(CALLS))})"] * BATCH)
    insert = f"INSERT INTO llm_calls ({', '.join(CALLS)}) VALUES {marks} ON CONFLICT DO NOTHING"
    waits, errors = [], 0
    with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        for start in range(0, len(calls), BATCH):
            values = [value for call in calls[start : start + BATCH] for value in to_row(call)]
            began = time.perf_counter()
            for _ in range(TRIES):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute(insert, values)
                    connection.execute("COMMIT")
                except sqlite3.Error:
                    errors += 1
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                else:
                    break
            waits.append(time.perf_counter() - began)
    return waits, errors


@contextmanager
def unlocked(_: WriterLock) -> Iterator[None]:
    yield


def write(variant: str, file: Path, writer: int, number: int) -> None:
    calls = calls_of(writer, number)
    print("ready", flush=True)
    sys.stdin.readline()
    if variant == "sqlite3 alone":
        waits, errors = write_alone(file, calls)
    elif variant == "miharu":
        waits, errors = asyncio.run(write_through_the_store(file, calls))
    else:
        with patch.object(WriterLock, "held", unlocked):
            waits, errors = asyncio.run(write_through_the_store(file, calls))
    print(json.dumps({"waits": waits, "errors": errors}), flush=True)


# The parent.


@dataclass
class Result:
    rows: int = 0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    errors: int = 0
    lost: int = 0
    wal: int = 0
    looks: list[float] = field(default_factory=list)
    refused_looks: int = 0


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def prepared(file: Path) -> None:
    store = both(SQLiteStore(url(file)))
    await store.open()
    await store.close()


async def watched(file: Path, writers: "list[subprocess.Popen[str]]", result: Result) -> None:
    """Look at the last day, as the dashboard does, until the last writer has ended."""
    store = both(SQLiteStore(url(file), read_only=True))
    await store.open()
    while any(writer.poll() is None for writer in writers):
        began, now = time.perf_counter(), int(time.time() * 1000)
        day = Query(start=now - DAY, end=now)
        try:
            await store.revision()
            await store.totals(day)
            await store.groups(day, "model")
            await store.calls(day, limit=50)
        except StoreError:
            result.refused_looks += 1
        result.looks.append(time.perf_counter() - began)
        result.wal = max(result.wal, size_of(Path(f"{file}-wal")))
        await asyncio.sleep(LOOK_S)
    await store.close()


def measure(variant: str, file: Path, number: int) -> Result:
    asyncio.run(prepared(file))
    command = [sys.executable, "-m", "benchmarks.processes", "--writer", variant, str(file)]
    writers = [
        subprocess.Popen(
            [*command, str(writer), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for writer in range(WRITERS)
    ]
    result = Result(rows=WRITERS * number)
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for writer in writers:
        assert writer.stdin is not None
        print(file=writer.stdin, flush=True)
    asyncio.run(watched(file, writers, result))
    result.seconds = time.perf_counter() - began
    for writer in writers:
        said = json.loads(writer.communicate()[0])
        result.waits += said["waits"]
        result.errors += said["errors"]
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT id) FROM llm_calls").fetchone()
        assert found[0] == found[1]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    result.lost = result.rows - found[0]
    return result


def tell(variant: str, result: Result) -> None:
    waits = sorted(wait * 1000 for wait in result.waits)
    looks = sorted(look * 1000 for look in result.looks)
    print(
        f"{variant:<24} {result.rows / result.seconds:>9,.0f} {statistics.median(waits):>9.1f} "
        f"{waits[int(len(waits) * 0.99)]:>9.0f} {waits[-1]:>9.0f} {result.wal / 1e6:>8.1f} "
        f"{result.lost:>6} {result.errors:>7} {statistics.median(looks):>9.0f} {looks[-1]:>9.0f} "
        f"{result.refused_looks:>8}",
        flush=True,
    )


def eight_writers(folder: Path, number: int) -> None:
    print(
        f"{WRITERS} writers of {number:,} calls each, in batches of {BATCH}, and a reader every {LOOK_S} s\n"
    )
    print(
        f"{'':<24} {'rows/s':>9} {'p50 ms':>9} {'p99 ms':>9} {'worst ms':>9} {'WAL MB':>8} "
        f"{'lost':>6} {'errors':>7} {'look p50':>9} {'worst':>9} {'refused':>8}"
    )
    for place, variant in enumerate((*VARIANTS, *reversed(VARIANTS))):
        tell(variant, measure(variant, folder / f"{place}.db", number))


def eight_programs(folder: Path, provider: str, each: int, kills: int) -> None:
    result = crowd(folder / "crowd.db", provider, WRITERS, each, kills)
    wanted = {f"p{program}-{n}" for program in range(WRITERS) for n in range(each)}
    print(
        f"\n{WRITERS} programs of {each:,} calls each through httpx, {result.kills} killed and begun again: "
        f"{len(wanted - set(result.names))} calls lost, "
        f"{sum(len(run.logs) for run in result.runs)} errors seen, {result.looks} looks of which "
        f"{result.seen_backwards} saw fewer calls than the one before, integrity {result.integrity[0]}",
        flush=True,
    )


def many_kills(folder: Path, provider: str, kills: int) -> None:
    result = kill_again_and_again(folder / "kills.db", provider, kills)
    there, missing = set(result.names), result.missing_ms
    opened = sorted(seconds * 1000 for seconds in result.reopened_s)
    print(f"\n{kills} kills at random moments\n")
    for what, value in (
        ("calls answered", f"{result.answered:,}"),
        ("calls acknowledged by flush()", f"{len(result.acknowledged):,}"),
        ("acknowledged and not there", str(len(set(result.acknowledged) - there))),
        ("there twice", str(len(result.names) - len(there))),
        ("answered and not there", f"{len(missing):,}, {len(missing) / kills:.1f} a kill"),
        (
            "how long before the kill those were answered",
            f"p50 {statistics.median(missing):.0f} ms, at most {missing[-1]:.0f} ms" if missing else "none",
        ),
        ("quick_check after each kill not ok", str(len(result.broken))),
        ("first look afterwards", f"p50 {statistics.median(opened):.1f} ms, at most {opened[-1]:.1f} ms"),
    ):
        print(f"{what:<46} {value}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--writer", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.writer:
        variant, file, writer, number = arguments.writer
        write(variant, Path(file), int(writer), int(number))
        return
    quick = arguments.quick
    with tempfile.TemporaryDirectory() as name, FakeProvider() as provider:
        eight_writers(Path(name), 2_000 if quick else 20_000)
        eight_programs(Path(name), provider.base_url, 100 if quick else 1_500, 2 if quick else 8)
        many_kills(Path(name), provider.base_url, 5 if quick else 100)


if __name__ == "__main__":
    main()
