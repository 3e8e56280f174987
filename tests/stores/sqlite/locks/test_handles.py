"""A look at a file takes no connection's locks away, so nobody deletes the WAL that it reads."""

import gc
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.locks.handles import hold, identity, let_go, reading
from miharu.stores.sqlite.repair.damage import look
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, make_call
from tests.stores.test_migrations import SCHEMAS, restore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="these locks are POSIX's")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


COME_AND_GO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM llm_calls").fetchone()
connection.close()
"""


def come_and_go(database: Path) -> None:
    """Another program uses the file, and deletes its WAL if it was the last."""
    subprocess.run([sys.executable, "-c", COME_AND_GO, str(database)], check=True)


def open_here(database: Path) -> int:
    """How many descriptors of it this process has."""
    gc.collect()
    return sum(one.resolve() == database.resolve() for one in Path("/proc/self/fd").iterdir())


async def test_a_look_beside_an_open_store_leaves_its_wal_there(database: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    await store.add(Batch(calls=[make_call()]))
    wal = identity(Path(f"{database}-wal"))
    assert wal is not None
    assert look(database).state == "sound"
    come_and_go(database)
    assert identity(Path(f"{database}-wal")) == wal
    await store.add(Batch(calls=[make_call()]))
    await store.close()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM llm_calls").fetchone() == (2,)


async def test_a_reader_that_had_a_file_brought_up_to_date_sees_what_comes_after(database: Path) -> None:
    restore(SCHEMAS[0], database)
    reader = both(SQLiteStore(f"sqlite+aiosqlite:///{database}", read_only=True))
    await reader.open()
    before = (await reader.totals(ALL)).calls
    come_and_go(database)
    writer = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await writer.open()
    await writer.add(Batch(calls=[make_call()]))
    assert (await reader.totals(ALL)).calls == before + 1
    await writer.close()
    await reader.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")
async def test_nothing_stays_open_once_the_store_is_closed(database: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    look(database)
    opened = open_here(database)
    for _ in range(3):
        look(database)
    assert open_here(database) == opened > 1
    await store.close()
    assert open_here(database) == 0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")
def test_a_file_is_kept_while_anybody_holds_it(database: Path) -> None:
    database.write_bytes(b"some bytes")
    file = identity(database)
    assert file is not None
    hold(file)
    hold(file)
    for _ in range(3):
        with reading(database) as opened:
            assert opened.read() == b"some bytes"
    let_go(file)
    assert open_here(database) == 1
    let_go(file)
    assert open_here(database) == 0
    with reading(database):
        pass
    assert open_here(database) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_begins_with_none(database: Path) -> None:
    database.touch()
    file = identity(database)
    assert file is not None
    hold(file)
    child = os.fork()
    if not child:
        with reading(database) as opened:
            pass
        os._exit(0 if opened.closed else 1)
    assert os.waitpid(child, 0)[1] == 0
    let_go(file)
