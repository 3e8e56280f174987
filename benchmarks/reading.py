"""What the worker needs for one call, by wire format: time to read and price it, and memory at the most.

    python -m benchmarks.reading [--quick] [--ordinary]

First the processor time of reading the ordinary calls of ``reading_cases.py``, nothing but that with
``--ordinary``. Then over the project's own exchanges, and the recorded traffic where that is to be had. By
each stands what ``json.loads`` alone takes for the same bytes, event by event: about the limit for any
reader in Python.
"""

import argparse
import json
import statistics
import time
import tracemalloc
from collections import defaultdict
from dataclasses import replace

from benchmarks.reading_cases import CASES
from miharu import providers
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.reading.reader import Reader
from miharu.wire import sse
from tests.corpus.fuzz import seeds
from tests.world import HandMade, exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]


def limit(body: bytes) -> None:
    """Parse the same bytes and do nothing with them."""
    pieces = [event.data for event in sse.events(body)] if body.startswith((b"data:", b"event:")) else [body]
    for piece in pieces:
        try:
            json.loads(piece)
        except ValueError:
            continue


def timed(function: object, *arguments: object, repeat: int) -> float:
    """The median of a few runs, in microseconds."""
    runs = []
    for _ in range(repeat):
        start = time.perf_counter_ns()
        function(*arguments)  # type: ignore[operator]
        runs.append((time.perf_counter_ns() - start) / 1000)
    return statistics.median(runs)


def ordinary(calls: int, rounds: int) -> None:
    """Print what reading one costs, each read once: the median of the rounds."""
    for name, make in CASES.items():
        runs = []
        for number in range(rounds):
            reader = Reader(FORMATS)
            exchanges = [make(number * calls + each) for each in range(calls)]
            start = time.process_time_ns()
            for left in exchanges:
                reader.read(left)
            runs.append((time.process_time_ns() - start) / calls / 1000)
        print(f"{name:32} {statistics.median(runs):8.1f} µs, from {min(runs):.1f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--ordinary", action="store_true")
    chosen = arguments.parse_args()
    repeat = 3 if chosen.quick else 9
    ordinary(200, repeat)
    if chosen.ordinary:
        return
    reader = Reader(FORMATS)
    prices = GenaiPrices()
    found: dict[str, list[tuple[float, float, int, int]]] = defaultdict(list)

    def whole(made: HandMade) -> None:
        call = reader.read(made)
        if call is not None and call.cost is None:
            replace(call, cost=prices.cost(call))

    for facts, body in seeds():
        made = exchange(**facts, chunks=[body])
        made.response_headers = {k: v for k, v in made.response_headers.items() if k != "content-encoding"}
        call = reader.read(made)
        if call is None:
            continue
        tracemalloc.start()
        whole(made)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        name = f"{call.api}{' stream' if call.stream else ''}"
        found[name].append(
            (timed(whole, made, repeat=repeat), timed(limit, body, repeat=repeat), len(body), peak)
        )
    print(f"{'format':32} {'calls':>6} {'bytes':>8} {'µs':>8} {'worst':>8} {'json.loads':>11} {'memory':>8}")
    for name, rows in sorted(found.items()):
        print(
            f"{name:32} {len(rows):6} {statistics.median(r[2] for r in rows):8.0f} "
            f"{statistics.median(r[0] for r in rows):8.0f} {max(r[0] for r in rows):8.0f} "
            f"{statistics.median(r[1] for r in rows):11.0f} {max(r[3] for r in rows) / 1024:6.0f}kB"
        )


if __name__ == "__main__":
    main()
