from dataclasses import replace

import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Body, Call, new_id
from miharu.stores.postgres import PostgresStore, partitions
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.postgres.server import Server
from tests.stores.postgres.world import fill, read_and_added_up, tables

DAY = partitions.DAY_MS


async def test_a_day_and_the_next_have_a_table(store: OpenStore, postgres: Server, database: str) -> None:
    await fill(store, NOON)
    assert await tables(postgres, database) == ["llm_calls_20260921", "llm_calls_20260922"]
    assert await tables(postgres, database, "llm\\_bodies\\_2%") == []
    await fill(store, NOON + DAY, body=Body(request=b"a", response=None))
    assert await tables(postgres, database, "llm\\_bodies\\_2%") == [
        "llm_bodies_20260922",
        "llm_bodies_20260923",
    ]


async def test_clocks_may_be_years_apart(store: OpenStore, postgres: Server, database: str) -> None:
    moments = [0, 1, 946_684_799_999, 946_684_800_000, NOON, NOON + 3 * 365 * DAY]
    moments += [4_102_444_799_999, 4_102_444_800_000, 2**47]
    calls = await fill(store, *moments)
    assert await store.calls(ALL) == calls[::-1]
    assert [await store.call(call.id) for call in calls] == calls
    assert len(await tables(postgres, database)) == 7  # a day after the last one would be wrong
    query = replace(ALL, start=1, end=NOON + 1)
    assert await store.calls(query) == calls[4:0:-1]


async def test_pages_go_back_over_many_days(store: OpenStore) -> None:
    calls = await fill(store, *(NOON + n * 3 * DAY + n for n in range(60)))
    seen: list[Call] = []
    while page := await store.calls(ALL, limit=7, before=seen[-1].id if seen else None):
        seen += page
    assert seen == calls[::-1]


async def test_whole_days_are_dropped_and_the_rest_is_deleted(
    store: OpenStore, postgres: Server, database: str
) -> None:
    body = Body(request=b"a", response=b"b")
    calls = await fill(store, *(NOON + n * DAY // 4 for n in range(20)), body=body)
    revision = await store.revision()
    assert await store.prune(calls[11].timestamp) == 11
    assert await store.revision() > revision
    days = await tables(postgres, database)
    assert days[0] == "llm_calls_20260924"
    assert (await tables(postgres, database, "llm\\_bodies\\_2%"))[0] == "llm_bodies_20260924"
    assert await store.calls(ALL) == [replace(call, body=None) for call in calls[:10:-1]]
    assert await store.call(calls[10].id) is None
    assert await store.call(calls[11].id) == calls[11]


async def test_a_day_of_content_is_dropped_alone(store: OpenStore, postgres: Server, database: str) -> None:
    body = Body(request=b"a", response=b"b")
    calls = await fill(store, *(NOON + n * DAY for n in range(4)), body=body)
    assert await store.prune(calls[2].timestamp + 1, content_only=True) == 3
    assert (await tables(postgres, database, "llm\\_bodies\\_2%"))[0] == "llm_bodies_20260923"
    assert len(await tables(postgres, database)) == 5
    assert [call.body for call in [await store.call(call.id) for call in calls] if call] == [
        *[None] * 3,
        body,
    ]


@pytest.mark.usefixtures("eager")
async def test_sums_forget_a_day_with_its_calls(store: OpenStore, postgres: Server, database: str) -> None:
    await fill(store, *(NOON + n * DAY for n in range(3)))
    await store.roll_up()
    await fill(store, NOON + 5)  # not folded yet
    assert await store.prune(NOON + DAY) == 2
    read, raw = await store.sides.questions.read(read_and_added_up)
    assert read == raw
    assert raw.calls == 2
    [[left]] = await postgres.query(database, "SELECT count(*) FROM sum_day_both WHERE calls <> 1")
    assert left == 0


async def test_a_day_that_was_dropped_elsewhere_is_made_again(
    store: OpenStore, postgres: Server, database: str
) -> None:
    await fill(store, NOON)
    other = both(PostgresStore(postgres.url(database)))
    await other.open()
    assert await other.prune(NOON + 2 * DAY) == 1
    assert await tables(postgres, database) == []
    await fill(store, NOON + 1)
    assert (await other.totals(ALL)).calls == 1
    await other.close()


async def test_a_day_that_somebody_reads_is_emptied_instead(
    store: OpenStore, postgres: Server, database: str
) -> None:
    await fill(store, NOON, NOON + 1)
    connection = await postgres.connect(database)
    async with connection.transaction():
        await connection.fetch("SELECT id FROM llm_calls")
        assert await store.prune(NOON + 2 * DAY) == 2
        assert len(await tables(postgres, database)) == 2
        assert (await store.totals(ALL)).calls == 0
    await connection.close()
    assert await store.prune(NOON + 2 * DAY) == 0
    assert await tables(postgres, database) == []


async def test_spans_and_scores_go_as_well_and_a_limit_is_kept(store: OpenStore) -> None:
    trace = "t" * 32
    spans = [
        Span(id=f"{n:016x}", trace_id=trace, name="x", timestamp=NOON + n, duration_ms=1, status="success")
        for n in range(5)
    ]
    scores = [
        Score(id=new_id(NOON + n), timestamp=NOON + n, name="x", value=1, trace_id=trace) for n in range(5)
    ]
    calls = [make_call(timestamp=NOON + n) for n in range(5)]
    await store.add(Batch(calls=calls, spans=spans, scores=scores))
    assert await store.prune(NOON + 4, limit=3) == 3
    assert await store.prune(NOON + 4) == 1
    assert await store.spans(trace) == spans[4:]
    assert await store.scores(trace_id=trace) == scores[4:]
