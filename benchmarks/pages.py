"""What the server takes to make each page over many calls, beside the newest fifty calls from the store.

    python -m benchmarks.pages [--quick] [--file FILE]

The calls are those of ``population.py``, kept through the store's own code; ``--file`` takes a file that
``benchmarks.store --folder`` has left. Pages are asked for as a browser does, one after another, on a loop of
their own; nothing is kept from one to the next but what the store's engine keeps.
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
RUNS = 5
RANGES = ("1h", "24h", "30d")


async def measure(file: Path) -> None:
    store = SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True)
    await store.open()
    site = Site(store=store, database=file.name, access="open", losses=lambda: 0, clock=lambda: END - 1)
    print(f"\n{'ms, median of 5':<24}" + "".join(f"{name:>12}" for name in RANGES) + f"{'kB':>10}")
    for path in PATHS:
        cells, size = [], 0
        for name in RANGES:
            request = PageRequest(path=path, params={"range": name})
            times = []
            for _ in range(RUNS + 1):
                at = time.perf_counter()
                page = await respond(request, site)
                times.append((time.perf_counter() - at) * 1000)
            size = len(page.body)
            cells.append(f"{statistics.median(times[1:]):,.0f}" if page.status == 200 else str(page.status))
        print(
            f"{path or 'overview':<24}" + "".join(f"{cell:>12}" for cell in cells) + f"{size / 1000:>10.0f}"
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
