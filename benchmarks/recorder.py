"""What the recorder needs for a call from end to end, what of it takes longest, and how soon it is stored.

    python -m benchmarks.recorder [--quick]

Beside it stands what ``sqlite3`` alone takes to insert the same rows, and beside the spool what ``json``
takes. All but the last is processor time of all threads, which does not count what others do meanwhile.
"""

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest import mock

import miharu
from benchmarks.model import ANSWER, CHUNKS
from miharu import monitor, providers
from miharu.batch import Batch
from miharu.call import Call
from miharu.config import resolve_database
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.pricing.plans.planned import PlannedPrices
from miharu.recorder.costing.pricer import Pricer
from miharu.recorder.counters import Counters
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reading.reader import Reader
from miharu.recorder.spool import Spool
from miharu.stores.columns import CALLS, to_row
from miharu.stores.sqlite import SQLiteStore, rows, transactions, writing
from miharu.stores.sqlite import file as files
from tests.corpus.fuzz import seeds
from tests.world import HandMade, exchange

BATCHES = (1, 20, 500)
ASKED = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "What is the capital of Vietnam? " * 8}],
}


SENT = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "authorization": "Bearer sk-proj-" + "a1B2c3D4e5F6" * 10,
    "connection": "keep-alive",
    "content-type": "application/json",
    "host": "api.openai.com",
    "user-agent": "OpenAI/Python 3.54.0",
    "x-stainless-arch": "x64",
    "x-stainless-async": "false",
    "x-stainless-lang": "python",
    "x-stainless-os": "Linux",
    "x-stainless-package-version": "3.54.0",
    "x-stainless-read-timeout": "600",
    "x-stainless-retry-count": "0",
    "x-stainless-runtime": "CPython",
    "x-stainless-runtime-version": "3.11.7",
}
"""As OpenAI's SDK sends them."""
GIVEN = {
    "date": "Tue, 01 Dec 2026 01:00:00 GMT",
    "connection": "keep-alive",
    "openai-organization": "acme",
    "openai-processing-ms": "412",
    "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "1999967",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "0s",
    "x-request-id": "req_4f1c2a9b8d7e6f5a4b3c2d1e0f9a8b7c",
    "strict-transport-security": "max-age=31536000",
    "server": "cloudflare",
    "cf-ray": "8b1c2d3e4f5a6b7c-VIE",
}
"""As OpenAI's servers answer."""


def plain() -> HandMade:
    headers = {**GIVEN, "content-type": "application/json"}
    return exchange(asked=ASKED, chunks=[ANSWER], headers=headers, request_headers=SENT)


def streamed() -> HandMade:
    headers = {**GIVEN, "content-type": "text/event-stream; charset=utf-8"}
    return exchange(asked={**ASKED, "stream": True}, chunks=CHUNKS, headers=headers, request_headers=SENT)


def again(made: HandMade) -> HandMade:
    """The same once more: the recorder lets go of what it has read."""
    other = copy(made)
    other.chunks, other.arrivals = list(made.chunks), list(made.arrivals)
    return other


def scenes() -> dict[str, list[HandMade]]:
    """Calls by kind; the last are those of the project's own corpus, of all formats."""
    corpus = []
    for facts, body in seeds():
        made = exchange(**facts, chunks=[body])
        made.response_headers = {k: v for k, v in made.response_headers.items() if k != "content-encoding"}
        corpus.append(made)
    return {"plain": [plain()], "stream of 200 chunks": [streamed()], "all formats": corpus}


