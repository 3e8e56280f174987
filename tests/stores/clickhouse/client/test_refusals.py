import sys

import pytest

from miharu.batch import Batch
from miharu.call import Outcome
from miharu.errors import NewerDatabase, NoDatabase, StoreError
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.clickhouse.tables.schema import VERSION
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, make_call
from tests.stores.clickhouse.server import Server
from tests.stores.postgres.server import free_port


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "wr0ng"}, "does not let this user in: look at the user and the password"),
        ({"user": "nobody-here"}, "does not let this user in"),
        ({"host": "nowhere.invalid"}, "cannot be reached"),
    ],
)
async def test_it_is_named_without_user_and_password(
    clickhouse: Server, database: str, change: dict[str, str], message: str
) -> None:
    store = both(ClickHouseStore(clickhouse.url(database, **change)))
    with pytest.raises(StoreError, match=message) as caught:
        await store.open()
    await store.close()
    said = str(caught.value)
    assert f"/{database}" in said
    for secret in ("s@cret", "wr0ng", "nobody-here", "tester"):
        assert secret not in said


async def test_a_database_that_is_not_there_is_named(clickhouse: Server) -> None:
    with pytest.raises(StoreError, match="does not exist: make it with CREATE DATABASE") as caught:
        await both(ClickHouseStore(clickhouse.url("missing"), read_only=True)).open()
    assert not isinstance(caught.value, NoDatabase)  # recording does not make it either


async def test_a_server_that_is_away_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError, match=r"cannot be reached \(connection refused\)"):
        await both(ClickHouseStore(f"clickhouse://127.0.0.1:{free_port()}/x")).open()
    assert "Driver" not in capfd.readouterr().err  # what the driver would log beside it


async def test_a_server_without_tls_is_refused_where_it_is_asked_for(clickhouse: Server) -> None:
    url = clickhouse.url("default").replace("clickhouse://", "clickhouses://")
    with pytest.raises(StoreError, match=r"do not agree on TLS|cannot be reached|lost the connection"):
        await both(ClickHouseStore(url)).open()


async def test_a_url_that_makes_no_sense_is_refused_without_its_password() -> None:
    with pytest.raises(StoreError, match="not a valid port") as caught:
        both(ClickHouseStore("clickhouse://me:sec/ret@db/x"))
    assert "sec" not in str(caught.value)


async def test_the_driver_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
    with pytest.raises(StoreError, match=r'pip install "miharu\[clickhouse\]"'):
        both(ClickHouseStore("clickhouse://db/x"))


async def test_what_may_pass_is_told_from_a_batch_that_can_never_be_kept(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    await store.add(Batch(calls=[make_call()]))
    for wrong in ({"api": None}, {"outcome": Outcome(status="odd")}, {"attempt": "first"}):  # type: ignore[arg-type]
        with pytest.raises(Exception) as caught:
            await store.add(Batch(calls=[make_call(**wrong)]))
        assert not isinstance(caught.value, StoreError)
    assert (await store.totals(ALL)).calls == 1
    clickhouse.query(database, "RENAME TABLE llm_spans TO hidden")
    with pytest.raises(StoreError, match="lacks a table"):
        await store.spans("t" * 32)


async def test_reading_finds_nothing_before_the_first_call(clickhouse: Server, database: str) -> None:
    with pytest.raises(NoDatabase):
        await both(ClickHouseStore(clickhouse.url(database), read_only=True)).open()
    assert clickhouse.query(database, "SHOW TABLES") == []


async def test_tables_of_others_are_left_alone(clickhouse: Server, database: str) -> None:
    clickhouse.query(database, "CREATE TABLE llm_calls (a Int64) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(StoreError, match="not miharu's: give miharu a database of its own"):
        await both(ClickHouseStore(clickhouse.url(database))).open()
    assert clickhouse.query(database, "SHOW TABLES") == [("llm_calls",)]


async def test_what_a_newer_miharu_made_is_read_and_not_written_to(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    call = make_call()
    await store.add(Batch(calls=[call]))
    clickhouse.query(database, f"INSERT INTO miharu_schema SELECT {VERSION + 1}")
    writer = ClickHouseStore(clickhouse.url(database)).writer()
    with pytest.raises(NewerDatabase, match="newer miharu"):
        writer.open()
    reading = both(ClickHouseStore(clickhouse.url(database), read_only=True))
    await reading.open()
    assert await reading.call(call.id) == call
    with pytest.raises(StoreError, match="for reading only"):
        await reading.add(Batch(calls=[call]))
    await reading.close()
