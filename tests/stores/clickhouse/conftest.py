"""A server for all tests, a database for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from miharu.stores.clickhouse import ClickHouseStore
from miharu.testing.open_store import OpenStore, both
from tests.stores.clickhouse.server import Server, started


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on asyncio, the worker's loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[Server]:
    """One server for all tests; each makes a database of its own in it."""
    yield from started()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that may be stopped."""
    yield from started()


@pytest.fixture
def database(clickhouse: Server) -> str:
    return clickhouse.new_database()


@pytest.fixture
async def store(clickhouse: Server, database: str) -> AsyncIterator[OpenStore]:
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    yield store
    await store.close()
