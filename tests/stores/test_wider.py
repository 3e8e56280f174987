"""Where some values of a key are left out, all is read without the key, and what is left out taken off."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from miharu.batch import Batch
from miharu.call import Call
from miharu.conditions.language import Condition, Operator
from miharu.stores.base import By, ByTag, Query
from miharu.stores.rollups import DAY, HISTOGRAMS, HOUR, SUMS, Rollup
from miharu.stores.sql.source import Source, Steps, source
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.questions import ENGINE
from miharu.testing.open_store import OpenStore, both
from tests.dashboard.memory import MemoryStore, rounded
from tests.stores.test_rollups import NOW, some_call

MONTH = Query(start=NOW - 9 * DAY, end=NOW + 1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def both_with(calls: list[Call]) -> AsyncIterator[tuple[OpenStore, MemoryStore]]:
    store, truth = (
        both(SQLiteStore("sqlite+aiosqlite:///:memory:", clock=lambda: NOW)),
        MemoryStore(counted=rounded),
    )
    await store.open()
    for kept in (store, truth):
        await kept.add(Batch(calls=calls))
    while await store.roll_up():
        pass
    yield store, truth
    await store.close()


def calls_of_days(number: int) -> Iterator[tuple[random.Random, Call]]:
    rng = random.Random(3)
    for _ in range(number):
        yield rng, replace(some_call(rng), timestamp=NOW - int(9 * DAY * rng.random()))


@pytest.fixture
async def stores() -> AsyncIterator[tuple[OpenStore, MemoryStore]]:
    async with both_with([call for _, call in calls_of_days(2500)]) as made:
        yield made


FAMILIES = (
    *(("gpt-1", "openai"), ("gpt-2", "openai"), ("claude-1", "anthropic"), ("claude-2", "anthropic")),
    *(("llama-1", "groq"), ("llama-2", "azure"), ("o-1", "azure"), (None, None)),
)


def calls_of_families() -> list[Call]:
    """Of some providers all models begin alike."""
    calls = []
    for rng, call in calls_of_days(2500):
        model, provider = rng.choice(FAMILIES)
        calls.append(replace(call, model=model, provider=provider))
    return calls


@pytest.fixture
async def families() -> AsyncIterator[tuple[OpenStore, MemoryStore]]:
    async with both_with(calls_of_families()) as made:
        yield made


def one(field: str, operator: Operator, *values: str, patterns: Any = ()) -> Query:
    return replace(
        MONTH, conditions=(Condition(field=field, operator=operator, values=values, patterns=patterns),)
    )


async def read(
    store: OpenStore,
    query: Query,
    by: By | None,
    tables: tuple[Rollup, ...] = SUMS,
    steps: Steps | None = None,
) -> Source:
    ignoring = frozenset({"status", "error_type"}) if tables is HISTOGRAMS else frozenset[str]()
    found: Source = await store.sides.questions.read(
        lambda connection: source(
            connection, ENGINE, query, tables, by=by, ignoring=ignoring, steps=steps, signed=True
        )
    )
    return found


async def less(*asked: Any, **more: Any) -> set[str]:
    """The tables from which something is taken off."""
    return {rollup.name for rollup, _ in (await read(*asked, **more)).less}


async def added(*asked: Any) -> set[str]:
    """The tables that are added up."""
    return {rollup.name for rollup, _ in (await read(*asked)).folded}


CASES: list[tuple[Query, By | None, set[str]]] = [
    (one("model", "not in", "m1"), "route", {"sum_day_both", "sum_hour_both", "sum_minute_both"}),
    (
        one("model", "not in", "m1", "", patterns=(("m2", ""),)),
        "route",
        {"sum_day_both", "sum_hour_both"},
    ),
    (one("route", "not in", "GET /a"), "model", {"sum_day_both", "sum_hour_both"}),
    (one("provider", "not in", "openai"), "route", {"sum_day_provider", "sum_hour_provider"}),
    (one("model", "not in", "m1", ""), "user_id", {"rank_day_model"}),
    (one("model", "in", patterns=(("m", ""),)), "route", {"sum_day_both", "sum_hour_both"}),
    (one("model", "in", patterns=(("m", "1"),)), "route", set()),
    (
        replace(
            MONTH,
            conditions=(
                *one("model", "in", patterns=(("m", ""),)).conditions,
                *one("model", "not in", "m1").conditions,
            ),
        ),
        "route",
        set(),
    ),
    (one("model", "not in", "m1"), "model", set()),
    (replace(one("model", "not in", "m1"), status="error"), "error_type", set()),
    (one("model", "not in", "m1"), None, set()),
    (one("error_type", "not in", "timeout"), "route", set()),
    (replace(one("model", "not in", "m1"), model="m2"), "route", set()),
    (
        replace(
            MONTH,
            conditions=(
                *one("model", "not in", "m1").conditions,
                *one("model", "not in", "m2").conditions,
            ),
        ),
        "route",
        set(),
    ),
]


async def test_what_is_left_out_is_taken_off(stores: tuple[OpenStore, MemoryStore]) -> None:
    store, truth = stores
    for query, by, taken_off in CASES:
        found = await less(store, query, by)
        assert taken_off <= found, query
        assert bool(taken_off) is bool(found), query
        assert await store.totals(query) == await truth.totals(query), query
        assert await store.groups(query, by or "route") == await truth.groups(query, by or "route"), query
        assert await store.ranks(query, by or "route", 2) == await truth.ranks(query, by or "route", 2), query
        for step in (HOUR, DAY):
            assert list(await store.series(query, step, by)) == list(await truth.series(query, step, by))
            durations = await store.durations(query, step)
            assert sorted(durations) == sorted(await truth.durations(query, step)), query


async def test_it_is_taken_off_the_histograms(stores: tuple[OpenStore, MemoryStore]) -> None:
    store, truth = stores
    query = one("model", "not in", "m1")
    assert "time_day_both" in await less(store, query, "route", HISTOGRAMS)
    assert await store.latency(query) == await truth.latency(query)
    keys = ("GET /a", "POST /b", None)
    assert await store.latencies(query, "route", keys) == await truth.latencies(query, "route", keys)


async def test_a_key_that_is_left_with_nothing_is_none(stores: tuple[OpenStore, MemoryStore]) -> None:
    store, _ = stores
    query = one("route", "not in", "GET /a", "POST /b", "")
    assert await less(store, query, "model")
    assert not await store.groups(query, "model")
    assert not await store.series(query, DAY, "model")
    assert not await store.durations(query, DAY)
    assert (await store.ranks(query, "model")).whole == 0


async def test_days_that_begin_at_half_past_are_read_in_few_pieces(
    stores: tuple[OpenStore, MemoryStore],
) -> None:
    store, truth = stores
    query, offset = one("model", "not in", "m1"), HOUR // 2
    assert await less(store, query, "route", steps=Steps(DAY, HOUR))
    assert not await less(store, query, "route", steps=Steps(DAY, offset))
    found = await store.series(query, DAY, "route", None, offset)
    assert list(found) == list(await truth.series(query, DAY, "route", None, offset))
    years = replace(query, start=NOW - 480 * DAY)
    assert sum(point.totals.calls for point in await store.series(years, 5 * DAY, "route", None, offset))


async def test_a_pattern_that_all_models_of_a_provider_fit_means_the_provider(
    families: tuple[OpenStore, MemoryStore],
) -> None:
    store, _ = families
    whole, part = (one("model", "in", patterns=((text, ""),)) for text in ("gpt-", "llama-"))
    for by, tables, without, with_model in (
        ("route", SUMS, "sum_day_provider", "sum_day_both"),
        ("user_id", SUMS, "rank_day_provider", "rank_day_model"),
        ("route", HISTOGRAMS, "time_day_provider", "time_day_both"),
    ):
        found = await added(store, whole, by, tables)
        assert without in found
        assert with_model not in found
        assert without not in await added(store, part, by, tables)
    assert "sum_day_provider" not in await added(store, whole, "model")


@given(
    pattern=st.lists(
        st.sampled_from(["", "g", "gpt-", "claude-", "l", "o", "-1"]), min_size=2, max_size=3
    ).filter(any),
    provider=st.sampled_from([None, None, "openai", "azure"]),
    status=st.sampled_from([None, None, "error", "success"]),
    by=st.sampled_from(["route", "user_id", "provider"]),
    start=st.integers(0, 9 * DAY),
)
@example(pattern=["gpt-", ""], provider=None, status=None, by="user_id", start=9 * DAY)
@example(pattern=["l", ""], provider=None, status=None, by="route", start=9 * DAY)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_a_pattern_means_is_exact(
    families: tuple[OpenStore, MemoryStore], pattern: list[str], start: int, by: Any, **filters: Any
) -> None:
    store, truth = families
    query = replace(one("model", "in", patterns=(tuple(pattern),)), start=NOW - start, **filters)
    assert await store.ranks(query, by, 2) == await truth.ranks(query, by, 2)
    assert await store.groups(query, by) == await truth.groups(query, by)
    assert list(await store.series(query, DAY, by)) == list(await truth.series(query, DAY, by))


@given(
    users=st.lists(st.sampled_from(["ann", "bob", "nobody"]), min_size=1, max_size=3),
    status=st.sampled_from([None, None, "error", "success"]),
    route=st.sampled_from([None, None, "GET /a"]),
    by=st.sampled_from(["route", "model", "error_type", "user_id", ByTag("team")]),
    start=st.integers(0, 9 * DAY),
)
@example(users=["ann"], status=None, route=None, by="model", start=9 * DAY)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_all_less_some_users_is_exact(
    stores: tuple[OpenStore, MemoryStore], users: list[str], start: int, by: Any, **filters: Any
) -> None:
    store, truth = stores
    query = replace(one("user_id", "not in", *users), start=NOW - start, **filters)
    assert await store.totals(query) == await truth.totals(query)
    assert await store.ranks(query, by, 2) == await truth.ranks(query, by, 2)
    assert await store.groups(query, by) == await truth.groups(query, by)
    assert await store.latency(query) == await truth.latency(query)
    assert list(await store.series(query, DAY, by)) == list(await truth.series(query, DAY, by))
    assert sorted(await store.durations(query, DAY)) == sorted(await truth.durations(query, DAY))
