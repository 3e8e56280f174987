"""A real Chromium, the example app in a process of its own, and ``miharu dashboard`` beside it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

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


@contextmanager
def _process(module: list[str], folder: Path, database: Path) -> Iterator[str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "OPENAI_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=environ | {"MIHARU_DATABASE_URL": str(database), "MIHARU_AUTH": "off", "PYTHONUNBUFFERED": "1"},
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
