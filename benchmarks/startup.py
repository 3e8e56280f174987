"""What miharu adds to the start of a program, in fresh interpreters.

python -m benchmarks.startup [--quick]
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENDING = "... and its end (flush, close)"
START_ONLY = "; import os; os._exit(0)"
"""Leaves without an end, so that only the start is measured."""

PROGRAMS = {
    "python -c pass": ("", "pass"),
    "import miharu": ("miharu", "import miharu"),
    "import miharu; miharu.init()": ("miharu", "import miharu; miharu.init({database!r})"),
    ENDING: ("miharu", "import miharu; miharu.init({database!r})"),
    "import httpx": ("httpx", "import httpx"),
    "import openai": ("openai", "import openai"),
    "import openai, miharu; miharu.init()": ("openai", "import openai, miharu; miharu.init({database!r})"),
    "import opentelemetry.sdk.trace": ("opentelemetry.sdk", "import opentelemetry.sdk.trace"),
    "import sentry_sdk": ("sentry_sdk", "import sentry_sdk"),
    "import logfire": ("logfire", "import logfire"),
    "import langfuse": ("langfuse", "import langfuse"),
}


def installed(name: str) -> bool:
    try:
        return not name or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False


def once(program: str) -> float:
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        code = program.format(database=str(Path(folder, "calls.db")))
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="five rounds instead of twenty")
    rounds = 5 if parser.parse_args().quick else 20

    present = {name: code for name, (needs, code) in PROGRAMS.items() if installed(needs)}
    took: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(rounds + 1):
        for name, code in present.items():
            took[name].append(once(code if name == ENDING else code + START_ONLY))
    bare = statistics.median(took["python -c pass"][1:])
    print(f"Median of {rounds} fresh interpreters; the first round fills the caches and is left out.")
    for name, times in took.items():
        median = statistics.median(times[1:])
        print(f"  {name:40}{median * 1e3:8.1f} ms {1e3 * (median - bare):+8.1f} ms   x{median / bare:.2f}")
    for name in PROGRAMS.keys() - present.keys():
        print(f"  {name:40}not installed")


if __name__ == "__main__":
    main()
