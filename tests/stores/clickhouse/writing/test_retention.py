"""The engine forgets by itself, and the sums with the calls."""

from time import time

import pytest

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, new_id
from miharu.stores.base import Query
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.rollups import DAY
from miharu.testing.open_store import OpenStore
from miharu.testing.store_contract import ALL, make_call
from tests.stores.clickhouse.server import Server

NOW = int(time() * 1000)


async def test_what_is_too_old_expires_with_its_sums(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    body = Body(request=b"a", response=b"b")
    calls = [make_call(timestamp=NOW - day * DAY, body=body, user_id="u") for day in range(60)]
    span = Span(
        id="1" * 16, trace_id="t" * 32, name="x", timestamp=NOW - 50 * DAY, duration_ms=1, status="error"
    )
    score = Score(id=new_id(NOW), timestamp=NOW - 50 * DAY, name="x", value=1.0, trace_id="t" * 32)
    marker = Marker(id="m1", timestamp=NOW - 50 * DAY, name="deploy")
    await store.add(Batch(calls=calls, spans=[span], scores=[score], markers=[marker]))
    writer = ClickHouseStore(clickhouse.url(database)).writer()
    writer.keep_for(40 * DAY + DAY // 2, 10 * DAY + DAY // 2)
    for table in ("llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers"):
        clickhouse.query(database, f"OPTIMIZE TABLE {table} FINAL")
    totals = await store.totals(ALL)
    assert (totals.calls, totals.cost_nanousd) == (41, 41_000)
    assert len(await store.calls(ALL, limit=100)) == 41
    assert [group.totals.calls for group in await store.groups(ALL, "model")] == [41]
    assert [group.totals.calls for group in await store.groups(ALL, "user_id")] == [41]
    assert sum(n for _, _, n in await store.durations(ALL, DAY)) == 41
    kept = [await store.call(call.id) for call in calls]
    assert [call is not None and call.body is not None for call in kept] == [True] * 11 + [False] * 49
    assert await store.spans("t" * 32) == []
    assert await store.scores(trace_id="t" * 32) == []
    assert await store.markers(0, NOW) == []


async def test_it_is_told_once_and_anew_when_it_changes(
    store: OpenStore, clickhouse: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = store.sides.writer._writer
    said: list[str] = []
    command = Database.command

    def listen(self: Database, statement: str) -> None:
        said.append(statement)
        command(self, statement)

    monkeypatch.setattr(Database, "command", listen)
    writer.keep_for(90 * DAY, 30 * DAY)
    writer.keep_for(90 * DAY, 30 * DAY)
    tables = ["llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers"]
    assert [text.split()[2] for text in said] == tables
    writer.keep_for(None, 7 * DAY)
    assert [text.split()[2] for text in said[5:]] == ["llm_bodies"]
    [[made]] = clickhouse.query(
        database,
        f"SELECT create_table_query FROM system.tables WHERE name = 'llm_calls' AND database = '{database}'",
    )
    assert f"+ {90 * DAY // 1000}," in str(made)


async def test_months_that_are_old_as_a_whole_are_dropped(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    calls = [
        make_call(timestamp=NOW - day * DAY, body=Body(request=b"a", response=None)) for day in range(200)
    ]
    await store.add(Batch(calls=calls))
    before = NOW - 100 * DAY
    revision = await store.revision()
    assert await store.prune(before, limit=10_000) == 99
    assert await store.revision() > revision
    assert await store.prune(before, limit=10_000) == 0
    assert (await store.totals(ALL)).calls == 101
    assert (await store.totals(Query(start=0, end=before))).calls == 0
    for table in ("llm_calls", "llm_bodies"):
        [[oldest]] = clickhouse.query(
            database,
            "SELECT toInt64(min(partition)) FROM system.parts WHERE active AND rows > 0 "
            f"AND database = '{database}' AND table = '{table}'",
        )
        [[month]] = clickhouse.query(
            database, f"SELECT toInt64(toYYYYMM(toDateTime({before // 1000}, 'UTC')))"
        )
        assert oldest == month
