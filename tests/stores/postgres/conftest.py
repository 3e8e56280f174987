"""A server for all tests, a database for each."""

import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from miharu.stores.postgres import PostgresStore, rolling_up
from miharu.testing.open_store import OpenStore, both
from tests.stores.postgres.crew import Crew
from tests.stores.postgres.server import BINARIES, Certificate, Server


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on asyncio, the worker's loop."""
    return "asyncio"


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that may be stopped."""
    if BINARIES is None:
        pytest.skip("no PostgreSQL is installed; scripts/test installs one")
    server = Server()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl is installed; scripts/test installs it")
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tables(postgres: Server) -> str:
    """A database with all tables and nothing in them, to be copied: to make them takes much longer."""

    async def make() -> str:
        store = both(PostgresStore(postgres.url(made := await postgres.new_database())))
        await store.open()
        await store.close()
        return made

    with ThreadPoolExecutor(1) as thread:  # there may be a loop in this one
        return thread.submit(anyio.run, make).result()


@pytest.fixture
async def database(postgres: Server, request: pytest.FixtureRequest) -> str:
    """A new one; empty, unless a store is opened on it at once."""
    if "store" not in request.fixturenames:
        return await postgres.new_database()
    return await postgres.new_database(request.getfixturevalue("tables"))


@pytest.fixture
async def store(postgres: Server, database: str) -> AsyncIterator[OpenStore]:
    store = both(PostgresStore(postgres.url(database)))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is there is folded into the roll-ups at once."""
    monkeypatch.setattr(rolling_up, "WORTH_IT", 0)


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    crew = Crew(8)
    yield crew
    crew.dismiss()
