"""Run it: four workers, 25 requests a second, two pages open, and ten things that happen meanwhile.

    python -m benchmarks.soak [--minutes 30] [--bare-minutes 30] [--rate 25]

As root on Linux, for the disk of its own that becomes full and read-only. Every request that was answered has
to be one row, in the file or in the one that was moved away; of a worker that was killed, those of its last
100 milliseconds may be missing. Then the same requests without miharu, and without what happens.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks import model
from benchmarks.soak.events import Scene, events, mounted
from benchmarks.soak.hosting import pages, server
from benchmarks.soak.visitors import Visit, Visits

SETTLED_S = 5.0
LATEST_S = 0.1
"""Before a kill; answers of that time may be missing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--bare-minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=25.0)
    options = parser.parse_args()
    with model.running() as url, tempfile.TemporaryDirectory(prefix="miharu-soak-") as base:
        with mounted(Path(base, "disk")) as folder:
            watched = _watched(url, folder, options.minutes * 60, options.rate)
        bare = Visits("", options.rate)
        with server(url, None) as (bare.url, _):
            asyncio.run(bare.run(options.bare_minutes * 60))
    print(f"\n{'':14} requests  not answered  other than 200  p50 ms  p95 ms  p99 ms  worst ms")
    for name, visits in (("with miharu", watched), ("without", bare.found)):
        print(_latencies(name, visits))


def _watched(url: str, folder: Path, seconds: float, rate: float) -> Sequence[Visit]:
    database = folder / "calls.db"
    visits = Visits("", rate)
    with server(url, database) as (visits.url, pid), pages(f"{visits.url}/miharu/"):
        scene = Scene(folder, database, pid)
        happening = threading.Thread(target=_happen, args=(scene, seconds))
        happening.start()
        asyncio.run(visits.run(seconds))
        happening.join()
        time.sleep(SETTLED_S)
    print(f"stats: {scene.miharu('stats')}")
    _compare(visits.found, scene)
    return visits.found


def _happen(scene: Scene, seconds: float) -> None:
    """One thing after another, spread over the time, and a quiet stretch at its end."""
    listed, began = events(), time.monotonic()
    for number, (name, event) in enumerate(listed):
        time.sleep(max(0.0, began + seconds * 0.9 * (number + 0.5) / len(listed) - time.monotonic()))
        at = time.monotonic() - began
        try:
            said = event(scene)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        print(f"{at:6.0f} s  {name}: {said}", flush=True)


def _compare(visits: Sequence[Visit], scene: Scene) -> None:
    """Whether each answered request is one row."""
    rows = Counter[str]()
    for file in (scene.database, scene.database.with_name("old.db")):
        if file.exists():
            with closing(sqlite3.connect(file)) as connection:
                found = connection.execute(
                    "SELECT host_request_id FROM llm_calls WHERE host_request_id IS NOT NULL"
                )
                rows.update(id_ for (id_,) in found)
                print(f"{file.name}: integrity {connection.execute('PRAGMA integrity_check').fetchone()[0]}")
    answered = [visit for visit in visits if visit.status == 200]
    missing = [visit for visit in answered if rows[visit.id] == 0]
    late = [v for v in missing if any(abs(at - v.ended) <= LATEST_S for at in scene.killed)]
    twice = [visit for visit in answered if rows[visit.id] > 1]
    print(
        f"answered {len(answered):,}; one row {sum(rows[v.id] == 1 for v in answered):,}; twice {len(twice)}"
    )
    print(f"missing {len(missing)}, of these within 100 ms of a kill {len(late)}")
    for visit in missing[:20]:
        since = min((at - visit.ended for at in scene.killed), key=abs, default=0.0)
        print(f"  missing: ended {since * 1000:+.0f} ms before the nearest kill")


def _latencies(name: str, visits: Sequence[Visit]) -> str:
    took = sorted(visit.took for visit in visits if visit.status == 200)
    percentiles = "".join(f"{took[int(len(took) * share)] * 1000:8.1f}" for share in (0.5, 0.95, 0.99))
    other = sum(visit.status not in (None, 200) for visit in visits)
    unanswered = sum(visit.status is None for visit in visits)
    return f"{name:14}{len(visits):9,}{unanswered:14}{other:16}{percentiles}{took[-1] * 1000:10.1f}"


if __name__ == "__main__":
    main()
