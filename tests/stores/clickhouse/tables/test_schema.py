"""On a cluster the tables are made as text, which the engine parses: there are not several nodes here."""

import re

import pytest

from miharu.batch import Batch
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.tables.counting import COUNTERS
from miharu.stores.clickhouse.tables.schema import TYPES, changes, statements
from miharu.stores.clickhouse.writing.forgetting import prune
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, make_call
from tests.stores.clickhouse.server import Server


def test_one_server_has_plain_tables() -> None:
    made = list(statements())
    assert len(made) == 2 + len(TYPES) + len(COUNTERS) + 3
    for statement in made:
        assert "ON CLUSTER" not in statement
        assert "Replicated" not in statement


def test_a_cluster_has_replicated_tables_and_those_that_lead_to_them() -> None:
    made = list(statements("main"))
    assert all(" ON CLUSTER `main` " in statement for statement in made)
    for table in (*TYPES, *COUNTERS):
        [rows] = [one for one in made if one.startswith(f"CREATE TABLE IF NOT EXISTS {table}_local ON")]
        assert re.search(
            r"ENGINE = Replicated(Replacing|Summing)?MergeTree\('/clickhouse/tables/\{shard\}/", rows
        )
        assert "{database}" in rows
        assert "'{replica}'" in rows
        assert "non_replicated" not in rows
        [leading] = [one for one in made if one.startswith(f"CREATE TABLE IF NOT EXISTS {table} ON")]
        assert f"AS {table}_local ENGINE = Distributed('main', currentDatabase(), '{table}_local'" in leading
    for table, key in (("llm_calls", "id"), ("llm_bodies", "call_id"), ("llm_spans", "trace_id")):
        assert any(f"'{table}_local', cityHash64({key}))" in statement for statement in made)
    for view in (one for one in made if "MATERIALIZED VIEW" in one):
        assert "FROM llm_calls_local" in view
        assert re.search(r" TO miharu_ever_(sums|times)_local AS ", view)
    for table in ("miharu_schema", "miharu_changes"):  # each node has all rows
        assert any(f"('/clickhouse/tables/{{database}}/{table}'" in statement for statement in made)


def test_the_engine_can_read_what_a_cluster_is_told(clickhouse: Server) -> None:
    for statement in statements("main"):
        assert clickhouse.query("default", f"EXPLAIN AST {statement}")


def test_the_engine_can_read_what_changes_a_cluster(clickhouse: Server) -> None:
    made = list(changes("main"))
    assert all(" ON CLUSTER `main` " in statement for statement in made)
    for statement in made:
        assert clickhouse.query("default", f"EXPLAIN AST {statement}")


async def test_tables_of_schema_1_are_brought_up_to_date(clickhouse: Server, database: str) -> None:
    old = make_call()
    before = both(ClickHouseStore(clickhouse.url(database)))
    await before.open()
    await before.add(Batch(calls=[old]))
    await before.close()
    for what in (
        *("PROJECTION sums_by_prompt", "PROJECTION times_by_prompt"),
        *("COLUMN prompt_name", "COLUMN prompt_hash"),
    ):
        clickhouse.query(database, f"ALTER TABLE llm_calls DROP {what}")
    clickhouse.query(database, "TRUNCATE TABLE miharu_schema")
    clickhouse.query(database, "INSERT INTO miharu_schema SELECT 1")
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    new = make_call(prompt_name="p", prompt_hash="1")
    await store.add(Batch(calls=[new]))
    assert await store.call(old.id) == old
    assert await store.call(new.id) == new
    groups = await store.groups(ALL, "prompt_name")
    assert {(group.key, group.totals.calls) for group in groups} == {("p", 1), (None, 1)}
    (found,) = await store.versions(ALL, ["p"], 3_600_000)
    assert found.number == 1
    await store.close()


def test_a_cluster_that_is_not_there_is_named(clickhouse: Server, database: str) -> None:
    from miharu.errors import StoreError
    from miharu.stores.clickhouse import ClickHouseStore

    writer = ClickHouseStore(f"{clickhouse.url(database)}?cluster=nowhere").writer()
    with pytest.raises(StoreError, match="has no cluster of that name"):
        writer.open()


def test_on_a_cluster_rows_are_deleted_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def query(_: Database, statement: str) -> list[tuple[object, ...]]:
        return [("202601", 5)] if "_partition_id" in statement else [(3,)]

    monkeypatch.setattr(Database, "query", query)
    monkeypatch.setattr(Database, "command", lambda _, statement: said.append(statement))
    monkeypatch.setattr(Database, "insert", lambda *_, **__: None)
    assert prune(Database("clickhouse://db/x?cluster=main"), 10, content_only=True, limit=None) == 3
    assert said == [
        "ALTER TABLE llm_bodies_local ON CLUSTER `main` DROP PARTITION ID '202601'",
        "DELETE FROM llm_bodies_local ON CLUSTER `main` WHERE timestamp < 10",
    ]


def test_a_cluster_of_version_1_gets_its_columns_where_rows_lie_and_where_they_are_led_to() -> None:
    made = list(changes("main"))
    assert all(" ON CLUSTER `main` ADD " in statement for statement in made)
    for table in ("llm_calls", "llm_calls_local", "llm_spans", "llm_spans_local"):
        assert any(statement.startswith(f"ALTER TABLE {table} ") for statement in made)


async def test_tables_of_version_1_get_the_columns_that_have_come_since(
    clickhouse: Server, database: str
) -> None:
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    before = make_call()
    await store.add(Batch(calls=[before]))
    await store.close()
    for table, names in (
        ("llm_calls", ("tools",)),
        ("llm_spans", ("kind", "input", "output", "error_stack")),
    ):
        for name in names:
            clickhouse.query(database, f"ALTER TABLE {table} DROP COLUMN {name}")
    clickhouse.query(database, "TRUNCATE TABLE miharu_schema")
    clickhouse.query(database, "INSERT INTO miharu_schema VALUES (1)")
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    after = make_call(tools='["find"]')
    await store.add(Batch(calls=[after]))
    assert await store.call(before.id) == before
    assert await store.call(after.id) == after
    assert [one.name for one in (await store.tools(ALL)).asked] == ["find"]
    await store.close()
