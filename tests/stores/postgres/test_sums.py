"""The same as ``test_rollups.py``, on PostgreSQL: sums are what the calls add up to, whatever happens."""

import random
from collections.abc import AsyncIterator

import pytest

from miharu.batch import Batch
from miharu.stores import steps
from miharu.stores.base import Dimension, Query
from miharu.stores.postgres import PostgresStore, rolling_up
from miharu.stores.rollups import DAY, FIVE_DAYS
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call
from tests.dashboard.memory import MemoryStore, rounded
from tests.stores.postgres.server import Server
from tests.stores.test_rollups import NOW, TAGS, agree, change, only_the_newest
from tests.stores.test_wider import calls_of_families, one


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_up, "WORTH_IT", 0)
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 23)
    monkeypatch.setattr(steps, "CALLS_AT_ONCE", 30)
    monkeypatch.setattr(steps, "ROWS_AT_ONCE", 6)
    monkeypatch.setattr(steps, "OFTEN", 3)


@pytest.fixture
async def store(postgres: Server) -> AsyncIterator[OpenStore]:
    url = postgres.url(await postgres.new_database())
    store = both(PostgresStore(url, clock=lambda: NOW, tag_sums=TAGS))
    await store.open()
    yield store
    await store.close()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 30))])
async def test_sums_are_exact_whatever_happens(
    store: OpenStore, seed: int, request: pytest.FixtureRequest
) -> None:
    rng, truth = random.Random(seed), MemoryStore(counted=rounded)
    rounds = 30 if request.config.getoption("--full") else 12
    for _ in range(rounds):
        await change(store, truth, rng)
        await agree(store, truth, rng)
    while await store.roll_up():
        pass
    for _ in range(rounds):
        await agree(store, truth, rng)


async def test_the_largest_calls_are_sought_among_the_newest(
    monkeypatch: pytest.MonkeyPatch, store: OpenStore
) -> None:
    await only_the_newest(monkeypatch, store)


async def test_what_is_taken_off_and_what_a_pattern_means_is_exact(
    monkeypatch: pytest.MonkeyPatch, store: OpenStore
) -> None:
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 5000)
    monkeypatch.setattr(steps, "CALLS_AT_ONCE", 5000)
    monkeypatch.setattr(steps, "ROWS_AT_ONCE", 5000)
    truth = MemoryStore(counted=rounded)
    for kept in (store, truth):
        await kept.add(Batch(calls=calls_of_families()))
    while await store.roll_up():
        pass
    kinds: tuple[Dimension, ...] = ("route", "user_id")
    for query in (
        *(one("model", "in", patterns=((text, ""),)) for text in ("gpt-", "l")),
        *(one("user_id", "not in", *users) for users in (("ann",), ("ann", "bob"))),
    ):
        for by in kinds:
            assert await store.ranks(query, by, 2) == await truth.ranks(query, by, 2)
            assert list(await store.groups(query, by)) == list(await truth.groups(query, by))
        assert await store.latency(query) == await truth.latency(query)


async def test_a_day_that_is_dropped_leaves_the_others_of_its_five(store: OpenStore) -> None:
    first = NOW // FIVE_DAYS * FIVE_DAYS - FIVE_DAYS
    truth = MemoryStore(counted=rounded)
    for day in range(5):
        calls = [
            make_call(
                timestamp=first + day * DAY + n, user_id="ann", duration_ms=10**day * n, ttft_ms=day + n
            )
            for n in range(20)
        ]
        await store.add(Batch(calls=calls))
        await truth.add(Batch(calls=calls))
    while await store.roll_up():
        pass
    query = Query(start=first, end=first + FIVE_DAYS)
    for days in (1, 3, 5):
        before = first + days * DAY
        assert await store.prune(before) == await truth.prune(before)
        kinds: tuple[Dimension, ...] = ("user_id", "model")
        for by in kinds:
            assert list(await store.groups(query, by, 5)) == list(await truth.groups(query, by, 5))
            assert list(await store.keys(query, by)) == list(await truth.keys(query, by))
