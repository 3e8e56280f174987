"""The store at ten thousand, a million and ten million calls: filling it, its size, its answers.

    python -m benchmarks.store [--quick] [--calls NUMBER ...] [--folder FOLDER]

Calls are made by ``population.py`` and kept through the store's own code, batch by batch, with the roll-ups
folded in between as the worker does. Beside it the same rows through the standard library's ``sqlite3``
alone: the limit. Then each question of the dashboard is asked several times, and answered once more from
the calls alone, as it was before there were roll-ups.
"""

import argparse
import asyncio
import itertools
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.population import population
from miharu.batch import Batch
from miharu.call import Call
from miharu.stores.base import Query
from miharu.stores.columns import CALLS, to_row
from miharu.stores.sql import source, sums, times, windows
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both

BATCH = 500
HOUR = 3_600_000
DAY = 24 * HOUR
RUNS = 5
FEW_RAW = 1_000_001
"""More calls than this are not read one by one for comparison: it takes too long."""


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def written() -> int:
    """Bytes that this process has handed to the system."""
    facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(facts["wchar"])


async def fill(file: Path, calls: int, end: int, tags: Sequence[str] = ()) -> None:
    """Make the file, as programs would that have run for thirty days."""
    now = [0]
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", clock=lambda: now[0], tag_sums=tags))
    await store.open()
    made = population(calls, end)
    spent = {"made": 0.0, "add": 0.0, "tend": 0.0}
    waited = {"add": 0.0, "tend": 0.0}
    before = written()
    while True:
        at = cpu()
        batch = list(itertools.islice(made, BATCH))
        spent["made"] += cpu() - at
        if not batch:
            break
        now[0] = batch[-1].timestamp
        for name, work in (("add", store.add(Batch(calls=batch))), ("tend", _tend(store))):
            at, clock = cpu(), time.perf_counter()
            await work
            spent[name] += cpu() - at
            waited[name] += time.perf_counter() - clock
    now[0] = end
    await _tend(store)
    wrote = written() - before
    size = await store.size() or 0
    await store.close()
    for name, seconds in waited.items():
        print(
            f"  {name:<28}{calls / seconds:>10,.0f} rows/s {spent[name] / calls * 1e6:>8.1f} µs CPU a row",
            flush=True,
        )
    print(f"  {'size':<28}{size / calls:>10,.0f} bytes a call, {wrote / calls:,.0f} written")
    with sqlite3.connect(file) as connection:
        try:
            rows = connection.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 20"
            ).fetchall()
        except sqlite3.OperationalError:
            rows = []
    connection.close()
    for name, bytes_ in rows:
        print(f"    {name:<34}{bytes_ / calls:>8.1f}")


async def _tend(store: OpenStore) -> None:
    while await store.roll_up():
        pass


