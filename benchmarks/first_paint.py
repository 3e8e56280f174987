"""How soon a person sees the dashboard: first contentful paint in a fresh headless Chromium.

    python -m benchmarks.first_paint [--quick]

``miharu dashboard`` over 1,000 and 20,000 generated calls of two days, beside an empty page that the standard
library serves: what Chromium itself needs here.
"""

import argparse
import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, cast

from playwright.sync_api import Browser, sync_playwright

from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from tests.dashboard.traffic import traffic

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ANSWER = "performance.getEntriesByType('navigation')[0].responseStart"


class Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>x</title><p>x")

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def empty() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def dashboard(calls: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.db"
        filler = threading.Thread(
            target=lambda: asyncio.run(_fill(file, calls))
        )  # Playwright's loop runs here
        filler.start()
        filler.join()
        command = [sys.executable, "-u", "-m", "miharu", "dashboard", "--database", str(file), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in cast("IO[str]", process.stdout):
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                yield found[0]
                break
        process.terminate()
        process.communicate()


async def _fill(file: Path, calls: int) -> None:
    store = SQLiteStore(f"sqlite+aiosqlite:///{file}")
    await store.open()
    made = traffic(time.time_ns() // 1_000_000, calls=calls * 2)[-calls:]
    for start in range(0, len(made), 1000):
        await store.add(Batch(calls=made[start : start + 1000]))
    await store.close()


def measure(browser: Browser, name: str, address: str, times: int) -> None:
    paints, answers = [], []
    for _ in range(times):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.wait_for_function(f"{PAINT} > 0")
        paints.append(page.evaluate(PAINT))
        answers.append(page.evaluate(ANSWER))
        context.close()
    print(
        f"{name:28} {paints[0]:8.0f} ms {statistics.median(paints):8.0f} ms "
        f"{answers[0]:8.0f} ms {statistics.median(answers):8.0f} ms"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    times = 3 if arguments.parse_args().quick else 9
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    print(f"{'':28} {'paint: 1st':>11} {'median':>11} {'answer: 1st':>11} {'median':>11}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        with empty() as address:
            measure(browser, "an empty page", address, times)
        for calls in (1000, 20_000):
            with dashboard(calls) as address:
                measure(browser, f"overview, {calls:,} calls", address, times)
                measure(browser, f"calls, {calls:,} calls", f"{address}calls", times)
        browser.close()


if __name__ == "__main__":
    main()
