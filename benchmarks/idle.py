"""What an open page costs the program it is about, while nothing happens.

    python -m benchmarks.idle [--quick]

A FastAPI app on uvicorn, with the dashboard mounted over a generated week of calls, and a real Chromium: with
no page open, with the overview open, with the same page in a tab that nobody sees, and beside it with a page
that listens to server-sent events (an endpoint of FastAPI that looks for new calls once a second, as every
process has to that shares a database with others). Each is measured for a minute and extrapolated to an hour.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.first_paint import _fill
from miharu.dashboard.routes import PATHS

DAYS = 7
TICKS = os.sysconf("SC_CLK_TCK")
LISTENER = (
    "<!doctype html><title>events</title><script>new EventSource('events').onmessage = (event) => {"
    "document.title = event.data }</script>"
)


def host() -> Any:
    """The program: uvicorn makes it in a process of its own."""
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse, StreamingResponse

    import miharu
    from miharu import monitor

    miharu.init()
    app = FastAPI()
    app.mount("/miharu", miharu.asgi(auth="off"))

    async def events() -> AsyncIterator[str]:
        running, last, quiet = monitor.current(), None, 0
        assert running is not None
        while True:
            revision = await running.read(running.questions.revision)
            quiet = quiet + 1 if revision == last else 0
            if revision != last:
                yield f"data: {revision}\n\n"
            elif quiet % 15 == 0:
                yield ": still here\n\n"
            last = revision
            await asyncio.sleep(1)

    @app.get("/events")
    async def stream() -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    @app.get("/listener")
    async def listener() -> HTMLResponse:
        return HTMLResponse(LISTENER)

    return app


class Wire:
    """Stands between browser and server, and counts."""

    def __init__(self, upstream: int) -> None:
        self.requests = self.bytes = 0
        self._upstream = upstream
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            browser, _ = self._listening.accept()
            server = socket.create_connection(("127.0.0.1", self._upstream))
            for source, target, asks in ((browser, server, True), (server, browser, False)):
                threading.Thread(target=self._pump, args=(source, target, asks), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        try:
            while chunk := source.recv(65536):
                self.bytes += len(chunk)
                self.requests += chunk.count(b" HTTP/1.1\r\n") if asks else 0
                target.sendall(chunk)
        except OSError:
            pass
        finally:
            for end in (source, target):
                end.close()


@dataclass(frozen=True)
class Figures:
    cpu: float
    requests: int
    bytes: int
    seconds: float


@contextmanager
def program(file: Path) -> Iterator[tuple[int, int]]:
    """Its process id and its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["uvicorn", "--factory", "benchmarks.idle:host", "--port", str(port), "--no-access-log"]
    environ = os.environ | {"MIHARU_DATABASE_URL": str(file)}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for path in PATHS:  # whatever is loaded with the first page is loaded
            _fetch(f"http://127.0.0.1:{port}/miharu/{path}")
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:  # uvicorn waits for open streams for ever
            process.kill()
            process.wait()


@contextmanager
def chromium(*addresses: str) -> Iterator[None]:
    """A browser with these tabs, opened one after the other; only the last one can be seen."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("This needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *(found, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", "--remote-debugging-port=0"),
                *(f"--user-data-dir={profile}", "about:blank"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = cast("IO[str]", process.stderr)
        place = next(said[1] for line in lines if (said := re.search(r"ws://([\d.:]+)/", line)))
        threading.Thread(target=lambda: list(lines), daemon=True).start()
        try:
            for address in addresses:
                opening = urllib.request.Request(f"http://{place}/json/new?{address}", method="PUT")
                json.load(urllib.request.urlopen(opening))
                time.sleep(4)
            yield
        finally:
            process.terminate()
            process.wait()


def measure(file: Path, seconds: float, tabs: Callable[[str], list[str]]) -> Figures:
    with program(file) as (pid, port):
        wire = Wire(port)
        with chromium(*tabs(f"http://127.0.0.1:{wire.port}")):
            time.sleep(6)  # until the page has all it needs
            before, cpu, begun = (wire.requests, wire.bytes), _cpu(pid), time.perf_counter()
            time.sleep(seconds)
            spent = time.perf_counter() - begun
            return Figures(_cpu(pid) - cpu, wire.requests - before[0], wire.bytes - before[1], spent)


def _cpu(pid: int) -> float:
    """Seconds of the processor that it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _fetch(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=30).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    seconds = 20.0 if arguments.parse_args().quick else 60.0
    states: dict[str, Callable[[str], list[str]]] = {
        "no page": lambda _: [],
        "overview": lambda at: [f"{at}/miharu/"],
        **({"live": lambda at: [f"{at}/miharu/live"]} if "live" in PATHS else {}),
        "calls": lambda at: [f"{at}/miharu/calls"],
        "overview, hidden tab": lambda at: [f"{at}/miharu/", "about:blank"],
        "server-sent events": lambda at: [f"{at}/listener"],
        "no page, again (noise)": lambda _: [],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.db"
        asyncio.run(_fill(file, DAYS))
        print(f"{'':24}{'CPU s an hour':>16}{'of one core':>13}{'requests a minute':>19}{'bytes each':>12}")
        for name, tabs in states.items():
            seen = measure(file, seconds, tabs)
            each = f"{seen.bytes / seen.requests:,.0f}" if seen.requests else "—"
            print(
                f"{name:24}{seen.cpu / seen.seconds * 3600:16.1f}{seen.cpu / seen.seconds:13.2%}"
                f"{seen.requests / seen.seconds * 60:19.1f}{each:>12}",
                flush=True,
            )
    print(f"Each measured for {seconds:.0f} s; the hour is extrapolated.")


if __name__ == "__main__":
    main()
