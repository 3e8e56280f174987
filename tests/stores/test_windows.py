"""The hours that hold rare calls: none of a window is left out, and a batch is filled to its bound."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.stores.base import Query
from miharu.stores.rollups import DAY, HOUR
from miharu.stores.sql.order import _fitting
from miharu.stores.sqlite import SQLiteStore, rolling_up
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call

NOW = 1_790_000_040_000 // DAY * DAY + 12 * HOUR
ALL = Query(start=NOW - 10 * DAY, end=NOW)
RARE = tuple(NOW - days * DAY for days in (1, 2, 9))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    """A rare model right at the beginning of three hours, among others, all of it folded in."""
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 16)
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}", clock=lambda: NOW))
    await store.open()
    often = [make_call(timestamp=NOW - n * HOUR // 2, model="often") for n in range(480)]
    await store.add(Batch(calls=[*often[::-1], *(make_call(timestamp=at, model="rare") for at in RARE)]))
    await store.add(Batch(calls=[make_call(timestamp=NOW - n, model="often") for n in range(1, 17)]))
    while await store.roll_up():
        pass
    yield store
    await store.close()


@pytest.mark.parametrize("at", RARE)
async def test_the_first_hour_of_a_window_is_in_it(store: OpenStore, at: int) -> None:
    for start in (at, at - 1, at - HOUR):
        found = await store.calls(replace(ALL, start=start, end=at + 2 * HOUR, model="rare"), limit=5)
        assert [call.timestamp for call in found] == [at], start


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_as_many_are_found_as_are_wanted(store: OpenStore, limit: int) -> None:
    found = await store.calls(replace(ALL, model="rare"), limit=limit)
    assert [call.timestamp for call in found] == [*RARE[:limit]]


def test_a_batch_is_filled_to_its_bound() -> None:
    assert _fitting(iter([2, 2, 1]), 4) == 2
    assert _fitting(iter([2, 2, 1]), 5) == 3
    assert _fitting(iter([9, 2]), 4) == 1
