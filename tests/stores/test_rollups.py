"""Whatever happens to calls, sums over roll-ups are what the calls themselves add up to."""

import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import get_args

import pytest

from miharu.batch import Batch
from miharu.call import Call, Cost, Outcome, Status, Usage
from miharu.conditions.language import Condition
from miharu.stores import steps
from miharu.stores.base import By, ByTag, Dimension, Order, Query, RankedBy, Ranking, RankOrder, Whose
from miharu.stores.buckets import bucket_of, middle_of
from miharu.stores.cover import cover, suited
from miharu.stores.postgres import questions as postgres
from miharu.stores.rollups import DAY, HOUR, LONGEST_TAG, MINUTE, ROLLUPS, SUMS
from miharu.stores.sql import ranks
from miharu.stores.sqlite import SQLiteStore, references, rolling_up
from miharu.stores.sqlite.questions import marks
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call
from tests.dashboard.memory import MemoryStore, rounded

TAGS = ("team", 're"lease')
NOW = 1_790_000_040_000 + 3 * HOUR + 17_123


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "SEGMENT", 40)
    monkeypatch.setattr(rolling_up, "SEGMENT", 40)
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 23)
    monkeypatch.setattr(rolling_up, "REFERRED_AT_ONCE", 7)
    monkeypatch.setattr(steps, "ROWS_AT_ONCE", 6)
    monkeypatch.setattr(steps, "CALLS_AT_ONCE", 30)
    monkeypatch.setattr(steps, "OFTEN", 3)


@pytest.fixture
async def store() -> AsyncIterator[OpenStore]:
    store = both(SQLiteStore("sqlite+aiosqlite:///:memory:", clock=lambda: NOW, tag_sums=TAGS))
    await store.open()
    yield store
    await store.close()


def some_call(rng: random.Random) -> Call:
    status: Status = rng.choices(get_args(Status), [8, 2, 1])[0]
    tokens = rng.random() < 0.9
    return make_call(
        timestamp=NOW - int(rng.choice([HOUR, DAY, 6 * DAY, 60 * DAY]) * rng.random()),
        model=rng.choice(["m1", "m2", "m3", None]),
        provider=rng.choice(["openai", "anthropic", None]),
        route=rng.choice(["GET /a", "POST /b", None]),
        user_id=rng.choice(["ann", "bob", "cleo", None]),
        session_id=rng.choice([f"s{rng.randrange(12)}", None]),
        trace_id=rng.choice([f"{rng.randrange(30):032x}", None]),
        service=rng.choice(["shop", "shop", "jobs", None]),
        duration_ms=int(rng.lognormvariate(6, 1.5)),
        ttft_ms=rng.choice([None, rng.randrange(900)]),
        attempt=rng.choice([1, 1, 2, None]),
        prompt_name=rng.choice(["p1", "p2", None]),
        prompt_hash=rng.choice(["1", "2", None]),
        duplicate_of=rng.choice([None, None, "earlier"]),
        tags=rng.choice(
            [
                None,
                {"team": "a"},
                {"team": "b", TAGS[1]: "r1 ä"},
                {"team": "x" * (LONGEST_TAG + rng.randrange(2)), "place": "lab"},
            ]
        ),
        cache_missed_tokens=rng.choice([None, 7]),
        cache_missed_nanousd=rng.choice([None, 70]),
        response_id=f"resp_{rng.randrange(10**9)}",
        outcome=Outcome(
            status=status,
            http_status=rng.choice([429, 500, None]) if status == "error" else 200,
            error_type=rng.choice(["timeout", "rate_limit"]) if status == "error" else None,
        ),
        usage=Usage(
            prompt_tokens=rng.randrange(1000) if tokens else None,
            completion_tokens=rng.randrange(100) if tokens else None,
            cached_tokens=rng.choice([None, 3]),
            cache_write_tokens=rng.choice([None, 4]),
            reasoning_tokens=rng.choice([None, 5]),
            usage_source=rng.choice(["provider", "estimated"]) if tokens else "none",
        ),
        cost=Cost(cost_nanousd=rng.randrange(10**6), cost_source="x") if rng.random() < 0.8 else None,
    )


