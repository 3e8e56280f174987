"""Filtered questions are answered from sums: the calls themselves could be gone."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from miharu.batch import Batch
from miharu.call import Call, Cost, Outcome
from miharu.stores import folding, steps
from miharu.stores.base import Dimension, Query
from miharu.stores.rollups import DAY, HOUR, ROLLUPS
from miharu.stores.sqlite import SQLiteStore, references, rolling_up
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call

NOW = 1_790_000_040_000 // (5 * DAY) * (5 * DAY) + 12 * HOUR
LONG = Query(start=NOW - 12 * HOUR - 8 * DAY, end=NOW - 12 * HOUR)
FAILED = Outcome(status="error", http_status=500, error_type="timeout")
FILTERS: tuple[dict[str, object], ...] = (
    {},
    {"model": "m1"},
    {"route": "POST /b"},
    {"provider": "openai"},
    {"service": "shop"},
    {"user_id": "ann"},
    {"status": "error"},
    {"status": "success"},
    {"error_type": "timeout"},
    {"model": "m1", "route": "POST /b"},
    {"provider": "openai", "route": "POST /b"},
    {"user_id": "ann", "model": "m1"},
    {"user_id": "ann", "route": "POST /b"},
    {"tag": ("team", "a")},
    {"tag": ("team", "a"), "model": "m1"},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def some_calls(days: int = 12) -> list[Call]:
    calls = []
    for n in range(days * 48):
        at = NOW - 12 * HOUR - n * HOUR // 2 - 1
        ended = FAILED if n % 7 == 0 else Outcome(status="success", http_status=200)
        calls.append(
            make_call(
                timestamp=at,
                model=f"m{n % 3}",
                provider="openai" if n % 3 else "anthropic",
                route="POST /b" if n % 2 else "GET /a",
                user_id=("ann", "bob", None)[n // 5 % 3],
                service="shop",
                duration_ms=10 * n,
                ttft_ms=n,
                tags={"team": "ab"[n % 2]},
                outcome=ended,
                cost=Cost(cost_nanousd=n, cost_source="x"),
            )
        )
    return calls[::-1]


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    monkeypatch.setattr(steps, "OFTEN", 2)
    monkeypatch.setattr(references, "SEGMENT", 40)
    monkeypatch.setattr(rolling_up, "SEGMENT", 40)
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 16)
    url = f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}"
    store = both(SQLiteStore(url, clock=lambda: NOW, tag_sums=["team"]))
    await store.open()
    await store.add(Batch(calls=some_calls()))
    await store.add(Batch(calls=[make_call(timestamp=NOW - n) for n in range(16)]))
    while await store.roll_up():
        pass
    yield store
    await store.close()


async def answers(store: OpenStore, query: Query) -> list[object]:
    """Whatever a page asks about whole hours."""
    found: list[object] = [
        await store.totals(query),
        await store.latency(query),
        list(await store.series(query, 3 * HOUR)),
        list(await store.durations(query, 3 * HOUR)),
        list(await store.durations(query, DAY, "ttft_ms")),
    ]
    kinds: tuple[Dimension, ...] = get_args(Dimension)
    for by in kinds:
        if await store.has_sums(query, by):
            found.append(await store.keys(query, by))
            found.append(await store.ranks(query, by, 2))
            found.append(list(await store.groups(query, by, 2)))
            found.append(list(await store.series(query, DAY, by, ["m1", "ann", None])))
    return found


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: "+".join(filters) or "none")
async def test_filtered_questions_need_no_calls(
    store: OpenStore, tmp_path: Path, filters: dict[str, object]
) -> None:
    query = replace(LONG, **filters)  # type: ignore[arg-type]
    assert await store.has_sums(query)
    before = await answers(store, query)
    totals = before[0]
    assert getattr(totals, "calls") > 20  # noqa: B009 - it is one of several types
    # as if every call were another one
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection, connection:
        connection.execute("UPDATE llm_calls SET model = 'x', route = 'x', cost_nanousd = 7, tags = NULL")
        connection.execute("UPDATE llm_calls SET duration_bucket = 1, ttft_bucket = 1, status = 'cancelled'")
    assert await answers(store, query) == before


async def test_a_question_without_sums_is_known_beforehand(store: OpenStore) -> None:
    pair = replace(LONG, model="m1", route="POST /b")
    assert not await store.has_sums(pair, "user_id")
    assert not await store.has_sums(replace(pair, user_id="ann"))
    assert not await store.has_sums(replace(LONG, tag=("team", "a")), "user_id")
    assert not await store.has_sums(replace(LONG, tag=("team", "a" * 201)))
    assert not await store.has_sums(replace(LONG, tag=("place", "a")))
    assert not await store.has_sums(replace(LONG, call_group="g"))
    assert await store.has_sums(replace(pair, user_id="of whom there is hardly a call"))
    assert await store.has_sums(replace(pair, session_id="s"))


async def test_users_with_few_calls_have_no_sums_of_their_own(store: OpenStore, tmp_path: Path) -> None:
    few = [make_call(timestamp=NOW - 3 * DAY + n, user_id=f"user {n}") for n in range(200)]
    await store.add(Batch(calls=few))
    while await store.roll_up():
        pass
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection, connection:
        users = {user for (user,) in connection.execute("SELECT DISTINCT user_id FROM sum_hour_user_model")}
        assert users == {"", "ann", "bob"}
    query = replace(LONG, user_id="user 7")
    assert [group.totals.calls for group in await store.groups(query, "model")] == [1]


async def test_sums_of_a_user_begin_where_there_are_many_calls(store: OpenStore, tmp_path: Path) -> None:
    async def add(*calls: Call) -> None:
        await store.add(Batch(calls=list(calls)))
        await store.add(Batch(calls=[make_call(timestamp=NOW - n) for n in range(16)]))
        while await store.roll_up():
            pass

    def carls(at: int, calls: int) -> list[Call]:
        return [make_call(timestamp=at + n, user_id="carl", model=f"m{n % 2}") for n in range(calls)]

    await add(*carls(NOW - 30 * DAY, 1), *carls(NOW - 20 * DAY, 1))
    later = NOW + 3 * HOUR
    store.sides.writer._writer._clock = lambda: later + 3 * HOUR
    await add(*carls(later, 6), make_call(timestamp=later + 2 * HOUR))
    await add(*carls(later + HOUR, 4), make_call(timestamp=later + 3 * HOUR))
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection, connection:
        found = connection.execute("SELECT since FROM miharu_frequent WHERE user_id = 'carl'").fetchall()
        assert found
        assert NOW - 2 * HOUR < found[0][0] <= later
    whole = Query(start=NOW - 40 * DAY, end=later + 9 * HOUR, user_id="carl")
    groups = await store.groups(whole, "model")
    assert {group.key: group.totals.calls for group in groups} == {"m0": 7, "m1": 5}
    assert len(await store.calls(replace(whole, model="m0"), limit=50)) == 7
    everyone = replace(whole, user_id=None, model="m0")
    ranked = await store.groups(everyone, "user_id", among=["carl", "ann", None])
    assert {group.key: group.totals.calls for group in ranked}["carl"] == 7
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection, connection:
        connection.execute("UPDATE llm_calls SET model = 'x' WHERE timestamp >= ?", (later,))
    groups = await store.groups(replace(whole, start=later, end=later + HOUR), "model")
    assert {group.key: group.totals.calls for group in groups} == {"m0": 3, "m1": 3}


async def test_a_step_is_of_a_bounded_number_of_rows(
    store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def stage(execute, where, values, so_far):  # type: ignore[no-untyped-def]
        folding.stage(execute, where, values, so_far)
        taken.append(next(iter(execute("SELECT count(*) FROM miharu_stage", {})))[0])

    monkeypatch.setattr(steps, "stage", stage)
    monkeypatch.setattr(steps, "CALLS_AT_ONCE", 30)
    writer = SQLiteStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}").writer()
    writer.open()
    writer.database.write(rolling_up.start_over)
    writer.close()
    while await store.roll_up():
        pass
    assert sum(taken) > 500
    assert max(taken) <= 31


async def test_a_further_tag_is_summed_up_from_the_beginning(store: OpenStore, tmp_path: Path) -> None:
    other = both(
        SQLiteStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}", clock=lambda: NOW, tag_sums=["place"])
    )
    await other.open()
    calls = [make_call(timestamp=NOW - 4 * DAY + n, tags={"place": "lab"}) for n in range(5)]
    await other.add(Batch(calls=calls))
    query, known = replace(LONG, tag=("place", "lab")), replace(LONG, tag=("team", "a"))
    before = await answers(other, known)
    assert not await other.has_sums(query)
    assert (await other.totals(query)).calls == 5
    await other.roll_up()
    for _ in range(1000):
        assert (await other.totals(query)).calls == 5
        assert await other.totals(known) == before[0]
        if not await other.roll_up():
            break
    assert await other.has_sums(query)
    assert await answers(other, known) == before
    await other.close()


def test_every_table_is_made_of_one_that_knows_as_much() -> None:
    tables = {rollup.name: rollup for rollup in ROLLUPS}
    for rollup in ROLLUPS:
        source = tables.get(rollup.source or "")
        if source is not None:
            assert set(rollup.key_columns) <= set(source.key_columns)
            assert set(rollup.measures) <= set(source.measures)
            assert rollup.grain % source.grain == 0
            facts = ("of_failed", "of_frequent", "of_tags", "histogram")
            assert [getattr(rollup, name) for name in facts] == [getattr(source, name) for name in facts]
