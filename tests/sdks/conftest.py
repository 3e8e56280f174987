"""One provider, one loop and one record of what was seen, for the whole run."""

import asyncio
import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest

import miharu
from miharu import monitor
from miharu.exchange import Exchange
from tests.sdks.drivers import ALL
from tests.sdks.network import kept_here
from tests.sdks.provider import Provider, Told
from tests.sdks.scene import Scene, Sdk
from tests.sdks.table import Table

_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LANGSMITH_TRACING": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "COHERE_API_KEY": "any",
}
"""What would otherwise send something somewhere."""


@dataclass(slots=True)
class Played:
    """What came of one scenario."""

    rows: list[dict[str, Any]]
    told: list[Told]
    clients: list[str]
    """What carried the exchanges that were seen."""
    error: BaseException | None
    """What the SDK's user would have seen go wrong."""
    failures: int
    """Of miharu's own."""


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with mock.patch.dict(os.environ, _QUIET), Provider() as serving:
        yield serving


@pytest.fixture(scope="module", autouse=True)
def names_are_this_machine() -> Iterator[None]:
    """Only here: to tests of other folders, which the same process may run next, a name is what it is."""
    with kept_here():
        yield


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Any], Any]]:
    """Run a coroutine on the one loop: some SDKs keep their connections for the next call."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    noted = Table()
    yield noted
    noted.save({(sdk.name, scenario) for sdk in ALL if installed(sdk) for scenario in sdk.plays})


@pytest.fixture
def play(provider: Provider, run: Callable[[Any], Any], tmp_path: Path) -> Callable[[Sdk, str], Played]:
    def play(sdk: Sdk, scenario: str) -> Played:
        failures = {"error": (429,), "retry": (503, 429)}.get(scenario, ())
        provider.begin(*failures)
        miharu.init(tmp_path / "calls.db")
        handed, below = _watch_clients(), list[str]()
        scene = Scene(provider.port, sdk.asynchronous, retries=2 if scenario == "retry" else 0)
        error = None
        with _aiohttp_below(below):
            try:
                scene.run(sdk.plays[scenario], run)
            except Exception as raised:
                error = raised
        run(_settle(lambda: len(handed) >= len(provider.told)))
        assert miharu.flush(), "the rows were not written in time"
        failures_inside = miharu.stats()["errors"]
        miharu.shutdown()
        rows = _rows(tmp_path / "calls.db")
        return Played(rows, provider.told, _names(handed, below), error, failures_inside)

    return play


async def _settle(done: Callable[[], bool]) -> None:
    """Wait until streams that nobody closed are let go of; a thread of the SDK's may still hold them."""
    with anyio.move_on_after(5):
        while not done():
            gc.collect()
            await anyio.sleep(0.01)


def installed(sdk: Sdk) -> str | None:
    """Its version here."""
    try:
        return version(sdk.package)
    except PackageNotFoundError:
        return None


def _watch_clients() -> list[str]:
    """Notes, for each exchange that is handed over, whose it was."""
    watching = monitor.current()
    assert watching is not None
    interceptor = watching._interceptor
    assert interceptor is not None
    sink, seen = interceptor.sink, list[str]()

    def spy(exchange: Exchange) -> None:
        client = type(exchange).__module__.rpartition(".")[2]
        if client == "httpx":  # or httpx2, which is of the same shape
            client = type(exchange.sent).__module__.partition(".")[0]  # type: ignore[attr-defined]
        seen.append(client)
        sink(exchange)

    interceptor.sink = spy
    return seen


def _aiohttp_below(sent: list[str]) -> AbstractContextManager[Any]:
    """Notes each request that an aiohttp session really sends, ours or below an httpx client."""
    try:
        owner = import_module("aiohttp.client_reqrep").ClientRequest
    except ImportError:
        return nullcontext()
    send = owner.send

    async def noted(self: Any, *args: Any, **options: Any) -> Any:
        sent.append("aiohttp")
        return await send(self, *args, **options)

    return mock.patch.object(owner, "send", noted)


def _names(handed: list[str], below: list[str]) -> list[str]:
    return sorted({f"{name} on aiohttp" if below and name.startswith("httpx") else name for name in handed})


def _rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'llm_calls'").fetchone():
            return []  # nothing came, so nothing was made
        return [dict(row) for row in database.execute("SELECT * FROM llm_calls ORDER BY timestamp, rowid")]
