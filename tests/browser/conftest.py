"""A real Chromium, the example app in a process of its own, and ``miharu dashboard`` beside it."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from miharu.testing import FakeProvider
from miharu.testing.open_store import both
from tests.dashboard.population import population

expect.set_options(timeout=60_000)  # other tests have the machine as well
EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass(frozen=True)
class Doors:
    """Where the app is, and the two doors to its calls."""

    app: httpx.Client
    mount: str
    standalone: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; scripts/test installs one")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def doors(database: Path) -> Iterator[Doors]:
    """An app whose process has a terminal would be open; here the access is switched off by hand."""
    with (
        _process(["uvicorn", "app:app", "--port", "0"], EXAMPLE, database) as app,
        httpx.Client(base_url=app, trust_env=False, timeout=30) as http,
    ):
        http.post("/chat/1", json={"text": "The first call makes the database."}).raise_for_status()
        with _process(["miharu", "dashboard", "--port", "0"], EXAMPLE, database) as dashboard:
            yield Doors(http, f"{app}/miharu/", f"{dashboard}/")


@pytest.fixture
def slow(database: Path) -> Iterator[httpx.Client]:
    """The app, with a model that takes three seconds to begin its answer."""
    with (
        FakeProvider(latency=3.0) as provider,
        _process(
            ["uvicorn", "app:app", "--port", "0"], EXAMPLE, database, OPENAI_BASE_URL=provider.base_url
        ) as app,
        httpx.Client(base_url=app, trust_env=False, timeout=30) as http,
    ):
        yield http


@contextmanager
def _process(module: list[str], folder: Path, database: Path, **more: str) -> Iterator[str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "OPENAI_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=environ
        | {"MIHARU_DATABASE_URL": str(database), "MIHARU_AUTH": "off", "PYTHONUNBUFFERED": "1"}
        | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    try:
        for line in cast("IO[str]", process.stdout):
            said.append(line)
            if found := re.search(r"(http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                break
        else:
            pytest.fail("".join(said))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard on its own, over two days of a busy bookshop."""
    database = tmp_path_factory.mktemp("shop") / "calls.db"
    filler = threading.Thread(target=lambda: asyncio.run(_fill(database)))  # Playwright's loop runs here
    filler.start()
    filler.join()
    with _process(["miharu", "dashboard", "--port", "0"], EXAMPLE, database) as address:
        yield f"{address}/"


async def _fill(database: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    everything = population(time.time_ns() // 1_000_000, days=2, busy=0.5)
    for start in range(0, len(everything.calls), 1000):
        await store.add(Batch(calls=everything.calls[start : start + 1000]))
    await store.add(Batch(spans=everything.spans, scores=everything.scores))
    await store.close()


def keys_work(page: Page) -> None:
    """Wait for the script that listens to the keys: it shows the button that lists them."""
    expect(page.locator("[data-keys]:visible").first).to_be_visible()


def _is_ours(error: Error) -> bool:
    """Chromium itself tells of a fade between two pages that it had no time for."""
    return not str(error).startswith("Transition was ")


@contextmanager
def page_of(
    browser: Browser, scheme: Literal["light", "dark"] = "light", width: int = 1440, **more: object
) -> Iterator[Page]:
    """A page that may not say anything to the console, a violation of the CSP least of all."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        **{"reduced_motion": "reduce"} | more,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)) if _is_ours(error) else None)
    page.on("response", lambda got: complaints.extend([got.url] if got.status >= 400 else []))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))"
    )
    yield page
    context.close()
    assert complaints == []
