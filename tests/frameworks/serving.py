"""Real servers, in processes of their own, as their users start them."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from miharu.testing import FakeProvider

__all__ = ("environment", "provider", "serving")

ROOT = Path(__file__).parents[2]
SERVERS = {
    "uvicorn": ("uvicorn", "--port", "0"),
    "uvicorn, 4 workers": ("uvicorn", "--port", "0", "--workers", "4"),
    "hypercorn, asyncio": ("hypercorn", "--bind", "127.0.0.1:0"),
    "hypercorn, trio": ("hypercorn", "--bind", "127.0.0.1:0", "--worker-class", "trio"),
}


def environment(database: Path, model_url: str) -> dict[str, str]:
    """What a program is started with; nothing of this test run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "OPENAI_", "COV_"))
    }
    return kept | {
        "MIHARU_DATABASE_URL": str(database),
        "MIHARU_AUTH": "off",
        "MODEL_URL": model_url,
        "NO_PROXY": "*",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def serving(app: str, environ: dict[str, str], server: str = "uvicorn") -> Iterator[str]:
    """The address of the app, until the end of the block; then the server is asked to leave."""
    program, *options = SERVERS[server]
    process = subprocess.Popen(
        [sys.executable, "-m", program, app, *options],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    reading = None
    try:
        address = None
        for line in cast("IO[str]", process.stdout):
            said.append(line)
            address = re.search(r"unning on (http://[\w.:]+)", line)
            if address:
                break
        assert address, "".join(said)
        reading = threading.Thread(target=lambda: said.extend(cast("IO[str]", process.stdout)))
        reading.start()
        _wait_for(address[1], process)
        yield address[1]
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        reading.join()
        reading = None
        assert "Traceback" not in "".join(said), "".join(said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if reading is not None:
            reading.join()
        cast("IO[str]", process.stdout).close()


def _wait_for(address: str, process: subprocess.Popen[str]) -> None:
    """A server with several workers says where it is before any of them listens."""
    host, _, port = address.removeprefix("http://").partition(":")
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens at {address}")


@contextmanager
def provider(latency: float = 0.0) -> Iterator[str]:
    """The URL of a model."""
    with FakeProvider(latency=latency) as running:
        yield running.base_url
