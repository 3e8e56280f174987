"""The pages over the store that many machines share."""

from collections.abc import AsyncIterator

import pytest

from miharu.batch import Batch
from miharu.dashboard.page import Site
from miharu.stores.postgres import PostgresStore, tending
from tests.stores.postgres.server import Server

from .conftest import NOW, get
from .memory import MemoryStore
from .test_with_sqlite import figures, table


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on miharu's own loop, which is asyncio's."""
    return "asyncio"


@pytest.fixture
async def shared(
    store: MemoryStore,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Site]:
    monkeypatch.setattr(tending, "WORTH_IT", 0)
    real = PostgresStore(postgres.url(await postgres.new_database()), clock=lambda: NOW)
    await real.open()
    calls = list(store.kept.values())
    await real.add(Batch(calls=calls[:-100]))
    while await real.tend():
        pass
    await real.add(Batch(calls=calls[-100:]))
    yield Site(store=real, database="x", access="local only", losses=lambda: 0, clock=lambda: NOW)
    await real.close()


async def test_shows_the_same_figures(shared: Site, site: Site, store: MemoryStore) -> None:
    asked: list[dict[str, str]] = [
        {},
        {"range": "7d", "by": "route"},
        {"model": "gpt-6.1-sol", "status": "error"},
    ]
    for params in asked:
        ours, exact = [figures(await get(one, "overview-now", **params)) for one in (shared, site)]
        assert ours == exact
        assert len(ours) >= 4
        rows = [table(await get(one, "calls-rows", **params)) for one in (shared, site)]
        assert rows[0] == rows[1]
    first = next(reversed(store.kept))
    opened = [
        (await get(one, "calls", sel=first)).body.partition(b'id="drawer"')[2] for one in (shared, site)
    ]
    assert opened[0] == opened[1]