class Stages:
    """Processor time by stage."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.spent[name] += time.process_time() - start

        return run

    @contextmanager
    def watching(self, reader: Reader, prices: "Prices") -> Iterator[None]:
        finished = self.timed("with commit", transactions.finished)
        with (
            mock.patch.object(reader, "calls", self.timed("reading", reader.calls)),
            mock.patch.object(prices, "cost", self.timed("pricing", prices.cost), create=True),
            mock.patch.object(rows, "to_row", self.timed("to_row", to_row)),
            mock.patch.object(writing, "add", self.timed("transaction", writing.add)),
            mock.patch.object(files, "finished", finished),
        ):
            yield


class Prices:
    """The built-in ones by plans, as the recorder has them, so that they can be watched."""

    def __init__(self) -> None:
        self._prices = PlannedPrices(GenaiPrices())

    def cost(self, call: Call) -> Any:
        return self._prices.cost(call)


def end_to_end(folder: Path, made: Sequence[HandMade], calls: int, batch: int) -> dict[str, float]:
    """Microseconds per call and stage."""
    reader, prices, stages = Reader(FORMATS), Prices(), Stages()
    queue = ExchangeQueue()
    pipeline = Pipeline(queue, Spool(None), Counters(), reader, pricer=Pricer(lambda: prices))
    with stages.watching(reader, prices):
        pipeline.open(SQLiteStore(resolve_database(folder / f"{random.getrandbits(40)}.db")).writer())
        for each in made[:20]:
            queue.put(again(each))
        pipeline.drain()
        stages.spent.clear()
        whole, done = 0.0, 0
        while done < calls:
            for number in range(batch):
                queue.put(again(made[(done + number) % len(made)]))
            done += batch
            start = time.process_time()
            pipeline.drain()
            whole += time.process_time() - start
        pipeline.close()
    spent = {name: seconds / done * 1e6 for name, seconds in stages.spent.items()}
    spent["commit"] = spent.pop("with commit") - spent["transaction"]
    spent["SQL"] = spent.pop("transaction")
    spent["all"] = whole / done * 1e6
    spent["the rest"] = spent["all"] - sum(
        spent[name] for name in ("reading", "pricing", "to_row", "SQL", "commit")
    )
    return spent


def raw(folder: Path, rows: Sequence[tuple[Any, ...]], batch: int, *, values: bool) -> float:
    """Microseconds per row for ``sqlite3`` alone."""
    path = folder / f"{random.getrandbits(40)}.db"
    store = SQLiteStore(resolve_database(path)).writer()
    store.open()
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    marks = f"({', '.join('?' * len(CALLS))})"
    start = time.process_time()
    for first in range(0, len(rows), batch):
        some = rows[first : first + batch]
        connection.execute("BEGIN IMMEDIATE")
        insert = f"INSERT INTO llm_calls ({', '.join(CALLS)}) VALUES "
        if values:
            connection.execute(
                insert + ", ".join([marks] * len(some)), [value for row in some for value in row]
            )
        else:
            connection.executemany(insert + marks, some)
        connection.execute("COMMIT")
    spent = time.process_time() - start
    connection.close()
    return spent / len(rows) * 1e6


def until_stored(folder: Path, calls: int) -> list[float]:
    """Milliseconds from the end of a call to the end of its transaction, in a quiet process."""
    stored: dict[str, float] = {}
    arrived = threading.Event()

    class Watch:
        async def export(self, batch: Batch) -> None:
            stored.update((str(call.model), time.perf_counter()) for call in batch.calls)
            arrived.set()

        async def close(self) -> None: ...

    miharu.init(folder / "quiet.db", exporters=[Watch()])
    miharu.flush(30)
    running = monitor.current()
    assert running is not None
    waits = []
    for number in range(calls):
        name = f"m{number}"
        made = exchange(asked={"model": name}, chunks=[ANSWER.replace(b"gpt-4o-mini", name.encode())])
        time.sleep(random.uniform(0.05, 0.2))
        arrived.clear()
        start = time.perf_counter()
        running._sink(made)
        arrived.wait(10)
        waits.append((stored[name] - start) * 1000)
    return waits


def idle(seconds: float) -> float:
    """Percent of one processor that a recorder takes for which there is nothing to do."""
    miharu.flush(30)
    start = time.process_time()
    time.sleep(seconds)
    spent = time.process_time() - start
    miharu.shutdown()
    return spent / seconds * 100


def spooling(folder: Path, calls: list[Call]) -> tuple[float, float, float]:
    """Microseconds per call: spooled, read back, and written as lines of JSON."""
    spool = Spool(folder / "x.spool-")
    start = time.process_time()
    for first in range(0, len(calls), 500):
        spool.append(Batch(calls=calls[first : first + 500]))
    put = time.process_time() - start
    start = time.process_time()
    while spool.first() is not None:
        spool.take()
    taken = time.process_time() - start
    start = time.process_time()
    with (folder / "x.jsonl").open("w") as file:
        for call in calls:
            file.write(json.dumps(asdict(call)) + "\n")
    lines = time.process_time() - start
    return tuple(spent / len(calls) * 1e6 for spent in (put, taken, lines))  # type: ignore[return-value]


FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    calls = 500 if quick else 5000
    columns = ("reading", "pricing", "to_row", "SQL", "commit", "the rest", "all")
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as name:
        folder = Path(name)
        print("Processor time of the recorder per call, µs")
        print(f"  {'':22}{'batch':>6}" + "".join(f"{column:>10}" for column in columns))
        for scene, made in scenes().items():
            for batch in BATCHES:
                spent = end_to_end(folder, made, min(calls, calls * batch // 20 or calls // 10), batch)
                print(f"  {scene:22}{batch:6}" + "".join(f"{spent[column]:10.1f}" for column in columns))

        call = Reader(FORMATS).read(plain())
        assert call is not None
        made_calls = [replace(call, id=f"{number:036}", call_group=None) for number in range(calls)]
        rows = [to_row(each) for each in made_calls]
        print("\nThe same rows by sqlite3 alone, µs per row")
        print(f"  {'':22}{'batch':>6}{'executemany':>14}{'multi-row VALUES':>18}")
        for batch in BATCHES:
            times = [raw(folder, rows, batch, values=values) for values in (False, True)]
            print(f"  {'':22}{batch:6}{times[0]:14.1f}{times[1]:18.1f}")

        put, taken, lines = spooling(folder, made_calls)
        print("\nThe spool, µs per call in batches of 500")
        print(f"  spooled {put:.1f}, read back {taken:.1f}; the same as lines of JSON {lines:.1f}")

        waits = sorted(until_stored(folder, 30 if quick else 300))
        print(
            f"\nFrom the end of a call to the end of its transaction, ms; {len(waits)} calls, one at a time"
        )
        print(
            f"  p50 {statistics.median(waits):.1f}, p99 {waits[int(len(waits) * 0.99) - 1]:.1f}, "
            f"at most {waits[-1]:.1f}"
        )
        print(f"\nA recorder with nothing to do takes {idle(2 if quick else 10):.2f} % of one processor")


if __name__ == "__main__":
    main()
