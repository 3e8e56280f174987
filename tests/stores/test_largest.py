"""The largest calls of a user with many are found in few hours, and are those that a look at all gives."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miharu.batch import Batch
from miharu.call import Call, Cost, Outcome, Usage
from miharu.stores import steps
from miharu.stores.base import Order, Query, Ranking
from miharu.stores.rollups import DAY, HOUR
from miharu.stores.sql import largest
from miharu.stores.sqlite import SQLiteStore, references, rolling_up
from miharu.stores.sqlite.questions import ENGINE
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call
from tests.dashboard.memory import ranked

NOW = 1_790_000_040_000 + 3 * HOUR + 17_123
ORDERS = [name for name in get_args(Ranking) if name != "timestamp"]
FEW = st.none() | st.integers(0, 6)
"""So few values that many calls have the same."""
AGO = st.one_of(
    st.integers(0, 2 * HOUR),
    st.integers(0, 3).map(lambda hours: NOW % HOUR + hours * HOUR),  # the first moment of an hour
    st.integers(0, 40).map(lambda hours: hours * HOUR + 1234),
    st.integers(0, 50 * DAY),
)


@contextmanager
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "SEGMENT", 12)
        patch.setattr(rolling_up, "SEGMENT", 12)
        patch.setattr(rolling_up, "FOLDED_AT_ONCE", 7)
        patch.setattr(rolling_up, "REFERRED_AT_ONCE", 4)
        patch.setattr(steps, "OFTEN", 3)
        patch.setattr(steps, "CALLS_AT_ONCE", 9)
        patch.setattr(largest, "_FEWEST", 1)
        yield


@st.composite
def some_calls(draw: st.DrawFn) -> list[Call]:
    made = []
    for _ in range(draw(st.integers(1, 12))):
        tokens, cost = draw(FEW), draw(FEW)
        number = draw(st.integers(0, 2**32))
        made.append(
            make_call(
                id=f"{number:08x}",  # not in the order of time
                timestamp=NOW - draw(AGO),
                user_id=draw(st.sampled_from(["ann", "ann", "bob", None])),
                model=draw(st.sampled_from(["m1", "m2"])),
                duration_ms=draw(st.integers(0, 6)),
                ttft_ms=draw(FEW),
                response_id=f"resp_{number}",
                outcome=Outcome(status="success", http_status=200),
                usage=Usage(
                    prompt_tokens=tokens,
                    completion_tokens=tokens,
                    usage_source="none" if tokens is None else "provider",
                ),
                cost=None if cost is None else Cost(cost_nanousd=cost, cost_source="x"),
            )
        )
    return made


@st.composite
def some_query(draw: st.DrawFn) -> Query:
    start = NOW - draw(AGO)
    return Query(
        start=draw(st.sampled_from([start, start // HOUR * HOUR, NOW - 60 * DAY])),
        end=draw(st.sampled_from([NOW + 1, NOW // HOUR * HOUR, NOW - HOUR])),
        user_id=draw(st.sampled_from(["ann", "ann", "", "nobody"])),
        model=draw(st.sampled_from([None, None, "m1"])),
    )


CHANGES = st.one_of(
    st.tuples(st.just("add"), some_calls()),
    st.tuples(st.just("add"), some_calls()),
    st.tuples(st.just("tend"), st.integers(1, 60)),
    st.tuples(st.just("tend"), st.just(1000)),
    st.tuples(st.just("reprice"), st.tuples(st.integers(0, 99), FEW)),
    st.tuples(st.just("complete"), st.tuples(st.integers(0, 99), st.integers(0, 9))),
    st.tuples(st.just("prune"), st.integers(0, 50 * DAY)),
)
ASKED = st.tuples(some_query(), st.sampled_from(ORDERS), st.integers(1, 5))
STORY = st.lists(st.tuples(CHANGES, st.integers(0, 1), ASKED), min_size=3, max_size=12)


def in_order(calls: Sequence[Call], query: Query, order: Order) -> list[Call]:
    found = [
        call
        for call in calls
        if query.start <= call.timestamp < query.end
        and (call.user_id or "") == query.user_id
        and query.model in {None, call.model}
    ]
    found.sort(key=lambda call: call.id, reverse=True)
    found.sort(key=lambda call: -1 if (value := ranked(call, order)) is None else value, reverse=True)
    return found


async def change(store: OpenStore, kept: dict[str, Call], what: str, how: Any) -> None:
    if what == "add":
        await store.add(Batch(calls=how))
        kept |= {call.id: call for call in reversed(how) if call.id not in kept}
    elif what == "tend":
        for _ in range(how):
            if not await store.roll_up():
                break
    elif what == "prune":
        await store.prune(NOW - how)
        for id_ in [id_ for id_, call in kept.items() if call.timestamp < NOW - how]:
            del kept[id_]
    elif what == "reprice" and kept:
        call = list(kept.values())[how[0] % len(kept)]
        cost = None if how[1] is None else Cost(cost_nanousd=how[1], cost_source="new")
        await store.reprice({call.id: cost})
        kept[call.id] = replace(call, cost=cost)
    elif what == "complete" and (
        opened := [one for one in kept.values() if one.usage.usage_source == "none"]
    ):
        call = opened[how[0] % len(opened)]
        usage = Usage(prompt_tokens=how[1], completion_tokens=how[1], usage_source="provider")
        end = replace(call, id="end", duration_ms=how[1], usage=usage, completes=True)
        await store.add(Batch(calls=[end]))
        stored = await store.call(call.id)
        assert stored is not None
        assert stored.usage == usage
        kept[call.id] = stored


async def agrees(store: OpenStore, kept: dict[str, Call], query: Query, by: Any, limit: int) -> None:
    """Page by page."""
    order, before = Order(by), None
    expected = [call.id for call in in_order(list(kept.values()), query, order)]
    while True:
        page = [call.id for call in await store.calls(query, limit, before, order)]
        assert page == expected[:limit], (query, order, before)
        if not page:
            return
        expected, before = expected[limit:], page[-1]


async def tell(stores: Sequence[OpenStore], story: Sequence[Any]) -> None:
    """What is told happens, each time at one of the stores, and after each change a list is read."""
    kept: dict[str, Call] = {}
    for (what, how), writer, asked in story:
        await change(stores[writer], kept, what, how)
        await agrees(stores[0], kept, *asked)
    while await stores[0].roll_up():
        pass
    for _, _, asked in story:
        await agrees(stores[0], kept, *asked)


@settings(max_examples=60, deadline=None)
@given(STORY)
def test_lists_of_a_user_are_right_whatever_happens(story: Sequence[Any]) -> None:
    async def go(folder: str) -> None:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'calls.db'}"
        stores = [both(SQLiteStore(url, clock=lambda: NOW)) for _ in range(2)]
        for store in stores:
            await store.open()
        try:
            await tell(stores, story)
        finally:
            for store in stores:
                await store.close()

    with small(), tempfile.TemporaryDirectory() as folder:
        asyncio.run(go(folder))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Those that are looked into."""
    looked: list[tuple[int, int]] = []
    within = type(ENGINE).within

    def remember(self: Any, query: Query, windows: Sequence[tuple[int, int]]) -> str:
        looked.extend(windows)
        return within(self, query, windows)

    monkeypatch.setattr(type(ENGINE), "within", remember)
    return looked