def some_query(rng: random.Random) -> Query:
    start = NOW - int(rng.choice([2 * HOUR, 2 * DAY, 8 * DAY, 70 * DAY]) * rng.random())
    if rng.random() < 0.4:
        start = start // MINUTE * MINUTE
    end = NOW + MINUTE if rng.random() < 0.6 else start + int((NOW - start) * rng.random())
    filters = {
        "model": ["m1", "nobody"],
        "provider": ["openai"],
        "route": ["POST /b"],
        "user_id": ["ann", "nobody"],
        "session_id": ["s3"],
        "trace_id": [f"{4:032x}"],
        "service": ["shop"],
        "status": ["success", "error", "cancelled"],
        "error_type": ["timeout"],
        "prompt_name": ["p1", "nobody"],
        "prompt_hash": ["2"],
    }
    chosen = {name: rng.choice(values) for name, values in filters.items() if rng.random() < 0.15}
    tags = [("team", "a"), ("team", "x" * LONGEST_TAG), (TAGS[1], "r1 ä"), ("place", "lab"), ("none", "")]
    tag = rng.choice(tags) if rng.random() < 0.2 else None
    conditions = tuple(some_condition(rng) for _ in range(rng.choice([0, 0, 1, 1, 2])))
    return Query(start=start, end=end, tag=tag, conditions=conditions, **chosen)  # type: ignore[arg-type]


def some_condition(rng: random.Random) -> Condition:
    texts: dict[str, list[str]] = {
        "model": ["m1", "m2", "nobody", ""],
        "provider": ["openai", "anthropic", ""],
        "route": ["GET /a", "POST /b", ""],
        "user_id": ["ann", "bob", "nobody", ""],
        "session_id": ["s1", "s3", "s4", ""],
        "trace_id": [f"{4:032x}", f"{5:032x}"],
        "service": ["shop", "jobs", ""],
        "status": ["success", "error", "cancelled"],
        "error_type": ["timeout", "rate_limit", ""],
        "tag": ["a", "b"],
    }
    field = rng.choice([*texts, *texts, "cost_nanousd", "tokens", "ttft_ms", "attempt"])
    name = "team" if field == "tag" else None
    kind = rng.choices(["in", "not in", "any", "none"], [4, 3, 1, 1])[0]
    if kind in {"any", "none"}:
        return Condition(field=field, operator=kind, name=name)  # type: ignore[arg-type] # one of four
    if field in texts:
        values = tuple(rng.sample(texts[field], rng.choice([1, 2])))
        star = field in {"model", "user_id", "route"} and rng.random() < 0.3
        patterns = ((rng.choice(["m", "a", "GET "]), ""),) if star else ()
        return Condition(field=field, operator=kind, values=values, patterns=patterns, name=name)  # type: ignore[arg-type] # one of four
    number = {"cost_nanousd": 5 * 10**5, "tokens": 300, "ttft_ms": 400, "attempt": 1}[field]
    return Condition(field=field, operator=rng.choice([">", ">=", "<", "<=", "in"]), values=(number,))


async def agree(store: OpenStore, truth: MemoryStore, rng: random.Random) -> None:
    query = some_query(rng)
    by: By = rng.choice([*get_args(Dimension), *map(ByTag, (*TAGS, "place"))])
    step = rng.choice([MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY, 7 * MINUTE])
    assert await store.totals(query) == await truth.totals(query), query
    assert await store.latency(query) == await truth.latency(query), query
    assert list(await store.series(query, step, by)) == list(await truth.series(query, step, by)), query
    assert list(await store.series(query, step)) == list(await truth.series(query, step)), query
    assert sorted(await store.durations(query, step)) == sorted(await truth.durations(query, step)), query
    assert list(await store.durations(query, step, "ttft_ms")) == list(
        await truth.durations(query, step, "ttft_ms")
    )
    assert list(await store.groups(query, by)) == list(await truth.groups(query, by)), query
    assert list(await store.keys(query, by)) == list(await truth.keys(query, by)), query
    names = ["p2", "nobody", "p1"]
    assert list(await store.versions(query, names, step)) == await truth.versions(query, names, step), query
    most, skipped = rng.choice([1, 2, 5]), rng.choice([0, 0, 1, 9])
    best = await truth.ranks(query, by, most, skipped)
    assert await store.ranks(query, by, most, skipped) == best, query
    order_of = some_order(rng, query)
    ranked = await truth.ranks(query, by, most, skipped, order=order_of)
    assert await store.ranks(query, by, most, skipped, order=order_of) == ranked, (query, by, order_of)
    some = [*best.keys, "nobody"]
    assert await store.latencies(query, by, some) == await truth.latencies(query, by, some), (query, by)
    for which in (some, some[:0]):
        assert list(await store.groups(query, by, among=which)) == list(
            await truth.groups(query, by, among=which)
        ), query
        bare = await store.groups(query, by, None, which, timed=False)
        assert bare == await truth.groups(query, by, None, which, timed=False)
        assert list(await store.series(query, step, by, which)) == list(
            await truth.series(query, step, by, which)
        ), query
    assert await store.calls(query, limit=30) == await truth.calls(query, limit=30), query
    order = Order(rng.choice(get_args(Ranking)), descending=rng.random() < 0.7)
    first = await store.calls(query, limit=5, order=order)
    assert first == await truth.calls(query, limit=5, order=order), (query, order)
    if first:
        following = await truth.calls(query, limit=5, before=first[-1].id, order=order)
        assert await store.calls(query, limit=5, before=first[-1].id, order=order) == following
    limit = rng.choice([1, 3, 50])
    sessions = await store.sessions(query, limit=limit)
    assert [replace(s, user_id=None) for s in sessions] == [
        replace(s, user_id=None) for s in await truth.sessions(query, limit=limit)
    ]