def limit(folder: Path, calls: Sequence[Call]) -> None:
    """The same rows through ``sqlite3`` alone, with the same table."""
    rows = [to_row(call) for call in calls]
    marks = ", ".join("?" * len(CALLS))
    for name, several in (("sqlite3, executemany", 1), ("sqlite3, 500 rows a statement", BATCH)):
        file = folder / f"{several}.db"
        asyncio.run(_empty(file))
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA synchronous = NORMAL")
        statement = f"INSERT INTO llm_calls ({', '.join(CALLS)}) VALUES "
        many = statement + ", ".join([f"({marks})"] * several)
        at, clock = cpu(), time.perf_counter()
        for start in range(0, len(rows), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            some = rows[start : start + BATCH]
            if several == 1:
                connection.executemany(many, some)
            else:
                connection.execute(many, [value for row in some for value in row])
            connection.execute("COMMIT")
        seconds, used = time.perf_counter() - clock, cpu() - at
        connection.close()
        print(f"  {name:<28}{len(rows) / seconds:>10,.0f} rows/s {used / len(rows) * 1e6:>8.1f} µs CPU a row")


async def _empty(file: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
    await store.open()
    await store.close()


def questions(store: OpenStore, end: int, call: Call) -> dict[str, Callable[[], Awaitable[object]]]:
    def last(days: float, **facts: str) -> Query:
        return replace(Query(start=int(end - days * DAY), end=end), **facts)  # type: ignore[arg-type]

    model, route, user = call.model or "", call.route or "", call.user_id or ""
    return {
        "totals, 1 h": lambda: store.totals(last(1 / 24)),
        "totals, 24 h": lambda: store.totals(last(1)),
        "totals, 30 d": lambda: store.totals(last(30)),
        "totals, 30 d, a model and a route": lambda: store.totals(last(30, model=model, route=route)),
        "totals, 30 d, a user": lambda: store.totals(last(30, user_id=user)),
        "series by model, 1 h by minute": lambda: store.series(last(1 / 24), 60_000, "model"),
        "series by model, 24 h by 30 min": lambda: store.series(last(1), HOUR // 2, "model"),
        "series by model, 30 d by 12 h": lambda: store.series(last(30), 12 * HOUR, "model"),
        "series by route, 30 d by 12 h": lambda: store.series(last(30), 12 * HOUR, "route"),
        "series by model, 30 d, a user": lambda: store.series(last(30, user_id=user), 12 * HOUR, "model"),
        "latency, 24 h": lambda: store.latency(last(1)),
        "latency, 30 d": lambda: store.latency(last(30)),
        "latency, 30 d, a model and a route": lambda: store.latency(last(30, model=model, route=route)),
        "heat map, 24 h by 30 min": lambda: store.durations(last(1), HOUR // 2),
        "heat map, 30 d by 12 h": lambda: store.durations(last(30), 12 * HOUR),
        "models, 30 d": lambda: store.groups(last(30), "model"),
        "routes, 24 h": lambda: store.groups(last(1), "route"),
        "routes, 30 d": lambda: store.groups(last(30), "route"),
        "top 20 users, 24 h": lambda: store.groups(last(1), "user_id", 20),
        "top 20 users, 30 d": lambda: store.groups(last(30), "user_id", 20),
        "errors by type, 30 d": lambda: store.groups(last(30, status="error"), "error_type"),
        "newest 50 calls": lambda: store.calls(last(30)),
        "newest 50 errors": lambda: store.calls(last(30, status="error")),
        "newest 50 of a model and a route": lambda: store.calls(last(30, model=model, route=route)),
        "newest 50 of a user": lambda: store.calls(last(30, user_id=user)),
        "newest 50 of a user nobody knows": lambda: store.calls(last(30, user_id="nobody")),
        "newest 50 of a model nobody knows": lambda: store.calls(last(30, model="nobody")),
        "calls of a trace": lambda: store.calls(last(30, trace_id=call.trace_id or "")),
        "calls of a session": lambda: store.calls(last(30, session_id=call.session_id or "")),
        "50 newest sessions": lambda: store.sessions(last(30)),
        "one call": lambda: store.call(call.id),
        "revision": store.revision,
    }


async def ask(file: Path, end: int, *, raw: bool) -> dict[str, list[float]]:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True))
    await store.open()
    (call, *_) = await store.calls(Query(start=0, end=end - 12 * DAY, status="success"), limit=1)
    times: dict[str, list[float]] = {}
    for name, question in questions(store, end, call).items():
        times[name] = []
        for _ in range(2 if raw else RUNS + 1):
            at = time.perf_counter()
            await question()
            times[name].append((time.perf_counter() - at) * 1000)
        times[name] = times[name][1:]
    await store.close()
    return times


@contextmanager
def without_rollups() -> Iterator[None]:
    """Every question is answered from the calls themselves."""
    with (
        patch.object(sums, "SUMS", ()),
        patch.object(times, "HISTOGRAMS", ()),
        patch.object(windows, "_HOURLY", ()),
        patch.object(source, "usable", lambda *_, **__: []),
    ):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="ten thousand and a hundred thousand calls only")
    parser.add_argument("--calls", type=int, nargs="*", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="keep the files there, and use those that are there")
    arguments = parser.parse_args()
    sizes = [10_000, 100_000] if arguments.quick else arguments.calls
    end = 1_800_000_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        answers, plain = {}, {}
        for calls in sizes:
            file = folder / f"{calls}.db"
            print(f"{calls:,} calls", flush=True)
            if not file.exists():
                asyncio.run(fill(file, calls, end))
                with tempfile.TemporaryDirectory() as scratch:
                    limit(Path(scratch), list(population(min(calls, 50_000), end)))
            answers[calls] = asyncio.run(ask(file, end, raw=False))
            if calls < FEW_RAW:
                with without_rollups():
                    plain[calls] = asyncio.run(ask(file, end, raw=True))
    print(f"\n{'ms, median of 5 (without roll-ups)':<38}" + "".join(f"{calls:>24,}" for calls in sizes))
    for name in answers[sizes[0]]:
        cells = []
        for calls in sizes:
            beside = f"({plain[calls][name][0]:,.1f})" if calls in plain else ""
            cells.append(f"{statistics.median(answers[calls][name]):,.1f} {beside:>10}")
        print(f"{name:<38}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
