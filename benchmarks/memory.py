"""Whether every call becomes a row, and whether memory stays where it was.

    python -m benchmarks.memory [--quick]

Each number of calls is a process of its own, against a fake model over loopback.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import model


def resident() -> int:
    """Bytes of memory this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark reads /proc/self/status, which this system has not")


def work(calls: int, base_url: str, database: str) -> None:
    """The child: so many calls in a row, one in ten of them streamed."""
    import gc

    import httpx2

    import miharu

    if database:
        miharu.init(database)
    url, ask = f"{base_url}/chat/completions", {"model": "gpt-4o-mini", "messages": []}
    warm, peak = 0, 0
    with httpx2.Client() as client:
        for number in range(calls):
            client.post(url, json={**ask, "stream": number % 10 == 9}).raise_for_status()
            if number == 49:  # everything is loaded and open by now
                warm = _after_flush(miharu, database)
            if number % 500 == 499:
                peak = max(peak, resident())
    stored = miharu.flush(120) if database else True
    gc.collect()
    end = resident()
    stats: dict[str, Any] = dict(miharu.stats()) if database else {}
    if database:
        miharu.shutdown()
    print(json.dumps({"warm": warm, "peak": max(peak, end), "end": end, "stored": stored, "stats": stats}))


def _after_flush(miharu: Any, database: str) -> int:
    if database:
        miharu.flush(60)
    return resident()


def run(calls: int, base_url: str, *, watched: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        database = str(Path(folder, "calls.db")) if watched else ""
        command = [sys.executable, "-m", "benchmarks.memory", "--work", str(calls), base_url, database]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if watched:
            with closing(sqlite3.connect(database)) as opened:
                told["rows"] = opened.execute("SELECT count(*) FROM llm_calls").fetchone()[0]
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 calls only")
    parser.add_argument("--day", action="store_true", help="also a day's worth: 86,400 calls, one a second")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(int(options.work[0]), *options.work[1:])
        return

    print("Calls in a row; memory (RSS) after the 50th call, at most, and at the end.")
    print(
        f"  {'':10}{'calls':>8}{'rows':>8}{'dropped':>9}{'50th':>10}{'at most':>10}{'end':>10}{'growth':>10}"
    )
    wrong = []
    with model.running() as base_url:
        sizes = (100, 1_000) if options.quick else (100, 1_000, 10_000)
        for calls in (*sizes, 86_400) if options.day else sizes:
            for watched in (False, True):
                told = run(calls, base_url, watched=watched)
                rows, dropped = told.get("rows", ""), told["stats"].get("dropped", "")
                memory = [told["warm"], told["peak"], told["end"], told["end"] - told["warm"]]
                shown = "".join(f"{size / 2**20:8.1f}MB" for size in memory)
                print(f"  {'miharu' if watched else 'nobody':10}{calls:8}{rows!s:>8}{dropped!s:>9}{shown}")
                if watched and rows != calls:
                    wrong.append(f"{rows} rows after {calls} calls")
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