async def filled(
    store: OpenStore,
    cost: Callable[[int], int] = lambda n: (n * 7919) % 960,
    id_of: Callable[[int], str] = lambda n: f"{n:08x}",
) -> dict[str, Call]:
    """Ten days of a user's calls, four in an hour; by default each has a cost of its own."""
    await store.roll_up()
    calls = [
        make_call(
            id=id_of(n),
            timestamp=NOW - 10 * DAY + n * HOUR // 4,
            user_id="ann",
            cost=Cost(cost_nanousd=cost(n), cost_source="x"),
        )
        for n in range(960)
    ]
    for some in range(0, 960, 96):
        await store.add(Batch(calls=calls[some : some + 96]))
        while await store.roll_up():
            pass
    return {call.id: call for call in calls}


@pytest.fixture
async def store() -> Any:
    with small():
        store = both(SQLiteStore("sqlite+aiosqlite:///:memory:", clock=lambda: NOW))
        await store.open()
        yield store
        await store.close()


async def test_few_hours_are_looked_into(store: OpenStore, windows: list[tuple[int, int]]) -> None:
    await few_hours(store, windows)


async def few_hours(store: OpenStore, windows: list[tuple[int, int]]) -> None:
    kept = await filled(store)
    query, order = Query(start=NOW - 9 * DAY, end=NOW + 1, user_id="ann"), Order("cost_nanousd")
    expected = in_order(list(kept.values()), query, order)
    assert [call.id for call in await store.calls(query, 8, order=order)] == [
        call.id for call in expected[:8]
    ]
    assert 0 < sum(end - start for start, end in windows) <= (8 + 3) * HOUR
    windows.clear()
    page = await store.calls(query, 8, expected[7].id, order)
    assert [call.id for call in page] == [call.id for call in expected[8:16]]
    assert 0 < sum(end - start for start, end in windows) <= (3 * 8 + 3) * HOUR
    for other in (
        replace(query, session_id="s"),
        replace(query, user_id="bob"),
        replace(query, user_id=None),
    ):
        windows.clear()
        await store.calls(other, 8, order=order)
        assert not windows
    cheapest = await store.calls(query, 8, order=replace(order, descending=False))
    assert [call.id for call in cheapest] == [call.id for call in expected[:-9:-1]]


async def test_a_bound_stays_above_what_has_become_cheaper(
    store: OpenStore, windows: list[tuple[int, int]]
) -> None:
    kept = await filled(store)
    query, order = Query(start=NOW - 9 * DAY, end=NOW + 1, user_id="ann"), Order("cost_nanousd")
    dearest, *others = in_order(list(kept.values()), query, order)
    last = others[-1]
    costs = {dearest.id: None, last.id: Cost(cost_nanousd=10**6, cost_source="new")}
    await store.reprice(costs)
    found = await store.calls(query, 8, order=order)
    assert [call.id for call in found] == [last.id, *(call.id for call in others[:7])]
    assert 0 < sum(end - start for start, end in windows) <= (3 * 8 + 3) * HOUR


async def test_of_equal_calls_the_id_decides(store: OpenStore) -> None:
    kept = await filled(store, cost=lambda n: n % 3, id_of=lambda n: f"{(n * 7919) % 960:08x}")
    query, order = Query(start=NOW - 9 * DAY, end=NOW + 1, user_id="ann"), Order("cost_nanousd")
    expected = [call.id for call in in_order(list(kept.values()), query, order)]
    assert [call.id for call in await store.calls(query, 8, order=order)] == expected[:8]


async def test_calls_from_before_a_user_had_many_are_found(store: OpenStore) -> None:
    await store.roll_up()
    early = make_call(timestamp=NOW - 11 * DAY, user_id="ann", cost=Cost(cost_nanousd=10**9, cost_source="x"))
    await store.add(Batch(calls=[early, *(make_call(timestamp=NOW - 10 * DAY - n) for n in range(20))]))
    while await store.roll_up():
        pass
    await filled(store)
    query = Query(start=NOW - 12 * DAY, end=NOW + 1, user_id="ann")
    (found,) = await store.calls(query, 1, order=Order("cost_nanousd"))
    assert found.id == early.id
