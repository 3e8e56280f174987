import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.conditions.language import MOST_VALUES, Condition
from miharu.errors import NoDatabase, StoreError
from miharu.stores.sql.source import led_to
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.questions import ENGINE
from miharu.stores.sqlite.schema import APPLICATION_ID, STEPS
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, StoreContract, make_call


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on asyncio, the worker's loop."""
    return "asyncio"


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


class TestFile(StoreContract):
    @pytest.fixture
    async def store(self, database: Path) -> AsyncIterator[OpenStore]:
        store = both(SQLiteStore(url(database)))
        await store.open()
        yield store
        await store.close()


class TestMemory(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[OpenStore]:
        store = both(SQLiteStore("sqlite+aiosqlite:///:memory:"))
        await store.open()
        yield store
        await store.close()


async def filled(path: Path, calls: int = 1) -> None:
    store = both(SQLiteStore(url(path)))
    await store.open()
    await store.add(Batch(calls=[make_call() for _ in range(calls)]))
    await store.close()


async def test_the_file_is_private_marked_and_in_wal_mode(database: Path) -> None:
    await filled(database)
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert sorted(path.name for path in database.parent.iterdir()) == [
        "calls.db",
        "calls.db.layout",
        "calls.db.lock",
    ]
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert connection.execute("SELECT cost_cents FROM llm_calls").fetchone() == (0.0001,)
    connection.close()


async def test_only_time_ordered_indexes(database: Path) -> None:
    await filled(database)
    connection = sqlite3.connect(database)
    found = {row[1] for row in connection.execute("PRAGMA index_list(llm_calls)")}
    of_tools = [row[2] for row in connection.execute("PRAGMA index_info(llm_calls_tools)")]
    connection.close()
    assert found == {"llm_calls_timestamp", "llm_calls_tools", "sqlite_autoindex_llm_calls_1"}
    assert of_tools[0] == "timestamp"


async def test_opening_again_keeps_what_is_there(database: Path) -> None:
    await filled(database, 3)
    await filled(database, 2)
    store = both(SQLiteStore(url(database), read_only=True))
    await store.open()
    assert (await store.totals(ALL)).calls == 5
    with pytest.raises(StoreError):
        await store.add(Batch(calls=[make_call()]))
    await store.close()


async def test_two_writers_and_a_reader_share_one_file(database: Path) -> None:
    stores = [both(SQLiteStore(url(database))) for _ in range(2)]
    for store in stores:
        await store.open()

    async def write(store: OpenStore) -> None:
        for _ in range(20):
            await store.add(Batch(calls=[make_call() for _ in range(5)]))

    async with anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(write, store)
    assert (await stores[0].totals(ALL)).calls == 200
    for store in stores:
        await store.close()


async def test_there_is_nothing_to_read(database: Path) -> None:
    with pytest.raises(NoDatabase, match=str(database)):
        await both(SQLiteStore(url(database), read_only=True)).open()
    assert not database.exists()
    database.touch()
    with pytest.raises(NoDatabase, match="empty"):
        await both(SQLiteStore(url(database), read_only=True)).open()


@pytest.mark.parametrize("read_only", [True, False])
async def test_a_file_that_is_no_database_is_left_alone(database: Path, read_only: bool) -> None:
    database.write_text("my shopping list")
    with pytest.raises(StoreError, match="not a SQLite database"):
        await both(SQLiteStore(url(database), read_only=read_only)).open()
    assert database.read_text() == "my shopping list"


async def test_another_programs_database_is_left_alone(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE users (id)")
    connection.close()
    before = database.read_bytes()
    store = both(SQLiteStore(url(database)))
    with pytest.raises(StoreError, match="belongs to another program"):
        await store.open()
    await store.close()
    assert database.read_bytes() == before


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        await both(SQLiteStore(url(tmp_path / "file" / "calls.db"))).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        await both(SQLiteStore(url(tmp_path / "calls.db"))).open()


async def test_it_works_without_a_thread(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the interpreter is going down: Python 3.12 starts no thread any more."""
    import threading

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    store = both(SQLiteStore(url(database)))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    await store.open()
    assert await store.add(Batch(calls=[make_call()])) == 1
    assert (await store.totals(ALL)).calls == 1
    await store.close()


async def test_it_reads_where_no_thread_can_be_started(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert (await store.totals(ALL)).calls == 1
    await store.close()


async def test_a_question_that_fails_is_asked_once(database: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    asked: list[int] = []

    def fail(_: Connection) -> None:
        asked.append(1)
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        await store.sides.questions.read(fail)
    assert len(asked) == 1
    await store.close()


async def test_a_look_up_leads_to_as_many_traces_as_a_condition_may_name() -> None:
    store = both(SQLiteStore("sqlite+aiosqlite:///:memory:"))
    await store.open()
    traces = tuple(map(str, range(MOST_VALUES)))
    query = replace(ALL, conditions=(Condition(field="trace_id", operator="in", values=traces),))
    found = await store.sides.questions.read(partial(led_to, query=query, engine=ENGINE))
    assert found is not None
    assert (found[0], len(found[1])) == ("trace_id", MOST_VALUES)
    await store.close()
