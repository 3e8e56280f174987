"""The whole way, from a call to a row."""

import logging
from pathlib import Path

import pytest

import miharu
from miharu.config import Config
from miharu.monitor.left_behind import LeftBehind
from tests.calls import ask
from tests.programs import PRELUDE, run
from tests.stores.postgres.server import PASSWORD, USER, Server

# what is tested here brings its own loop
pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where calls would be spooled."""
    monkeypatch.chdir(tmp_path)


async def count(postgres: Server, database: str) -> int:
    [[calls]] = await postgres.query(database, "SELECT count(*) FROM llm_calls")
    return int(calls)


async def test_a_call_becomes_a_row(
    postgres: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "miharu")
    miharu.init(postgres.url(database).replace("postgresql+asyncpg", "postgres"), service="shop")
    ask()
    assert miharu.flush(30)
    [row] = await postgres.query(database, "SELECT * FROM llm_calls")
    assert (row["model"], row["status"], row["service"]) == ("gpt-4o-2024-08-06", "success", "shop")
    assert (row["cost_nanousd"], row["cost_cents"]) == (75_000, 0.0075)
    assert miharu.stats()["database"] == f"postgresql+asyncpg://127.0.0.1:{postgres.port}/{database}"
    assert USER not in caplog.text.replace("postgresql", "")
    assert PASSWORD not in caplog.text


async def test_the_shortest_script_leaves_exactly_one_row(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    url = postgres.url(database, host="localhost")
    run(PRELUDE.replace("sys.argv[1]", repr(url)) + "ask()", tmp_path / "unused")
    # on a busy machine the driver takes longer to load than a program may be held up: then it is in a file
    LeftBehind(Config.resolve(url)).bring_in(60)
    assert await count(postgres, database) == 1


async def test_the_last_call_of_a_program_is_stored_although_no_thread_can_be_started(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    """From Python 3.12 on, none can be at the end of a program."""
    url = postgres.url(database, host="localhost")
    loaded = "import anyio, asyncpg, sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql.asyncpg\n"
    script = loaded + PRELUDE.replace("sys.argv[1]", repr(url)) + "ask()"
    assert run(script, tmp_path / "unused") == ""
    assert await count(postgres, database) == 1
    assert list(tmp_path.rglob("*.spool-*")) == []


async def test_calls_wait_for_a_server_that_is_down(
    own_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    database = await own_server.new_database()
    own_server.stop()
    miharu.init(own_server.url(database))
    ask()
    assert not miharu.flush(3)
    assert "cannot be reached (connection refused)" in caplog.text
    assert "Calls are kept until it takes them" in caplog.text
    own_server.start()
    assert miharu.flush(60)
    assert await count(own_server, database) == 1
    own_server.stop()
    ask()
    own_server.start()
    assert miharu.flush(60)
    assert await count(own_server, database) == 2
    assert miharu.stats()["dropped"] == 0
    assert miharu.shutdown(30)
