"""What one scrape of ``/metrics`` costs, at the bound of series: processor, and bytes of the answer.

    python -m benchmarks.scrape [--quick]

The file holds calls of more sets of labels than are named, and the page is made as the dashboard makes it.
Beside it: counters and histograms of ``prometheus_client`` itself, in memory, of the same names, labels and
buckets, in the text that it writes. Processor time is that of the whole process; the median, and the span.
"""

import argparse
import asyncio
import gzip
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.population import population
from miharu.batch import Batch
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.metrics.series import SETS
from miharu.dashboard.resources.metrics import page
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both

NOW = int(time.time() * 1000)


async def filled(file: Path, calls: int) -> OpenStore:
    """A file with calls of half as many sets again as are named."""
    store, rng = both(SQLiteStore(f"sqlite+aiosqlite:///{file}")), random.Random(5)
    await store.open()
    batch = []
    for call in population(calls, NOW):
        route = f"POST /job/{rng.randrange(SETS * 3 // 2)}"
        batch.append(replace(call, model="gpt-5.4-mini", provider="openai", service="shop", route=route))
        if len(batch) == 5_000:
            await store.add(Batch(calls=batch))
            batch = []
    await store.add(Batch(calls=batch))
    while await store.roll_up():
        pass
    return store


def twin(text: str) -> CollectorRegistry:
    """The same series, as a program has them that counts with ``prometheus_client`` itself."""
    registry = CollectorRegistry(auto_describe=False)
    for family in text_string_to_metric_families(text):
        names = [name for name in family.samples[0].labels if name != "le"] if family.samples else []
        plain: dict[str, Any] = {
            "name": family.name,
            "documentation": family.documentation,
            "labelnames": names,
        }
        bounds = {sample.labels["le"] for sample in family.samples if "le" in sample.labels}
        made: Any = (
            Histogram(**plain, registry=registry, buckets=sorted(map(float, bounds)))
            if bounds
            else (Counter if family.type == "counter" else Gauge)(**plain, registry=registry)
        )
        for sample in family.samples:
            of = made.labels(*(sample.labels[name] for name in names)) if names else made
            if isinstance(of, Histogram):
                of.observe(0.7)
            else:
                of.inc(sample.value)
    return registry


async def measured(rounds: int, work: Callable[[], Awaitable[bytes]]) -> tuple[list[float], bytes]:
    """Milliseconds of processor each time, without the first; and what came of it."""
    body, found = await work(), []
    for _ in range(rounds):
        began = time.process_time()
        body = await work()
        found.append((time.process_time() - began) * 1e3)
    return found, body


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few calls and rounds only")
    quick = parser.parse_args().quick
    calls, rounds = (5_000, 5) if quick else (100_000, 25)
    disable_created_metrics()  # type: ignore[no-untyped-call] # as many series on both sides
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        store = await filled(Path(folder, "calls.db"), calls)
        site = Site(store=store, database="", access="open", losses=lambda: 0, clock=lambda: NOW)
        whole = "application/openmetrics-text; version=1.0.0"

        async def scraped(accept: str = "") -> bytes:
            return (await page(PageRequest(path="metrics", headers={"accept": accept}), site)).body

        registry = twin((await scraped()).decode())

        async def peer() -> bytes:
            return generate_latest(registry)

        async def asked() -> bytes:
            await store.counters()
            return b""

        print(f"{calls:,} calls, {SETS * 3 // 2} sets of labels, of which {SETS} are named")
        print(f"{'':32} {'series':>8} {'bytes':>10} {'with gzip':>10} {'ms processor':>14}")
        for name, work in (
            ("miharu, text", scraped),
            ("miharu, OpenMetrics", lambda: scraped(whole)),
            ("of it, the store's counters", asked),
            ("prometheus_client, text", peer),
        ):
            found, body = await measured(rounds, work)
            series = sum(not line.startswith(b"#") for line in body.splitlines())
            span = f"{min(found):.0f}-{max(found):.0f}"
            packed = len(gzip.compress(body, 6)) if body else 0
            print(
                f"{name:32} {series:8,} {len(body):10,} {packed:10,} {median(found):7.1f} ({span})",
                flush=True,
            )
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
