"""What it costs the worker to look for waste: time per call by size of the prompt, and memory when full.

    python -m benchmarks.waste [--quick]

Beside it stands what reading and pricing the same call take, which is done for each call in any case.
"""

import argparse
import json
import random
import statistics
import time
import tracemalloc
from dataclasses import replace

from miharu import providers
from miharu.call import Usage
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.costing.costs import priced
from miharu.recorder.reading.reader import Reader
from miharu.recorder.waste import duplicates, prefixes
from miharu.recorder.waste.finder import WasteFinder
from miharu.recorder.waste.prefixes import BLOCK
from miharu.testing.store_contract import make_call
from tests.world import exchange

SIZES = (1, 10, 100, 1000)
"""Kilobytes of the prompt."""


def request(size: int, rng: random.Random, *, shared: str = "") -> bytes:
    """A conversation of about so many bytes, the last part of it new."""
    words = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=max(1, size - len(shared))))
    turns = [shared[at : at + 2000] for at in range(0, len(shared), 2000)] + [words]
    said = [{"role": "user", "content": turn} for turn in turns]
    return json.dumps({"model": "gpt-4o", "messages": said}).encode()


def answer(tokens: int) -> bytes:
    return json.dumps(
        {
            "object": "chat.completion",
            "model": "gpt-4o",
            "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 5},
        }
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    repeat = 30 if parser.parse_args().quick else 200
    rng, prices = random.Random(7), GenaiPrices()
    reader = Reader([provider() for _, provider in load(providers.BUILT_IN)])
    print(f"{'prompt':>9} {'read and price':>15} {'look for waste':>15} {'of it':>7} {'misses priced':>14}")
    for kilobytes in SIZES:
        size = kilobytes * 1000
        shared = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=size * 9 // 10))
        whole, looking, missing = [], [], []
        waste = WasteFinder()
        for number in range(max(10, repeat // max(1, kilobytes // 100))):
            body = request(size, rng, shared=shared)
            made = exchange(body=answer(size // 4), asked=body, took_ms=10)
            made.timestamp += number * 1000
            reader._waste = WasteFinder()
            start = time.perf_counter_ns()
            call = reader.read(made)
            assert call is not None
            call = replace(call, duplicate_of=None, cache_missed_tokens=None, cost=prices.cost(call))
            middle = time.perf_counter_ns()
            call = waste.find(call, body)
            late = time.perf_counter_ns()
            priced(call, prices)
            end = time.perf_counter_ns()
            # the reader has looked for waste as well, on its own
            alone = WasteFinder()
            begun = time.perf_counter_ns()
            alone.find(call, body)
            twice = time.perf_counter_ns() - begun
            whole.append((middle - start - twice) / 1000)
            looking.append((late - middle) / 1000)
            missing.append((end - late) / 1000)
        read, look, miss = map(statistics.median, (whole, looking, missing))
        print(f"{kilobytes:6} kB {read:12.0f} µs {look:12.0f} µs {look / read:7.2f} {miss:11.0f} µs")
    tracemalloc.start()
    full = WasteFinder()
    before = tracemalloc.get_traced_memory()[0]
    size = 100 * BLOCK
    for number in range(prefixes.REMEMBERED // 100 + 5):
        usage = Usage(prompt_tokens=size // 4, completion_tokens=1, usage_source="provider")
        full._prefixes.missed(make_call(usage=usage, timestamp=number), request(size, rng))
    blocks = tracemalloc.get_traced_memory()[0] - before
    for number in range(duplicates.REMEMBERED + 5):
        full._duplicates.compare(make_call(body_hash=f"{number:032}", call_group=f"{number:036}"))
    asked = tracemalloc.get_traced_memory()[0] - before - blocks
    print(
        f"full: {prefixes.REMEMBERED} blocks of prompts {blocks / 2**20:.1f} MB, "
        f"{duplicates.REMEMBERED} answers {asked / 2**20:.1f} MB"
    )


if __name__ == "__main__":
    main()
