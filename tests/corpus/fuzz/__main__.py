"""The command line, and the processes that it starts."""

import argparse
import asyncio
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from miharu.testing._server import ServerThread
from tests.corpus.fuzz.doors import app_of, visit
from tests.corpus.fuzz.drawing import Exchanges
from tests.corpus.fuzz.readers import read
from tests.security.reading import memory

MEMORY = 1 << 30
"""Bytes of address space beyond what a process has before it begins; beyond that it fails."""


def _limited() -> int:
    """Set the limit; the memory that is held now."""
    most = memory("VmSize") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return memory("VmRSS")


def _through_readers(seed: int, seconds: float) -> dict[str, Any]:
    exchanges = Exchanges(seed)
    of, _, until = len(exchanges.starts), _limited(), time.monotonic() + seconds
    found = read(exchanges, itertools.takewhile(lambda _: time.monotonic() < until, itertools.count()))
    return {**vars(found), "of": of}


def _through_doors(seed: int, seconds: float, address: str) -> dict[str, Any]:
    exchanges = Exchanges(seed, hostile=0.02)
    before = _limited()
    with tempfile.TemporaryDirectory(prefix="miharu-fuzz-") as folder:
        told = asyncio.run(visit(exchanges, address, Path(folder, "calls.db"), seconds))
    return {**told, "peak": memory("VmHWM") - before}


def _child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.corpus.fuzz", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _report_readers(told: dict[str, Any]) -> None:
    print(
        f"{told['tried']:,} exchanges of {told['of']:,}: {told['calls']:,} calls, no exception; at worst "
        f"{told['slowest'] * 1000:.0f} ms of the processor (number {told['which']}), "
        f"and {told['peak'] / 1e6:.0f} MB of memory for one of them"
    )


def _report_doors(told: dict[str, Any]) -> int:
    asked = sum(told["asked"].values())
    for name, count in told["asked"].items():
        print(f"{name:28} {count:8,} requests")
    print(
        f"{asked:,} requests, {told['rows']:,} rows; lost: {told['lost']}; failures of ours: "
        f"{told['failures']}; answers that the client refused: {told['failed']}; at worst the loop was "
        f"{told['late'] * 1000:.0f} ms late, and memory {told['peak'] / 1e6:.0f} MB above the start"
    )
    gone = (
        told["lost"]["dropped"] - told["lost"]["shed"]
    )  # what was shed of its content is a row all the same
    return int(told["rows"] + gone != asked or told["failures"] > 0 or not told["stored"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutated and hostile exchanges, by the thousand.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--doors", action="store_true", help="through real clients, over loopback")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child == "readers":
        print(json.dumps(_through_readers(given.seed, given.seconds)))
        return 0
    if given.child:
        print(json.dumps(_through_doors(given.seed, given.seconds, given.child)))
        return 0
    common = ("--seconds", str(given.seconds), "--seed", str(given.seed))
    if not given.doors:
        _report_readers(_child(*common, "--child", "readers"))
        return 0
    server = ServerThread(app_of(Exchanges(given.seed, hostile=0.02)))
    server.start()
    try:
        return _report_doors(_child(*common, "--child", f"http://127.0.0.1:{server.port}"))
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
