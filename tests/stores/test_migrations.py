"""Databases of other versions: older ones are brought up to date, newer ones are read."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.errors import NewerDatabase, StoreError
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.schema import STEPS
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
    store = SQLiteStore(url(database), read_only=read_only)
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
        while await store.tend():
            pass
        assert await store.totals(ALL) == totals
        assert await store.latency(ALL) == latency
        assert await store.add(Batch(calls=[make_call()])) == 1
        assert await store.prune(newest.timestamp, content_only=True) == 1
    await store.close()
    fresh = SQLiteStore(url(tmp_path / "fresh.db"))
    await fresh.open()
    await fresh.close()
    assert columns(database) == columns(tmp_path / "fresh.db")


async def test_an_older_database_that_may_not_be_written_is_named(database: Path) -> None:
    restore(SCHEMAS[0], database)
    database.with_name("calls.db.lock").mkdir()  # root may write everywhere, but not open a folder to write
    with pytest.raises(StoreError, match=r"older miharu.*cannot be opened"):
        await SQLiteStore(url(database), read_only=True).open()
    assert version(database) == 1


async def test_a_newer_database_is_read_and_not_written_to(database: Path) -> None:
    store = SQLiteStore(url(database))
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    await store.close()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        store = SQLiteStore(url(database), read_only=read_only)
        await store.open()
        assert (await store.totals(ALL)).calls == 1
        assert not await store.tend()
        refusal = StoreError if read_only else NewerDatabase
        with pytest.raises(refusal, match=None if read_only else "upgrade miharu"):
            await store.add(Batch(calls=[make_call()]))
        await store.close()
    assert version(database) == 99


OPENER = """
import asyncio, sys
from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.store_contract import make_call

async def main():
    store = SQLiteStore(f"sqlite+aiosqlite:///{sys.argv[1]}")
    sys.stdin.readline()
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("old", [True, False])
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
