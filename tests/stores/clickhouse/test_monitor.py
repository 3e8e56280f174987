"""The whole way, from a call to a row."""

import logging
from pathlib import Path

import pytest

import miharu
from miharu.config import Config
from miharu.monitor.left_behind import LeftBehind
from tests.calls import ask
from tests.programs import PRELUDE, run
from tests.stores.clickhouse.server import PASSWORD, USER, Server

# what is tested here brings its own loop
pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where calls would be spooled."""
    monkeypatch.chdir(tmp_path)


def count(clickhouse: Server, database: str) -> object:
    return clickhouse.query(database, "SELECT toInt64(count()) FROM llm_calls")[0][0]


async def test_a_call_becomes_a_row(
    clickhouse: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "miharu")
    miharu.init(clickhouse.url(database), service="shop", retention="90d")
    ask()
    assert miharu.flush(60)
    columns = (
        "model, status, service, cost_nanousd, cost_cents, toInt64(toUnixTimestamp64Milli(time) - timestamp)"
    )
    rows = clickhouse.query(database, f"SELECT {columns} FROM llm_calls")
    assert rows == [("gpt-4o-2024-08-06", "success", "shop", 75_000, 0.0075, 0)]
    assert miharu.stats()["database"] == f"clickhouse://127.0.0.1:{clickhouse.port}/{database}"
    assert USER not in caplog.text
    assert PASSWORD not in caplog.text


async def test_the_shortest_script_leaves_exactly_one_row(
    clickhouse: Server, database: str, tmp_path: Path
) -> None:
    url = clickhouse.url(database)
    run(PRELUDE.replace("sys.argv[1]", repr(url)) + "ask()", tmp_path / "unused")
    # on a busy machine the driver takes longer to load than a program may be held up: then it is in a file
    LeftBehind(Config.resolve(url)).bring_in(60)
    assert count(clickhouse, database) == 1


async def test_calls_wait_for_a_server_that_is_down(
    own_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    database = own_server.new_database()
    own_server.stop()
    miharu.init(own_server.url(database))
    ask()
    assert not miharu.flush(3)
    assert "cannot be reached (connection refused)" in caplog.text
    assert "Calls are kept until it takes them" in caplog.text
    own_server.start()
    assert miharu.flush(60)
    assert count(own_server, database) == 1
    own_server.stop()
    ask()
    own_server.start()
    assert miharu.flush(60)
    assert count(own_server, database) == 2
    assert miharu.stats()["dropped"] == 0
    assert miharu.shutdown(30)
