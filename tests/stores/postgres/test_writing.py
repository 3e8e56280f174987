from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Cost, Usage, new_id
from miharu.stores.postgres import writing
from miharu.testing.open_store import OpenStore
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.postgres.crew import calls_of
from tests.stores.postgres.world import fill, read_and_added_up


async def test_everybody_writes_in_the_same_order(store: OpenStore) -> None:
    """So that two who write the same do not wait for each other for ever."""
    seen: list[tuple[str, list[Any]]] = []

    def insert(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Any]) -> int:
        seen.append((table, [row[0] for row in rows]))
        return writing.copy(connection, table, columns, rows)

    body = Body(request=b"a", response=None)
    calls = [make_call(timestamp=NOON + n % 7, body=body) for n in range(20)]
    spans = [
        Span(id=f"{n:016x}", trace_id="t", name="x", timestamp=NOON, duration_ms=1, status="success")
        for n in (3, 1, 2)
    ]
    scores = [Score(id=new_id(NOON - n), timestamp=NOON, name="x", value=1, trace_id="t") for n in range(3)]
    markers = [Marker(id=f"m{n}", timestamp=NOON, name="x") for n in (3, 1, 2)]
    await fill(store, NOON, body=body)  # the day's tables
    await store.sides.writer.database.run(
        partial(
            writing.add, batch=Batch(calls=calls, spans=spans, scores=scores, markers=markers), insert=insert
        )
    )
    tables = ["llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers"]
    assert [table for table, _ in seen] == tables
    for _, keys in seen:
        assert len(keys) > 1
        assert keys == sorted(keys)


async def test_a_batch_with_a_call_twice_is_kept_once(store: OpenStore) -> None:
    calls = calls_of(1, 5)
    assert await store.add(Batch(calls=[*calls, *calls])) == 5
    assert await store.calls(ALL) == calls[::-1]


async def test_a_background_call_may_end_in_the_batch_that_opened_it(store: OpenStore) -> None:
    opened = make_call(response_id="resp_1", usage=Usage(), cost=None)
    end = make_call(response_id="resp_1", completes=True, duration_ms=4000)
    assert await store.add(Batch(calls=[end, opened])) == 1
    call = await store.call(opened.id)
    assert call is not None
    assert (call.usage, call.cost, call.duration_ms) == (end.usage, end.cost, 4000)


@pytest.mark.usefixtures("eager")
async def test_prices_of_calls_far_apart_are_changed_in_the_sums_as_well(store: OpenStore) -> None:
    calls = await fill(store, NOON, NOON + 40 * 86_400_000, NOON + 80 * 86_400_000)
    await store.roll_up()
    later = await fill(store, NOON + 1)
    new = Cost(cost_nanousd=5, cost_source="test")
    assert await store.reprice({call.id: new for call in (*calls, *later)} | {"nobody": new}) == 4
    assert await store.reprice({"nobody": None}) == 0
    read, raw = await store.sides.questions.read(read_and_added_up)
    assert (read, raw.cost_nanousd) == (raw, 20)
    assert await store.call(calls[2].id) == replace(calls[2], cost=new)
