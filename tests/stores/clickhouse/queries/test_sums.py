"""The same as ``test_rollups.py``, on ClickHouse: sums are what the calls add up to, whatever happens."""

import random

import pytest

from miharu.testing.open_store import OpenStore
from tests.dashboard.memory import MemoryStore, rounded
from tests.stores.clickhouse.server import Server
from tests.stores.test_rollups import agree, change


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 20))]
)
async def test_sums_are_exact_whatever_happens(
    store: OpenStore, clickhouse: Server, database: str, seed: int
) -> None:
    rng, truth = random.Random(seed), MemoryStore(counted=rounded)
    for _ in range(30):
        await change(store, truth, rng)
        await agree(store, truth, rng)
    clickhouse.query(database, "OPTIMIZE TABLE llm_calls FINAL")
    for _ in range(30):
        await agree(store, truth, rng)
