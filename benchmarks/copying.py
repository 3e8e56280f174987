"""``miharu copy`` between a file and a server: rows a second, and processor time per row.

    python -m benchmarks.copying [--calls NUMBER] [--bodies BYTES]

Comparing, copying and comparing again, as the command does; without the sums that it computes last, which
``benchmarks.store`` and ``benchmarks.postgres`` measure. The server is one of its own, on this machine.
"""

import argparse
import asyncio
import itertools
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.population import population
from benchmarks.store import BATCH, cpu
from miharu.batch import Batch
from miharu.call import Body, Call
from miharu.stores import copying, store_for
from miharu.testing.open_store import OpenStore, both
from tests.stores.postgres.server import Server

if TYPE_CHECKING:
    from miharu.stores.base import Store


async def opened(url: str) -> OpenStore:
    store: Store = store_for(url).load()(url)
    both_sides = both(store)
    await both_sides.open()
    return both_sides


def with_bodies(calls: Sequence[Call], size: int) -> list[Call]:
    """Texts that are packed about as well as prompts are."""
    words = [f"{random.getrandbits(40):x} " for _ in range(2000)]
    bodies = ["".join(random.choices(words, k=size // 22)).encode() for _ in range(50)]
    return [
        replace(call, body=Body(request=random.choice(bodies), response=random.choice(bodies)))
        for call in calls
    ]


async def fill(store: OpenStore, calls: int, size: int) -> None:
    made = population(calls, time.time_ns() // 1_000_000)
    while some := list(itertools.islice(made, BATCH)):
        await store.add(Batch(calls=with_bodies(some, size) if size else some))


async def copy(name: str, source: OpenStore, target: OpenStore, calls: int) -> None:
    for step in ("copied", "copied again"):
        at, clock = cpu(), time.perf_counter()
        found = await copying.compare(source, target, "calls", lambda *_: None)
        if found.missing:
            await copying.copy(source, target, "calls", found, lambda *_: None)
        after = await copying.compare(source, target, "calls", lambda *_: None)
        seconds, spent = time.perf_counter() - clock, cpu() - at
        assert (after.missing, after.foreign, after.shared) == (0, 0, calls)
        figures = f"{calls / seconds:>10,.0f} rows/s {spent / calls * 1e6:>8.1f} µs CPU a row"
        print(f"  {name:<24}{step:<14}{figures}", flush=True)
    assert not await copying.unequal_sums(source, target)


async def run(calls: int, size: int, folder: Path, server: Server) -> None:
    urls = [f"sqlite+aiosqlite:///{folder / name}.db" for name in ("source", "copy", "back")]
    urls += [server.url(await server.new_database()) for _ in range(2)]
    source, file, back, one, two = [await opened(url) for url in urls]
    await fill(source, calls, size)
    print(f"{calls:,} calls" + (f" with bodies of {2 * size:,} bytes" if size else " without bodies"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await copy("SQLite → SQLite", source, file, calls)
    await copy("SQLite → PostgreSQL", source, one, calls)
    await copy("PostgreSQL → SQLite", one, back, calls)
    await copy("PostgreSQL → PostgreSQL", one, two, calls)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"  memory has grown by {grown / 1024:,.0f} MB")
    for store in (source, file, back, one, two):
        await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--bodies", type=int, default=0, help="bytes of each request and response")
    arguments = parser.parse_args()
    server = Server()
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(arguments.calls, arguments.bodies, Path(folder), server))
    finally:
        server.remove()


if __name__ == "__main__":
    main()
