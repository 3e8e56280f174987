import pytest

from miharu._bounds import MOST_MS
from miharu.batch import Batch
from miharu.errors import NoDatabase, StoreError
from miharu.stores.postgres import PostgresStore, partitions, schema
from miharu.stores.rollups import MEASURES
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.postgres.crew import calls_of
from tests.stores.postgres.server import Server
from tests.stores.postgres.world import fill, read_and_added_up, tables

DAY = partitions.DAY_MS
ABSURD = 2**53 - 1
LONG_AGO = 900_000_000_000
"""Before 2000, in the partition that there is from the start."""


async def test_a_newer_one_can_be_read_and_not_written(
    store: OpenStore, postgres: Server, database: str
) -> None:
    [call] = await fill(store, NOON)
    await postgres.query(database, "UPDATE miharu_schema SET version = 99")
    newer = both(PostgresStore(postgres.url(database)))
    with pytest.raises(StoreError, match=r"newer miharu \(schema 99.*can be read.*upgrade"):
        await newer.open()
    await newer.close()
    reader = both(PostgresStore(postgres.url(database), read_only=True))
    await reader.open()
    assert await reader.calls(ALL) == [call]
    await reader.close()


async def test_who_only_reads_changes_nothing(postgres: Server, database: str) -> None:
    reader = both(PostgresStore(postgres.url(database), read_only=True))
    with pytest.raises(NoDatabase, match="no calls"):
        await reader.open()
    assert await tables(postgres, database, "%miharu%") == []
    writer = both(PostgresStore(postgres.url(database)))
    await writer.open()
    await reader.open()
    with pytest.raises(StoreError, match="open for reading only"):
        await reader.add(Batch(calls=[make_call()]))
    with pytest.raises(StoreError, match="read-only"):
        await reader.sides.questions.read(
            lambda connection: connection.exec_driver_sql("DELETE FROM llm_calls")
        )
    await reader.close()
    await writer.close()


async def test_a_name_that_is_taken_is_left_alone(postgres: Server, database: str) -> None:
    await postgres.query(database, "CREATE TABLE llm_calls (mine int)")
    with pytest.raises(StoreError, match="not miharu's"):
        await both(PostgresStore(postgres.url(database))).open()


@pytest.mark.usefixtures("eager")
async def test_what_cannot_be_in_an_older_one_keeps_no_page_from_being_shown(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for statement in schema.STEPS[0]:
        await postgres.query(database, statement)
    await postgres.query(database, "UPDATE miharu_schema SET version = 1")
    await postgres.query(
        database,
        "INSERT INTO llm_calls (id, timestamp, duration_ms, prompt_tokens, cost_nanousd, stream, status, "
        f"usage_source, api) SELECT 'x' || number, {LONG_AGO} + number, {ABSURD}, {ABSURD}, {ABSURD}, 0,"
        " 'success', 'provider', 'a' FROM generate_series(1, 1100) AS number",
    )
    await postgres.query(
        database,
        "INSERT INTO miharu_changes (xid, calls, first, last) "
        f"SELECT xid, count(*), {LONG_AGO}, {LONG_AGO} + 1100 FROM llm_calls GROUP BY xid",
    )
    await postgres.query(
        database,
        "INSERT INTO sum_day_model VALUES (0, '', '', 'success', '', '', "
        + ", ".join([str(2**62)] * len(MEASURES))
        + ")",
    )
    store = both(PostgresStore(postgres.url(database)))
    await store.open()
    for _ in range(2):
        totals = await store.totals(ALL)
        assert (totals.calls, totals.prompt_tokens, totals.cost_nanousd) == (1100, 0, 0)
        assert totals.duration_ms == 1100 * MOST_MS
        assert [group.totals for group in await store.groups(ALL, "model")] == [totals]
        while await store.roll_up():
            pass
    await store.close()


async def test_a_schema_of_its_own(postgres: Server, database: str) -> None:
    await postgres.query(database, "CREATE SCHEMA watched")
    store = both(PostgresStore(f"{postgres.url(database)}?options=-csearch_path%3Dwatched"))
    await store.open()
    await fill(store, NOON)
    await store.close()
    [[calls]] = await postgres.query(database, "SELECT count(*) FROM watched.llm_calls")
    assert calls == 1


async def test_size_is_that_of_all_tables(store: OpenStore) -> None:
    before = await store.size()
    assert before
    await store.add(Batch(calls=calls_of(1, 2000)))
    assert await store.size() > before + 2000 * 100  # type: ignore[operator]


@pytest.mark.usefixtures("eager")
async def test_a_backup_may_come_back_on_a_server_that_is_behind(
    store: OpenStore, postgres: Server, database: str
) -> None:
    """Its transactions are counted from a smaller number, and still belong after those of the backup."""
    await fill(store, NOON)
    await store.roll_up()
    await fill(store, NOON + 1)
    for table in ("llm_calls", "miharu_changes"):
        await postgres.query(database, f"UPDATE {table} SET xid = xid + 1000000000")
    await postgres.query(database, "UPDATE miharu_state SET watermark = watermark + 1000000000")
    await store.close()
    await store.open()
    for n in range(3):
        await fill(store, NOON + 2 + n)
        read, raw = await store.sides.questions.read(read_and_added_up)
        assert read == raw
        assert raw.calls == 3 + n
        await store.roll_up()
    [[watermark]] = await postgres.query(database, "SELECT watermark FROM miharu_state")
    assert watermark > 1_000_000_000
    [[left]] = await postgres.query(database, "SELECT count(*) FROM miharu_changes")
    assert left == 0
    assert await store.revision() == 5


async def test_an_owner_without_other_rights_records_and_a_viewer_looks(
    postgres: Server, database: str
) -> None:
    """As docs/postgres.md has it: a schema of its own, a service that shares its owner, a viewer."""
    owner, service, viewer = (f"{database}_{role}" for role in ("owner", "service", "viewer"))
    await postgres.query(database, f"CREATE SCHEMA {owner}")
    for role in (owner, service, viewer):
        await postgres.query(database, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        await postgres.query(database, f"ALTER ROLE {role} SET search_path = {owner}")
    await postgres.query(database, f"ALTER SCHEMA {owner} OWNER TO {owner}")
    await postgres.query(database, f"GRANT {owner} TO {service}")
    await postgres.query(database, f"ALTER ROLE {service} SET role = {owner}")
    await postgres.query(database, f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    stores = [
        both(PostgresStore(postgres.url(database, user=role, password="x"))) for role in (owner, service)
    ]
    for number, store in enumerate(stores):
        await store.open()
        await fill(store, NOON + 3 * number * DAY)
        assert await store.add(Batch(calls=calls_of(number, 3))) == 3
    assert await stores[0].prune(NOON + DAY) == 7
    assert await stores[1].add(Batch(calls=calls_of(0, 3))) == 3
    await postgres.query(database, f"GRANT USAGE ON SCHEMA {owner} TO {viewer}")
    await postgres.query(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA {owner} TO {viewer}")
    await fill(stores[0], NOON + 9 * DAY)  # in a table that is newer than the grant
    reader = both(PostgresStore(postgres.url(database, user=viewer, password="x"), read_only=True))
    await reader.open()
    assert (await reader.totals(ALL)).calls == len(await reader.calls(ALL)) == 5
    assert await reader.size()
    assert await reader.revision() > 0
    for store in (*stores, reader):
        await store.close()
