"""What the server takes to make each page over many calls, beside the newest fifty calls from the store.

    python -m benchmarks.pages [--quick] [--file FILE]

The calls are those of ``population.py``, kept through the store's own code; ``--file`` takes a file that
``benchmarks.store --folder`` has left. Pages are asked for as a browser does, one after another, on a loop of
their own; kept from one to the next is what the store's engine keeps, and for a minute what filters offer and
the colours of models. In the last column each page is asked for a minute after the one before.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.store import fill
from miharu.dashboard.page import PageRequest, Site
from miharu.dashboard.routes import PATHS, respond
from miharu.stores.base import Query
from miharu.stores.sqlite import SQLiteStore

END = 1_800_000_000_000
MINUTE = 60_000
RUNS = 5
RANGES = ("1h", "24h", "30d")
SORTS = ("-cost", "-total", "-input")


async def measure(file: Path) -> None:
    store = SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True)
    await store.open()
    now = [END - 1]
    site = Site(store=store, database=file.name, access="open", losses=lambda: 0, clock=lambda: now[0])
    heads = (*RANGES, f"{RANGES[-1]}, later")
    print(f"\n{'ms, best of 5':<24}" + "".join(f"{name:>12}" for name in heads) + f"{'kB':>10}")
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in PATHS]
    for path, more in (*asked, *(("calls", {"sort": sort}) for sort in SORTS)):
        cells, size = [], 0
        for name, later in (*((name, 0) for name in RANGES), (RANGES[-1], MINUTE)):
            request = PageRequest(path=path, params={"range": name, **more})
            times = []
            for _ in range(RUNS + 1):
                now[0] += later
                at = time.perf_counter()
                page = await respond(request, site)
                times.append((time.perf_counter() - at) * 1000)
            now[0] = END - 1
            size = len(page.body)
            cells.append(f"{min(times[1:]):,.0f}" if page.status == 200 else str(page.status))
        print(
            f"{' '.join((path or 'overview', *more.values())):<24}"
            + "".join(f"{cell:>12}" for cell in cells)
            + f"{size / 1000:>10.0f}"
        )
    query = Query(start=END - 86_400_000, end=END)
    times = []
    for _ in range(RUNS):
        at = time.perf_counter()
        await store.calls(query)
        times.append((time.perf_counter() - at) * 1000)
    print(f"{'fifty calls, no page':<24}{statistics.median(times):>12,.1f}")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand calls, not a million")
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file or Path(folder) / "calls.db"
        if not file.exists():
            asyncio.run(fill(file, 100_000 if arguments.quick else 1_000_000, END))
        asyncio.run(measure(file))


if __name__ == "__main__":
    main()
