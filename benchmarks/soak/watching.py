"""What people who look cost the app that they look at, while it works: processor a call of all its workers.

    python -m benchmarks.soak.watching [--seconds 60] [--rate 8] [--rounds 2]

The same requests without miharu, with it, and with one and with three pages open in a real Chromium
(overview, live and calls, each of which renews itself). The rounds turn, and medians are shown.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import model
from benchmarks.soak.hosting import pages, server
from benchmarks.soak.visitors import Visits

SETTLED_S = 5.0
CELLS = {"without miharu": None, "nobody looks": (), "one page": ("",), "three pages": ("", "live", "calls")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CELLS}
    with model.running() as url:
        for number in range(options.rounds):
            for name in list(CELLS)[:: -1 if number % 2 else 1]:
                found[name].append(_measured(url, CELLS[name], options.seconds, options.rate))
    print(f"{'':16} ms of processor a call   p95 of a request, ms")
    for name, figures in found.items():
        processor, p95 = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{name:16} {processor:23.1f} {p95:23.1f}")


def _measured(url: str, shown: tuple[str, ...] | None, seconds: float, rate: float) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="miharu-watching-") as folder:
        database = None if shown is None else Path(folder, "calls.db")
        with server(url, database) as (address, pid), _looking(f"{address}/miharu/", shown or ()):
            asyncio.run(Visits(address, rate).run(SETTLED_S))
            visits, before = Visits(address, rate), _processor_s(pid)
            asyncio.run(visits.run(seconds))
            spent = _processor_s(pid) - before
    took = sorted(visit.took for visit in visits.found)
    return spent / len(visits.found) * 1000, took[int(len(took) * 0.95)] * 1000


@contextmanager
def _looking(address: str, shown: tuple[str, ...]) -> Iterator[None]:
    if not shown:
        yield
        return
    with pages(address, shown):
        time.sleep(SETTLED_S)
        yield


def _processor_s(pid: int) -> float:
    """Seconds of processor that the process and its children have taken."""
    tick = os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    spent = 0.0
    for one in (str(pid), *children):
        user, system = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]
        spent += (int(user) + int(system)) / tick
    return spent


if __name__ == "__main__":
    main()
