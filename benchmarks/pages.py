"""What the server takes to make each page over many calls: page by range, by filter and by grouping.

    python -m benchmarks.pages [--quick] [--file FILE ...] [--ranges 1h,30d] [--only TEXT] [--writer]

The calls are those of ``population.py``, kept through the store's own code, with sums by the tag ``team``;
``--file`` takes files that ``benchmarks.store --folder`` has left, a million and ten million calls. Pages are
asked for as a browser does, one after another, each with a store that nothing was asked of before: nothing is
kept from one page to the next but what the engine keeps. With ``--writer`` another process stores two hundred
calls a second meanwhile.

For each cell stand the milliseconds until the page was there, and behind the slash those of processor time,
all threads together: where other programs use the machine, the second is the one to look at. At the end come
the cells beyond the bound (100 ms up to a million calls, 250 ms at ten million), and the longest that a page
kept the thread that makes it, which is what competes with the host for the interpreter's lock.
"""

import argparse
import asyncio
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.population import population
from benchmarks.store import fill
from miharu.batch import Batch
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.routes import respond
from miharu.stores.base import Query
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both

END = 1_800_000_000_000
RUNS = 3
RANGES = ("1h", "24h", "7d", "30d")
PAGES: tuple[tuple[str, Mapping[str, str]], ...] = (
    *(("", {"by": by}) for by in ("model", "provider", "route", "user", "service")),
    *((path, {}) for path in ("live", "calls")),
    *(("calls", {"sort": sort}) for sort in ("-cost", "-total", "-input")),
    *((path, {}) for path in ("routes", "models", "sessions", "errors")),
    *(("compare", {"by": by}) for by in ("model", "route", "user")),
)
TAGS = ("team",)
MANY = 5_000_000
BOUND = {False: 100, True: 250}
"""Milliseconds, for few calls and for many."""


class Fresh:
    """The store, as an object that nothing has been kept for."""

    def __init__(self, store: OpenStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True)
class Cell:
    """Milliseconds."""

    wall: float
    cpu: float
    loop: float
    """Of the thread that makes the page."""
    size: int
    status: int

    def __str__(self) -> str:
        return f"{self.wall:,.0f}/{self.cpu:,.0f}" if self.status == 200 else str(self.status)


def filters_in(file: Path) -> dict[str, Mapping[str, str]]:
    """One of each kind: the model, route and user with the most calls, which is the hardest case."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    found = {}
    for name, column in (("model", "model"), ("route", "route"), ("user", "user_id")):
        (found[name],) = connection.execute(
            f"SELECT {column} FROM (SELECT {column} FROM llm_calls WHERE timestamp < ? "
            f"ORDER BY timestamp DESC LIMIT 100000) GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
            (END,),
        ).fetchone()
    connection.close()
    return {
        "none": {},
        "model": {"model": found["model"]},
        "route": {"route": found["route"]},
        "provider": {"provider": "openai"},
        "service": {"service": "shop"},
        "user": {"user": found["user"]},
        "status": {"status": "error"},
        "error": {"error": "overloaded"},
        "model+route": {"model": found["model"], "route": found["route"]},
        "tag": {"tag": "team=team-0"},
        "models": {"q": f"model:{found['model']},claude-5-5-nano"},
        "not model": {"q": f"-model:{found['model']}"},
        "model*": {"q": "model:gpt-*"},
        "not user": {"q": f"-user:{found['user']}"},
        "users": {"q": f"user:{found['user']},u-1,u-2"},
        "threshold": {"q": "cost>0.01"},
        "both": {"q": f"-model:{found['model']} duration>10s"},
    }


async def make(store: OpenStore, path: str, params: Mapping[str, str]) -> Cell:
    """A page, the best of a few."""
    cells = []
    for _ in range(RUNS):
        site = Site(store=Fresh(store), database="", access="open", losses=lambda: 0, clock=lambda: END - 1)
        at, used, own = time.perf_counter(), time.process_time(), time.thread_time()
        page = await respond(PageRequest(path=path, params=params), site)
        spent = (time.perf_counter() - at, time.process_time() - used, time.thread_time() - own)
        wall, cpu, loop = (1000 * seconds for seconds in spent)
        cells.append(Cell(wall, cpu, loop, len(page.body), page.status))
    return Cell(
        min(cell.wall for cell in cells),
        min(cell.cpu for cell in cells),
        min(cell.loop for cell in cells),
        cells[-1].size,
        max(cell.status for cell in cells),
    )


async def measure(file: Path, ranges: tuple[str, ...], only: str) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True))
    await store.open()
    calls = (await store.totals(Query(start=0, end=2 * END))).calls
    bound = BOUND[calls >= MANY]
    print(f"\n{calls:,} calls; ms/ms of processor, best of {RUNS}; at most {bound} ms")
    print(f"{'page':<18}{'filter':<13}" + "".join(f"{name:>14}" for name in ranges) + f"{'kB':>8}")
    cells: dict[tuple[str, str, str], Cell] = {}
    for (path, more), (name, chosen) in itertools.product(PAGES, filters_in(file).items()):
        title = " ".join((path or "overview", *more.values()))
        if only and only not in f"{title} {name}":
            continue
        row = []
        for length in ranges:
            cell = await make(store, path, {"range": length, **more, **chosen})
            cells[title, name, length] = cell
            row.append(cell)
        shown = "".join(f"{cell!s:>14}" for cell in row)
        print(f"{title:<18}{name:<13}{shown}{max(cell.size for cell in row) / 1000:>8.0f}", flush=True)
    await store.close()
    for what, limit in (("wall", bound), ("cpu", bound), ("loop", 50)):
        beyond = [(getattr(cell, what), *key) for key, cell in cells.items() if getattr(cell, what) > limit]
        print(f"beyond {limit} ms of {what}: {len(beyond)} of {len(cells)}")
        for value, *key in sorted(beyond, reverse=True)[:40]:
            print(f"  {value:>7,.0f}  {', '.join(key)}")


def write_on(file: Path) -> None:
    """Two hundred calls a second, until the end of the process."""

    async def go() -> None:
        store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", clock=lambda: END, tag_sums=TAGS))
        await store.open()
        made = population(10**7, END, days=0.01, seed=os.getpid())
        print("ready", flush=True)
        while batch := list(itertools.islice(made, 20)):
            await store.add(Batch(calls=batch))
            await store.roll_up()
            await asyncio.sleep(0.1)

    asyncio.run(go())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand calls, not a million")
    parser.add_argument("--file", type=Path, nargs="*", default=[])
    parser.add_argument("--ranges", default=",".join(RANGES))
    parser.add_argument("--only", default="", help="cells with this text in their page or filter")
    parser.add_argument("--writer", action="store_true", help="another process writes meanwhile")
    parser.add_argument("--write-on", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write_on is not None:
        write_on(arguments.write_on)
        return
    with tempfile.TemporaryDirectory() as folder:
        files: list[Path] = arguments.file
        if not files:
            files = [Path(folder) / "calls.db"]
            asyncio.run(fill(files[0], 100_000 if arguments.quick else 1_000_000, END, TAGS))
        for file in files:
            writer = None
            if arguments.writer:
                command = [sys.executable, "-m", "benchmarks.pages", "--write-on", str(file)]
                writer = subprocess.Popen(command, stdout=subprocess.PIPE)
                assert writer.stdout is not None
                writer.stdout.readline()
            try:
                asyncio.run(measure(file, tuple(arguments.ranges.split(",")), arguments.only))
            finally:
                if writer is not None:
                    writer.send_signal(signal.SIGINT)
                    writer.wait()


if __name__ == "__main__":
    main()
