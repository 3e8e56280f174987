"""Run them: programs that make 2,000 calls and end, at several shares of the processor.

    python -m benchmarks.exits [--quick] [--runs 20] [--calls 2000] [--quotas 1,0.5,0.25]

Of each cell: how many calls were answered, how many are stored, and how many lie in a spool beside the file;
the rest is lost. What ends by a signal or by ``os._exit`` has no say any more, so there the calls of the
last 100 milliseconds may be missing, and those before may not. The others' figure is the spans in their file.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.exits.program import PLACES, TOOLS, is_installed
from benchmarks.exits.quota import can_limit, limited
from benchmarks.model import running
from miharu.config import Config
from miharu.monitor.left_behind import LeftBehind

ENDINGS = ("normally", "SIGTERM", "os._exit")
BRINGING_IN_S = 60.0
LATEST_S = 0.1
"""The last moment of a program that is killed, of which calls may be missing."""


@dataclass(frozen=True)
class Program:
    """What is run."""

    tool: str
    place: str
    """From where the calls are made."""
    ending: str
    calls: int
    model: str
    """Its address."""


@dataclass(frozen=True)
class Run:
    """What became of one program's calls."""

    made: int
    stored: int
    spooled: int
    older: int
    """Calls that were answered more than 100 ms before the end."""
    took: float
    """Seconds from the last answer to the end of the process."""

    @property
    def lost(self) -> int:
        return self.made - self.stored - self.spooled

    @property
    def lost_older(self) -> int:
        """As many of the lost ones as cannot be of the last 100 ms."""
        return max(0, self.older - self.stored - self.spooled)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two runs of a cell")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--quotas", default="1,0.5,0.25")
    parser.add_argument("--tools", default=";".join(TOOLS))
    options = parser.parse_args()
    runs = 2 if options.quick else options.runs
    quotas = [float(share) for share in options.quotas.split(",")] if can_limit() else [0.0]
    if quotas == [0.0]:
        print("There are no control groups that this user may make: no quotas.\n")
    heads = ("tool", "processors", "calls from", "ends", "runs", "made", "stored", "spooled", "lost")
    print(f"| {' | '.join((*heads, 'older than 100 ms', 'runs that lost', 'ms to the end, median'))} |")
    print(f"|{'---|' * 4}{'--:|' * 8}")
    with running() as model:
        for share in quotas:
            for tool in filter(is_installed, options.tools.split(";")):
                for place in PLACES:
                    for ending in ENDINGS if place == "a thread" else ENDINGS[:1]:
                        found = _cell(Program(tool, place, ending, options.calls, model), share, runs)
                        cell = (tool, f"{share:g}" if share else "all", place, ending)
                        print(_row(cell, found), flush=True)


def _row(names: Sequence[str], found: Sequence[Run]) -> str:
    figures = ("made", "stored", "spooled", "lost", "lost_older")
    sums = [sum(getattr(run, name) for run in found) for name in figures]
    losing, took = sum(run.lost > 0 for run in found), statistics.median(run.took for run in found)
    cells = [*names, *(f"{value:,}" for value in (len(found), *sums, losing)), f"{took * 1000:,.0f}"]
    return f"| {' | '.join(cells)} |"


def _cell(program: Program, share: float, runs: int) -> list[Run]:
    """So many runs; as many at once as their shares leave room for, and one processor free."""
    at_once = max(1, int(((os.cpu_count() or 1) - 1) / share)) if share else 1
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: _run(program, share), range(runs)))


def _run(program: Program, share: float) -> Run:
    with tempfile.TemporaryDirectory(prefix="miharu-exits-") as folder:
        command = [sys.executable, "-m", "benchmarks.exits.program", program.tool, program.place]
        command += [str(program.calls), folder, program.ending, program.model]
        group = limited(share) if share else nullcontext(None)
        with group as enter:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                preexec_fn=enter,  # noqa: PLW1509 - it writes one file, and its quota has to hold from the start
            )
            answered = _answers(process)
            process.wait()
            end = time.monotonic()
        if not answered:
            raise SystemExit(f"no call was answered: {command}")
        older = sum(moment < answered[-1] - LATEST_S for moment in answered)
        stored, spooled = _found(program.tool, Path(folder))
        return Run(len(answered), stored, spooled, older, end - answered[-1])


def _answers(process: subprocess.Popen[bytes]) -> list[float]:
    """When each call was answered."""
    assert process.stdout is not None
    moments = list[float]()
    while some := os.read(process.stdout.fileno(), 4096):
        moments += [time.monotonic()] * len(some)
    process.stdout.close()
    return moments


def _found(tool: str, folder: Path) -> tuple[int, int]:
    """How many are stored, and how many more come out of the spools beside."""
    if tool != "miharu":
        return len((folder / "spans").read_text().splitlines()), 0
    database = folder / "calls.db"
    stored = _rows(database)
    LeftBehind(Config.resolve(database)).bring_in(BRINGING_IN_S)
    return stored, _rows(database) - stored


def _rows(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM llm_calls").fetchone()[0])


if __name__ == "__main__":
    main()
