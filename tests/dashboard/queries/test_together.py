from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from miharu.dashboard.queries.together import Once, together
from miharu.errors import StoreError
from miharu.stores.base import Point, Query, Totals
from miharu.testing.store_contract import make_call
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
QUERY = Query(start=0, end=1)


class Slow(MemoryStore):
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.at_once = 0
        self.may_answer = anyio.Event()

    async def totals(self, query: Query) -> Totals:
        self.asked += 1
        self.at_once += 1
        await self.may_answer.wait()
        if query.model == "broken":
            raise StoreError("calls.db is locked")
        return Totals(calls=self.asked)


async def test_asks_several_at_once() -> None:
    store = Slow()
    async with together() as ask:
        answers = [ask(store.totals, Query(start=0, end=n)) for n in (1, 2, 3)]
        while store.at_once < 3:
            await anyio.lowlevel.checkpoint()
        store.may_answer.set()
    assert [answer.value.calls for answer in answers] == [3, 3, 3]


async def test_asks_the_same_only_once_however_many_wait_for_it() -> None:
    store = Slow()
    once = Once(store)
    async with together() as ask:
        answers = [ask(once.totals, QUERY) for _ in range(5)]
        store.may_answer.set()
    assert store.asked == 1
    assert {answer.value.calls for answer in answers} == {1}
    await once.totals(QUERY)
    await once.totals(Query(start=0, end=2))
    assert store.asked == 2


async def test_the_series_of_some_keys_is_a_part_of_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    series = MemoryStore.series

    async def counted(self: MemoryStore, *args: Any, **kwargs: Any) -> Sequence[Point]:
        asked.append(args)
        return await series(self, *args, **kwargs)

    monkeypatch.setattr(MemoryStore, "series", counted)
    calls = [make_call(timestamp=t, model=f"m{t % 3}") for t in range(9)]
    store, query = MemoryStore(calls), Query(start=0, end=9)
    once = Once(store)
    everything = await once.series(query, 3, "model", measures=("calls",))
    some = await once.series(query, 3, "model", ["m2", "m0"], measures=("calls",))
    assert len(asked) == 1
    assert some == [point for point in everything if point.key != "m1"]
    assert some == await store.series(query, 3, "model", ["m2", "m0"], measures=("calls",))
    await once.series(query, 3, "route", [None], measures=("calls",))
    await once.series(query, 3, "model", ["m2"])
    assert len(asked) == 4


async def test_lets_a_failure_out_as_it_is() -> None:
    store = Slow()
    store.may_answer.set()
    once = Once(store)

    async def one_of_two() -> None:
        async with together() as ask:
            ask(once.totals, Query(start=0, end=1, model="broken"))
            ask(once.totals, QUERY)

    async def nested() -> None:
        async with together() as ask:
            ask(one_of_two)

    for failing in (one_of_two, nested):
        with pytest.raises(StoreError, match="locked"):
            await failing()


async def test_asks_again_where_whoever_asked_was_cancelled() -> None:
    store = Slow()
    once = Once(store)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await once.totals(QUERY)
    store.may_answer.set()
    assert (await once.totals(QUERY)).calls == 2


async def test_passes_every_question_on() -> None:
    once = Once(MemoryStore())
    assert await once.revision() == 0
    assert await once.series(QUERY, 1000) == []
    assert await once.durations(QUERY, 1000) == []
    assert list(await once.groups(QUERY, "model")) == []
    assert await once.keys(QUERY, "model") == []
    assert list(await once.sessions(QUERY)) == []
    assert await once.calls(QUERY) == []
    assert await once.call("x") is None
    assert list(await once.spans("t")) == []
    assert (await once.failed_spans(QUERY)).number == 0
    assert await once.extent(QUERY) is None
    assert list(await once.scores(call_id="c")) == []
    assert await once.size() is None
    assert (await once.latency(QUERY)).p50_ms is None
