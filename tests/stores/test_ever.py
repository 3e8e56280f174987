"""Counters of all time in a file: exact while nothing changes, and never less whatever happens."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.stores.base import Counted, Query
from miharu.stores.rollups import DAY
from miharu.stores.sqlite import SQLiteStore, rolling_up
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import assert_none_less, make_call
from tests.dashboard.memory import MemoryStore, rounded
from tests.stores.test_rollups import NOW, change, some_call

MORE_THAN_ALL = Query(start=0, end=2**62)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def store(database: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 20)
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    yield store
    await store.close()


def as_sets(counters: Counted) -> tuple[set[Any], set[Any]]:
    counted = ("calls", "retries", "cost_nanousd", "unpriced", "prompt_tokens", "reasoning_tokens")
    sums = {
        (
            *(one.model, one.provider, one.route, one.service, one.status, one.error_type),
            *(getattr(one.totals, name) for name in counted),
        )
        for one in counters.sums
    }
    times = {
        (one.model, one.provider, one.route, one.service, one.of, tuple(one.counts)) for one in counters.times
    }
    return sums, times


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(4, 40))]
)
async def test_no_counter_becomes_less_whatever_happens(store: OpenStore, seed: int) -> None:
    rng, truth = random.Random(seed), MemoryStore(counted=rounded)
    before = await store.counters()
    for _ in range(60):
        await change(store, truth, rng)
        after = await store.counters()
        assert_none_less(before, after)
        before = after


@pytest.mark.parametrize("rolled_up", [False, True])
async def test_calls_that_were_deleted_are_still_counted(store: OpenStore, rolled_up: bool) -> None:
    rng = random.Random(3)
    calls = [some_call(rng) for _ in range(300)]
    truth = MemoryStore(calls, counted=rounded)
    await store.add(Batch(calls=calls))
    while rolled_up and await store.roll_up():
        pass
    exact = as_sets(await truth.counters())
    assert as_sets(await store.counters()) == exact
    for days in (40, 20, 2, -2):
        await store.prune(NOW - days * DAY)
        assert as_sets(await store.counters()) == exact
        while rolled_up and await store.roll_up():
            pass
        assert as_sets(await store.counters()) == exact
    assert (await store.totals(MORE_THAN_ALL)).calls == 0


async def test_a_year_is_read_from_few_rows(store: OpenStore) -> None:
    calls = [make_call(timestamp=NOW - day * DAY) for day in range(365) for _ in range(2)]
    await store.add(Batch(calls=calls))
    while await store.roll_up():
        pass

    def rows(connection: object, table: str) -> int:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # type: ignore[attr-defined]

    read = store.sides.questions.read
    assert await read(lambda it: rows(it, "sum_day_both")) >= 360
    assert await read(lambda it: rows(it, "sum_28days_both")) <= 14
    assert await read(lambda it: rows(it, "time_28days_both")) <= 14
    (one,) = (await store.counters()).sums
    assert one.totals.calls == 730


async def test_all_workers_say_the_same(store: OpenStore, database: Path) -> None:
    other = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await other.open()
    rng, seen = random.Random(5), Counter[int]()
    for _ in range(20):
        await rng.choice([store, other]).add(Batch(calls=[some_call(rng) for _ in range(9)]))
        said = [as_sets(await one.counters()) for one in (store, other)]
        assert said[0] == said[1]
        seen[len(said[0][0])] += 1
    await other.close()
    assert len(seen) > 1
