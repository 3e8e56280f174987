"""What miharu adds to the start of a program, in fresh interpreters.

python -m benchmarks.startup [--quick]
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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


BIN = Path(sys.executable).parent
RUNNERS = {
    "python": ("", [sys.executable]),
    "miharu run": ("miharu", [sys.executable, "-m", "miharu", "run"]),
    "a child of miharu run": ("miharu", [sys.executable]),
    "opentelemetry-instrument": (
        "opentelemetry.instrumentation.auto_instrumentation",
        [str(BIN / "opentelemetry-instrument"), sys.executable],
    ),
}
"""What starts a program that knows nothing of being watched."""
STARTED = {"pass": "", "import httpx": "httpx"}


def installed(name: str) -> bool:
    try:
        return not name or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False


def once(program: str, runner: Sequence[str] = (sys.executable,), path: str | None = None) -> float:
    environ = os.environ if path is None else {**os.environ, "PYTHONPATH": path}
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        code = program.format(database=str(Path(folder, "calls.db")))
        start = time.perf_counter()
        subprocess.run([*runner, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environ, cwd=folder)
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
    compare_runners(rounds)


def compare_runners(rounds: int) -> None:
    """What it costs a program to be started by each."""
    from miharu._sitehook import FOLDER

    programs = {code: needs for code, needs in STARTED.items() if installed(needs)}
    runners = {name: command for name, (needs, command) in RUNNERS.items() if installed(needs)}
    took: dict[tuple[str, str], list[float]] = {(name, code): [] for code in programs for name in runners}
    for _ in range(rounds + 1):
        for (name, code), times in took.items():
            path = str(FOLDER) if name == "a child of miharu run" else None
            times.append(once(code + START_ONLY, runners[name], path))
    print("Started by")
    for (name, code), times in took.items():
        bare, median = (statistics.median(each[1:]) for each in (took["python", code], times))
        words = f"{name} -c {code!r}"
        print(f"  {words:40}{median * 1e3:8.1f} ms {1e3 * (median - bare):+8.1f} ms   x{median / bare:.2f}")
    for name in RUNNERS.keys() - runners.keys():
        print(f"  {name:40}not installed")


if __name__ == "__main__":
    main()
