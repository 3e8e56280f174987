"""Doors that stay open for all tests: with nothing set in a terminal, with everything open, and locked."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.security.world import DOORS, Door, fill, open_door

OpenDoor = Callable[..., Door]
LOCK = "a-token-of-twenty-four-c"
ONE_DOOR = tuple(pytest.param(name, marks=() if name == "mount" else pytest.mark.full) for name in DOORS)
"""One stands for all where a test takes seconds; the long run tries each."""


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a secret in it."""
    file = tmp_path_factory.mktemp("security") / "calls.db"
    fill(file)
    return file


@pytest.fixture(scope="package")
def door_of(filled: Path) -> Iterator[OpenDoor]:
    """A door, opened at its first use: ``door_of("mount")``, ``door_of("mount", MIHARU_AUTH="off")``."""
    opened: dict[tuple[object, ...], Door] = {}
    with ExitStack() as stack:

        def get(name: str, server: str = "uvicorn (h11)", **environ: str) -> Door:
            key = (name, server, *sorted(environ.items()))
            if key not in opened:
                opened[key] = stack.enter_context(open_door(name, filled, server, **environ))
            return opened[key]

        yield get


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium, in which ``evil.example`` and all of ``shop.example`` are this machine."""
    playwright = pytest.importorskip("playwright.sync_api", reason="it drives a real browser")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed; scripts/test installs one")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(
            executable_path=found,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
                "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP *.shop.example 127.0.0.1",
            ],
        )
        yield chromium
        chromium.close()
