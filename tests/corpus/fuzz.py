"""Mutated exchanges, by the thousand, through every reader: none may raise, hang or grow.

    python -m tests.corpus.fuzz --seconds 60 [--seed 1]

It starts from the project's own exchanges, and from the recorded traffic where that is to be had.
"""

import argparse
import base64
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miharu import providers
from miharu.plugins import load
from miharu.recorder.reader import Reader
from tests.corpus import offline
from tests.providers.test_exchanges import CASES, chunks_of, facts_of
from tests.world import exchange


def seeds() -> Iterator[tuple[dict[str, Any], bytes]]:
    """What an exchange was, and its body."""
    for path in CASES:
        case = json.loads(Path(path).read_text())
        yield facts_of(case), b"".join(chunks_of(case))
    if offline.CORPUS.is_dir():
        for recorded in offline.exchanges():
            asked = recorded["request_body"]
            if asked is not None and recorded["request_body_encoding"] == "base64":
                asked = base64.b64decode(asked)
            facts = {
                "url": recorded["url"],
                "asked": asked.encode() if isinstance(asked, str) else asked,
                "status": recorded["status"],
                "method": recorded["method"],
                "headers": {name.lower(): value for name, value in recorded["response_headers"]},
            }
            yield facts, base64.b64decode(recorded["response_body"])


def mutated(body: bytes, rng: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(rng.randint(0, 6)):
        if not data:
            break
        here, there = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
        match rng.randrange(7):
            case 0:
                data[here] = rng.randrange(256)
            case 1:
                del data[here:there]
            case 2:
                data[here:here] = data[here : min(there, here + 2000)]
            case 3:
                data = data[there:] + data[:there]
            case 4:
                data = data[:there]
            case 5:
                data[here:here] = rng.choice(
                    [b"\n\n", b"\r", b"null", b"[[[[", b'"', b"-1", b"1e999", b"\xff\xfe"]
                )
            case _:
                data[here:there] = bytes(reversed(data[here:there]))[:4000]
    return bytes(data)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    rng, started = random.Random(given.seed), list(seeds())
    reader = Reader(
        [provider() for _, provider in load(providers.BUILT_IN)], capture_content=True, estimate_usage=True
    )
    tried = calls = 0
    slowest, until = 0.0, time.perf_counter() + given.seconds
    while time.perf_counter() < until:
        facts, body = rng.choice(started)
        asked = facts["asked"]
        if isinstance(asked, bytes) and rng.random() < 0.3:
            asked = mutated(asked, rng)
        data = mutated(body, rng)
        cut = rng.randrange(len(data) + 1)
        made = exchange(
            **{**facts, "asked": asked},
            chunks=[data[:cut], data[cut:]],
            end=rng.choice(["eof", "closed", "dropped", "error"]),
        )
        start = time.perf_counter()
        calls += reader.read(made) is not None
        slowest = max(slowest, time.perf_counter() - start)
        tried += 1
    print(
        f"{tried:,} mutated exchanges of {len(started):,}: {calls:,} calls, no exception, "
        f"the slowest took {slowest * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