def some_order(rng: random.Random, query: Query) -> RankOrder:
    """Against the time before, or another that overlaps it."""
    length = query.end - query.start
    other = rng.choice([None, (query.start - length, query.start), (query.start - DAY, query.start + HOUR)])
    kinds = [kind for kind in get_args(RankedBy) if other or kind != "moved"]
    return RankOrder(
        by=rng.choice(kinds),
        descending=rng.random() < 0.5,
        against=other,
        only_new=other is not None and rng.random() < 0.3,
        matching=rng.choice([None, None, "B", "n"]),
        errors=(
            Condition(
                field="errors", operator=rng.choice([">", "<=", "in"]), values=(rng.choice([0, 1, 3]),)
            ),
        )
        if rng.random() < 0.3
        else (),
    )


async def change(store: OpenStore, truth: MemoryStore, rng: random.Random) -> None:
    what = rng.choices(["add", "tend", "reprice", "prune", "complete", "forget"], [5, 8, 2, 1, 2, 1])[0]
    known = list(truth.kept.values())
    if what == "add":
        batch = Batch(calls=[some_call(rng) for _ in range(rng.choice([1, 5, 60]))])
        assert await store.add(batch) == await truth.add(batch)
    elif what == "tend":
        await store.roll_up()
    elif what == "reprice" and known:
        costs = {
            call.id: rng.choice([None, Cost(cost_nanousd=rng.randrange(10**6), cost_source="new")])
            for call in rng.sample(known, min(7, len(known)))
        }
        assert await store.reprice(costs) == await truth.reprice(costs)
    elif what == "prune":
        before = NOW - int(60 * DAY * rng.random())
        assert await store.prune(before) == await truth.prune(before)
    elif what == "forget":
        users, sessions = rng.choice([(["ann"], ["s3"]), (["bob", "nobody"], []), ([], ["s1", "s2", "s4"])])
        whose, limit = Whose(users=users, sessions=sessions), rng.choice([None, 7])
        gone = expected = (await truth.forget(whose)).calls
        while some := await store.forget(whose, limit):
            gone -= some.calls
        assert not gone, expected
    elif what == "complete" and (opened := [call for call in known if call.usage.usage_source == "none"]):
        call = rng.choice(opened)
        end = replace(some_call(rng), response_id=call.response_id, timestamp=call.timestamp, completes=True)
        assert await store.add(Batch(calls=[end])) == 0
        stored = await store.call(call.id)
        assert stored is not None
        assert stored.usage == end.usage
        truth.kept[call.id] = stored


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(6, 60))]
)
async def test_sums_are_exact_whatever_happens(store: OpenStore, seed: int) -> None:
    rng, truth = random.Random(seed), MemoryStore(counted=rounded)
    for _ in range(30):
        await change(store, truth, rng)
        await agree(store, truth, rng)
    while await store.roll_up():
        pass
    assert set(await store.tag_names()) == {*TAGS}
    for _ in range(30):
        await agree(store, truth, rng)


async def test_the_row_that_is_freed_by_pruning_is_folded_again(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 3)
    await store.add(Batch(calls=[make_call(timestamp=NOW - 3 * DAY + i) for i in range(5)]))
    await store.roll_up()
    assert await store.prune(NOW) == 5
    await store.add(Batch(calls=[make_call(timestamp=NOW - 2 * DAY + i) for i in range(3)]))
    query = Query(start=NOW - 10 * DAY, end=NOW)
    assert (await store.totals(query)).calls == 3
    while await store.roll_up():
        pass
    assert (await store.totals(query)).calls == 3


