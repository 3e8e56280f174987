"""Databases of other versions: older ones are brought up to date, newer ones are read."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from miharu._bounds import MOST_MS
from miharu.batch import Batch
from miharu.call import Usage
from miharu.errors import NewerDatabase, StoreError
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.schema import STEPS
from miharu.stores.steps import MADE
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, make_call

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
TOGETHER = 8


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def restore(schema: Path, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(schema.read_text())
    connection.close()


def version(database: Path) -> int:
    connection = sqlite3.connect(database)
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return found


def columns(database: Path) -> dict[str, set[str]]:
    connection = sqlite3.connect(database)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} for table in tables}
    connection.close()
    return found


def test_each_released_schema_is_kept_to_be_tested() -> None:
    assert [schema.stem for schema in SCHEMAS] == [str(number) for number in range(1, len(STEPS))]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.stem)
@pytest.mark.parametrize("read_only", [False, True])
async def test_an_older_database_is_brought_up_to_date(
    database: Path, tmp_path: Path, schema: Path, read_only: bool
) -> None:
    restore(schema, database)
    store = both(SQLiteStore(url(database), read_only=read_only))
    await store.open()
    assert version(database) == len(STEPS)
    totals = await store.totals(ALL)
    assert (totals.calls, totals.errors, totals.cost_nanousd, totals.unpriced) == (12, 2, 48_000, 4)
    (newest,) = await store.calls(ALL, limit=1)
    first = await store.call("01890000-0000-7000-8000-000000000000")
    assert first is not None
    assert first.body is not None
    assert first.body.request == b'{"model":"gpt-5-mini"}'
    latency = await store.latency(ALL)
    assert latency.p95_ms == pytest.approx(500 + 37 * 11, rel=0.02)
    if not read_only:
        while await store.roll_up():
            pass
        assert await store.totals(ALL) == totals
        assert await store.latency(ALL) == latency
        assert await store.add(Batch(calls=[make_call()])) == 1
        assert await store.prune(newest.timestamp, content_only=True) == 1
    await store.close()
    fresh = both(SQLiteStore(url(tmp_path / "fresh.db")))
    await fresh.open()
    await fresh.close()
    found, new = columns(database), columns(tmp_path / "fresh.db")
    made = {rollup.name: {*rollup.key_columns, *rollup.measures} for rollup in MADE}
    assert not made.keys() & new.keys()  # they are made with their first rows
    assert found == new | {name: made[name] for name in found.keys() & made.keys()}


ABSURD = 2**53 - 1
"""What a version before the bounds has stored; 1,100 of them are more than 64 bits."""


async def test_what_cannot_be_in_an_older_database_keeps_no_page_from_being_shown(database: Path) -> None:
    restore(SCHEMAS[1], database)
    with closing(sqlite3.connect(database)) as connection, connection:
        named = [row[1] for row in connection.execute("PRAGMA table_info(llm_calls)")]
        taken = dict.fromkeys(named, "NULL") | {
            **{name: name for name in ("timestamp", "status", "api", "stream", "http_status", "user_id")},
            **{
                name: str(ABSURD) for name in ("prompt_tokens", "reasoning_tokens", "cost_nanousd", "ttft_ms")
            },
            "id": "'x' || number",
            "duration_ms": "CASE number % 2 WHEN 0 THEN -5 ELSE 9007199254740991 END",
            "usage_source": "'provider'",
            "usage_raw": "'{}'",
        }
        connection.execute(
            "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers "
            "LIMIT 1100) "
            f"INSERT INTO llm_calls ({', '.join(named)}) SELECT {', '.join(taken[name] for name in named)} "
            "FROM numbers, (SELECT * FROM llm_calls WHERE status = 'success' LIMIT 1)"
        )
        # as if some of them were in the sums that are kept
        connection.execute("UPDATE miharu_meta SET value = 500 WHERE key = 'folded'")
        connection.execute(
            "UPDATE miharu_meta SET value = (SELECT timestamp FROM llm_calls WHERE rowid = 499) "
            "WHERE key = 'folded_at'"
        )
    store = both(SQLiteStore(url(database)))
    await store.open()
    totals = await store.totals(ALL)
    assert (totals.calls, totals.cost_nanousd, totals.unpriced) == (1112, 48_000, 1104)
    assert totals.duration_ms == 12 * 500 + 37 * 66 + 550 * MOST_MS
    call = await store.call("x1")
    assert call is not None
    assert (call.usage, call.cost) == (Usage(usage_source="none", usage_raw="{}"), None)
    await store.add(Batch(calls=[make_call() for _ in range(1500)]))
    while await store.roll_up():
        pass
    assert (await store.totals(ALL)).calls == 2612
    assert (await store.totals(ALL)).duration_ms == totals.duration_ms + 1500 * 100
    assert sum(group.totals.calls for group in await store.groups(ALL, "model")) == 2612
    await store.close()


async def test_an_older_database_that_may_not_be_written_is_named(database: Path) -> None:
    restore(SCHEMAS[0], database)
    # root may write everywhere, but not open a folder to write; it is set aside only in a private folder
    database.with_name("calls.db.lock").mkdir()
    database.parent.chmod(0o777)
    with pytest.raises(StoreError, match=r"older miharu.*cannot be opened"):
        await both(SQLiteStore(url(database), read_only=True)).open()
    assert version(database) == 1


async def test_a_newer_database_is_read_and_not_written_to(database: Path) -> None:
    store = both(SQLiteStore(url(database)))
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    await store.close()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        store = both(SQLiteStore(url(database), read_only=read_only))
        await store.open()
        assert (await store.totals(ALL)).calls == 1
        assert not await store.roll_up()
        refusal = StoreError if read_only else NewerDatabase
        with pytest.raises(refusal, match=None if read_only else "upgrade miharu"):
            await store.add(Batch(calls=[make_call()]))
        await store.close()
    assert version(database) == 99


OPENER = """
import asyncio, sys
from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from miharu.testing.store_contract import make_call

async def main():
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{sys.argv[1]}"))
    sys.stdin.readline()
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("old", [True, pytest.param(False, marks=pytest.mark.full)])
def test_many_processes_may_start_at_once(database: Path, old: bool) -> None:
    if old:
        restore(SCHEMAS[0], database)
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(database)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(TOGETHER)
    ]
    for opener in openers:  # all have imported everything and wait
        assert opener.stdin is not None
        opener.stdin.write(b"\n")
        opener.stdin.flush()
    for opener in openers:
        _, errors = opener.communicate(timeout=60)
        assert opener.returncode == 0, errors.decode()
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT count(*) FROM llm_calls").fetchone() == (TOGETHER + 12 * old,)
    connection.close()
    assert version(database) == len(STEPS)
