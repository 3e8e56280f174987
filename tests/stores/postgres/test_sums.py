"""The same as ``test_rollups.py``, on PostgreSQL: sums are what the calls add up to, whatever happens."""

import random
from collections.abc import AsyncIterator

import pytest

from miharu.stores.postgres import PostgresStore, tending
from tests.dashboard.memory import MemoryStore, rounded
from tests.stores.postgres.server import Server
from tests.stores.test_rollups import NOW, agree, change, only_the_newest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tending, "WORTH_IT", 0)
    monkeypatch.setattr(tending, "FOLDED_AT_ONCE", 23)


@pytest.fixture
async def store(postgres: Server) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(postgres.url(await postgres.new_database()), clock=lambda: NOW)
    await store.open()
    yield store
    await store.close()


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 30))]
)
async def test_sums_are_exact_whatever_happens(store: PostgresStore, seed: int) -> None:
    rng, truth = random.Random(seed), MemoryStore(counted=rounded)
    for _ in range(30):
        await change(store, truth, rng)
        await agree(store, truth, rng)
    while await store.tend():
        pass
    for _ in range(30):
        await agree(store, truth, rng)


async def test_the_largest_calls_are_sought_among_the_newest(
    monkeypatch: pytest.MonkeyPatch, store: PostgresStore
) -> None:
    await only_the_newest(monkeypatch, store)
