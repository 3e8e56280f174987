"""The app in processes of its own, and people who look at it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.doors.serving import free_port

__all__ = ("pages", "server")

WORKERS = 4


@contextmanager
def server(url: str, database: Path | None) -> Iterator[tuple[str, int]]:
    """The app's address and its process id."""
    port = free_port()
    environment = {**os.environ, "MODEL_URL": url}
    if database is not None:
        environment["SOAK_DATABASE"] = str(database)
    command = [sys.executable, "-m", "uvicorn", "benchmarks.soak.app:app", "--workers", str(WORKERS)]
    process = subprocess.Popen([*command, "--port", str(port), "--log-level", "warning"], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            httpx.get(f"{address}/chat", trust_env=False, timeout=10).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the app did not start")


@contextmanager
def pages(address: str, shown: Sequence[str] = ("", "live")) -> Iterator[None]:
    """People look at these pages in a real Chromium."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.soak.pages", address, *shown])
    try:
        yield
    finally:
        process.terminate()
        process.wait()