def test_a_window_is_covered_once_and_wholly() -> None:
    rng = random.Random(1)
    for _ in range(500):
        start = rng.randrange(10 * DAY)
        end = start + rng.randrange(4 * DAY)
        made = {rollup.name: rng.randrange(15 * DAY) for rollup in ROLLUPS}
        tables = suited(SUMS, {"model"}, None)
        pieces = list(cover(start, end, tables, rng.randrange(12 * DAY), made))
        assert sum(piece.end - piece.start for piece in pieces) == end - start
        assert all(a.end == b.start for a, b in itertools.pairwise(pieces))
        for piece in pieces:
            if piece.rollup:
                assert piece.start % piece.rollup.grain == piece.end % piece.rollup.grain == 0
                assert piece.rollup.source is None or piece.end <= made[piece.rollup.name]


def test_a_bucket_is_right_to_within_two_percent() -> None:
    for ms in range(1, 100_000):
        bucket = bucket_of(ms)
        assert bucket is not None
        assert abs(middle_of(bucket) - ms) <= 0.02 * ms + 0.5
    assert (bucket_of(0), middle_of(0), bucket_of(None)) == (0, 0, None)


def is_due(store: OpenStore) -> bool:
    due: bool = store.sides.writer._writer.database.look(lambda it: rolling_up.is_due(it, NOW))
    return due


async def test_a_trickle_of_calls_is_not_worth_a_fold(store: OpenStore) -> None:
    await store.roll_up()  # which sets the horizon
    await store.add(Batch(calls=[make_call(timestamp=NOW - HOUR) for _ in range(22)]))
    assert not is_due(store)
    await store.add(Batch(calls=[make_call(timestamp=NOW - HOUR)]))
    assert is_due(store)
    while await store.roll_up():
        pass
    assert (await store.sides.questions.read(marks)).folded == 24


async def test_sums_are_kept_where_all_fields_are_their_keys(store: OpenStore) -> None:
    ann = Condition(field="user_id", operator="not in", values=("ann",))
    models = Condition(field="model", operator="in", values=("m1", "m2"))
    dear = Condition(field="cost_nanousd", operator=">", values=(5,))
    days = Query(start=NOW - 40 * DAY, end=NOW)
    for conditions, has in (
        ((), True),
        ((ann,), False),
        ((models,), True),
        ((ann, models), False),
        ((dear,), False),
        ((models, dear), False),
        ((Condition(field="tag", operator="any", name="team"),), False),
    ):
        assert await store.has_sums(replace(days, conditions=conditions)) is has, conditions
    assert await store.has_sums(replace(days, conditions=(ann,)), "user_id")
    assert not await store.has_sums(replace(days, model="m1", conditions=(ann,)))
    assert await store.has_sums(replace(days, session_id="s1", conditions=(dear,)))


def test_a_table_of_users_serves_no_other_question() -> None:
    assert suited(SUMS, {"user_id"}, None)[0].name == "sum_5days_user"
    assert suited(SUMS, {"service"}, None)[0].name == "sum_day_route"
    assert suited(SUMS, {"user_id"}, DAY)[0].name == "sum_day_user"
    assert suited(SUMS, {"user_id", "status"}, None, ["duration_ms"])[0].name == "sum_day_user"


async def test_the_largest_calls_are_sought_among_the_newest(
    monkeypatch: pytest.MonkeyPatch, store: OpenStore
) -> None:
    await only_the_newest(monkeypatch, store)


async def only_the_newest(monkeypatch: pytest.MonkeyPatch, store: OpenStore) -> None:
    for module in (ranks, postgres):
        monkeypatch.setattr(module, "RANKED", 10)
    calls = [
        make_call(
            timestamp=NOW - days * DAY - n,
            cost=Cost(cost_nanousd=1000 * days + n, cost_source="x"),
            user_id="ann",
            model=f"m{n % 2}",
        )
        for days in range(4)
        for n in range(6)
    ]
    await store.add(Batch(calls=calls))
    query, dearest = Query(start=NOW - 40 * DAY, end=NOW + 1), Order("cost_nanousd")

    async def costs(query: Query) -> list[int]:
        found = await store.calls(query, 3, order=dearest)
        return [call.cost.cost_nanousd for call in found if call.cost]

    assert await costs(query) == [1003, 1002, 1001]
    assert await costs(replace(query, model="m0")) == [1002, 1000, 4]
    assert await costs(replace(query, end=NOW - 2 * DAY)) == [3004, 3003, 3002]
    assert await costs(replace(query, user_id="ann")) == [3005, 3004, 3003]
    oldest = await store.calls(query, 2, order=Order("timestamp", descending=False))
    assert [call.timestamp for call in oldest] == [NOW - 3 * DAY - 5, NOW - 3 * DAY - 4]
