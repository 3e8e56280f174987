"""How soon a person sees the dashboard: first contentful paint in a fresh headless Chromium.

    python -m benchmarks.first_paint [--quick]

Every page of ``miharu dashboard`` over eight days of a busy shop, beside an empty page that the standard
library serves: what Chromium itself needs here. And what goes over the wire for it: the page alone, and the
whole first visit, with styles, scripts and fonts.
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
from miharu.dashboard.routes import SCREENS
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.dashboard.population import population

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ANSWER = "performance.getEntriesByType('navigation')[0].responseStart"
PAGE = "performance.getEntriesByType('navigation')[0].transferSize"
REST = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)"
DAYS = 8.0


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
def dashboard(days: float) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.db"
        filler = threading.Thread(
            target=lambda: asyncio.run(_fill(file, days))
        )  # Playwright's loop runs here
        filler.start()
        filler.join()
        command = [sys.executable, "-u", "-m", "miharu", "dashboard", "--database", str(file), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            for line in cast("IO[str]", process.stdout):
                if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                    yield found[0]
                    break
        finally:
            process.terminate()
            process.communicate()


async def _fill(file: Path, days: float) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
    await store.open()
    made = population(time.time_ns() // 1_000_000, days=days)
    for start in range(0, len(made.calls), 1000):
        await store.add(Batch(calls=made.calls[start : start + 1000]))
    await store.add(Batch(spans=made.spans, scores=made.scores))
    while await store.roll_up():
        pass
    await store.close()


def measure(browser: Browser, name: str, address: str, times: int) -> None:
    paints, answers, page_bytes, all_bytes = [], [], 0, 0
    for _ in range(times):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        while not (paint := page.evaluate(PAINT)):
            page.wait_for_timeout(1)
        paints.append(paint)
        answers.append(page.evaluate(ANSWER))
        page.wait_for_load_state("networkidle")
        page_bytes = page.evaluate(PAGE)
        all_bytes = page_bytes + page.evaluate(REST)
        context.close()
    print(
        f"{name:16} {paints[0]:8.0f} ms {statistics.median(paints):8.0f} ms "
        f"{answers[0]:8.0f} ms {statistics.median(answers):8.0f} ms "
        f"{page_bytes / 1000:8.1f} kB {all_bytes / 1000:8.1f} kB"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    quick = arguments.parse_args().quick
    times = 3 if quick else 9
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    print(
        f"{'':16} {'paint: 1st':>11} {'median':>11} {'answer: 1st':>11} {'median':>11} "
        f"{'page':>11} {'first visit':>11}"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        with empty() as address:
            measure(browser, "an empty page", address, times)
        with dashboard(1.0 if quick else DAYS) as address:
            for screen in SCREENS:
                measure(browser, screen.path or "overview", f"{address}{screen.path}", times)
        browser.close()


if __name__ == "__main__":
    main()
