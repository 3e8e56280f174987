import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest

import miharu
from miharu import monitor
from miharu.batch import Batch
from miharu.call import Call, Cost
from miharu.errors import ConfigError, StoreError
from miharu.interceptor import handoff
from miharu.providers.base import Reading, Rule, Wire
from miharu.testing.store_contract import ALL
from tests.calls import ANSWER, ASKED, URL, ask, rows
from tests.programs import PRELUDE, run


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_call_becomes_a_priced_row(database: Path, library: Any) -> None:
    miharu.init(database, service="shop")
    assert ask(library=library).json() == ANSWER
    assert miharu.flush()
    (row,) = rows(database)
    assert (row["model"], row["status"], row["service"]) == ("gpt-4o-2024-08-06", "success", "shop")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (10, 5)
    assert (row["cost_nanousd"], row["cost_cents"]) == (75_000, 0.0075)


def test_ones_own_prices_lie_on_top_of_the_built_in_ones(database: Path) -> None:
    miharu.init(database, prices={"gpt-4o-2024-*": miharu.Price(input=1, output=2)})
    ask()
    assert miharu.flush()
    (row,) = rows(database)
    assert (row["cost_nanousd"], row["cost_source"]) == (10 * 1000 + 5 * 2000, "own")


def test_newer_prices_are_fetched_where_that_is_asked_for(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genai_prices import data_snapshot, update_prices

    seen: list[bool] = []

    def fetch(_: Any) -> None:
        seen.append(handoff.is_unseen())

    monkeypatch.setattr(update_prices.UpdatePrices, "fetch", fetch)
    miharu.init(database, update_prices=True)
    ask()
    assert miharu.flush()
    assert update_prices.wait_prices_updated_sync(10)
    thread = update_prices._shared_updater.thread
    assert miharu.shutdown()
    assert seen == [True]
    assert update_prices._shared_updater.ref_count == 0
    if thread is not None:
        thread.join(10)
    assert data_snapshot.get_snapshot() is data_snapshot._bundled_snapshot()
    miharu.init(database)
    ask()
    assert miharu.flush()
    assert update_prices._shared_updater.ref_count == 0
    assert len(rows(database)) == 2


def test_a_thousand_calls_are_a_thousand_rows(database: Path) -> None:
    miharu.init(database)
    for _ in range(1000):
        ask()
    assert miharu.flush(30)
    assert len({row["id"] for row in rows(database)}) == 1000
    assert miharu.stats() == {
        "captured": 1000,
        "written": 1000,
        "dropped": 0,
        "shed": 0,
        "not_exported": 0,
        "spooled": 0,
        "unpriced": 0,
        "estimated": 0,
        "errors": 0,
        "queue_depth": 0,
        "last_write": pytest.approx(__import__("time").time(), abs=60),
        "database": str(database),
        "refused": 0,
        "budgets": [],
    }


def test_the_shortest_script_leaves_exactly_one_row(database: Path) -> None:
    run(PRELUDE + "ask()", database)
    assert len(rows(database)) == 1


@pytest.mark.parametrize(
    "script",
    [
        "next(stream.iter_raw())",
        "miharu.shutdown()",
    ],
)
def test_a_stream_that_is_open_at_the_end_is_a_call(database: Path, script: str) -> None:
    prelude = f"""
import sys, miharu
miharu.init(sys.argv[1])
import httpx2
URL, ASKED = {URL!r}, {ASKED!r}
def chunks():
    yield b'data: {{}}\\n\\n'
    yield b'data: {{}}\\n\\n'
headers = {{"content-type": "text/event-stream"}}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, headers=headers, content=chunks()))
client = httpx2.Client(transport=transport)
stream = client.send(client.build_request('POST', URL, json=ASKED), stream=True)
"""
    run(prelude + script, database)
    assert [row["status"] for row in rows(database)] == ["cancelled"]


def test_a_call_that_cannot_be_stored_holds_up_no_other(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Priceless:
        def cost(self, call: Call) -> Any:
            return Cost(cost_nanousd=1, cost_source=object()) if call.model == "odd" else None  # type: ignore[arg-type]

    monkeypatch.delenv("MIHARU_UNGUARDED")
    miharu.init(database, prices=Priceless())
    for model in ("a", "odd", "b"):
        ask(answer={**ANSWER, "model": model})
    assert miharu.flush()
    assert {row["model"] for row in rows(database)} == {"a", "b"}
    assert (miharu.stats()["written"], miharu.stats()["dropped"]) == (2, 1)
    assert "storing a call failed" in caplog.text


def test_half_a_character_and_a_number_beyond_64_bits_are_stored(database: Path) -> None:
    miharu.init(database)
    answer = {**ANSWER, "id": "\ud83d", "usage": {"prompt_tokens": 9 * 10**15, "completion_tokens": 5}}
    ask(answer=answer)
    ask()
    assert miharu.flush()
    by_id = {row["response_id"]: row["cost_nanousd"] for row in rows(database)}
    assert by_id == {"?": None, "chatcmpl-1": 75_000}


def test_a_fork_leaves_what_is_in_memory_alone() -> None:
    miharu.init()
    ask()
    assert miharu.flush()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    ask()
    assert miharu.flush()
    watching = monitor.current()
    assert watching is not None
    assert watching.read_sync(lambda: watching.questions.totals(ALL)).calls == 2


def test_a_failed_init_leaves_nothing_behind(database: Path) -> None:
    with pytest.raises(ConfigError):
        miharu.init(database, providers=[object()])  # type: ignore[list-item]
    assert monitor.current() is None
    miharu.init(database)
    ask()
    assert miharu.flush()
    assert len(rows(database)) == 1


def test_a_script_that_fails_leaves_its_call(database: Path) -> None:
    run(PRELUDE + "ask()\nimport threading\nthreading.Thread(target=ask).start()", database)
    assert len(rows(database)) == 2


def test_forked_children_record_their_own_calls(database: Path) -> None:
    script = """
import os
ask()
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        ask()
        sys.exit()
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
ask()
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=ask)
process.start()
process.join()
assert process.exitcode == 0
"""
    run(PRELUDE + script, database)
    assert len(rows(database)) == 6


def test_a_library_imported_later_is_seen(database: Path) -> None:
    run(
        "import sys, miharu\nmiharu.init(sys.argv[1])\n"
        + PRELUDE.partition("miharu.init")[2].partition("\n")[2]
        + "ask()",
        database,
    )
    assert len(rows(database)) == 1


def test_nothing_is_configured(database: Path) -> None:
    """The project's ``.miharu/`` is made, private, and its path is logged once."""
    (database.parent / "pyproject.toml").touch()
    script = PRELUDE.replace("sys.argv[1]", "") + "ask()"
    logged = run(
        "import logging; logging.basicConfig(level='INFO', stream=__import__('sys').stdout)\n" + script,
        database,
    )
    folder = database.parent / ".miharu"
    assert len(rows(folder / "calls.db")) == 1
    assert logged.count(str(folder / "calls.db")) == 1


def test_disabled_by_the_environment(database: Path) -> None:
    run(PRELUDE + "ask()", database, MIHARU_DISABLED="1")
    assert not database.exists()


def test_a_nonsense_environment_is_said_and_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", "sqlite://calls.db")
    miharu.init()
    assert monitor.current() is None
    assert "MIHARU_DATABASE_URL='sqlite://calls.db'" in caplog.text
    assert ask().status_code == 200


@pytest.mark.parametrize("database", [42, "mysql://db/x", "nosuch://db/x"])
def test_a_nonsense_argument_raises(database: Any) -> None:
    with pytest.raises(ConfigError, match="database="):
        miharu.init(database)
    assert monitor.current() is None


def test_init_again(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    miharu.init(database)
    first = monitor.current()
    miharu.init(str(database))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    miharu.init(":memory:")
    assert monitor.current() is first
    assert "the first ones stay" in caplog.text


def test_shutdown_and_init_again(database: Path) -> None:
    for _ in range(2):
        miharu.init(database)
        ask()
        assert miharu.shutdown()
        ask()
    assert len(rows(database)) == 2
    assert miharu.stats()["written"] == 0


def test_a_reader_sees_a_finished_call_within_a_second(database: Path) -> None:
    miharu.init(database)
    assert miharu.flush()
    ask()
    assert _eventually(lambda: len(rows(database)) == 1)


@pytest.fixture
def started(database: Path) -> None:
    miharu.init(database)


@pytest.mark.usefixtures("started")
async def test_a_page_reads_from_any_loop() -> None:
    """On asyncio and on trio, also as the very first thing."""
    ask()
    assert await miharu.aflush()
    watching = monitor.current()
    assert watching is not None

    async def count() -> int:
        return (await watching.questions.totals(ALL)).calls

    assert await watching.read(count) == 1
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(watching.read, count)
    assert await miharu.ashutdown()
    with pytest.raises(StoreError, match="shut down"):
        await watching.read(count)


class Failing:
    """An exporter, or prices, that always fail."""

    def __init__(self) -> None:
        self.asked = 0

    def cost(self, call: Call) -> Cost | None:
        self.asked += 1
        raise RuntimeError("no prices today")

    async def export(self, batch: Batch) -> None:
        self.asked += 1
        raise RuntimeError("nobody there")

    async def close(self) -> None:
        raise RuntimeError("nobody there")


class Collecting:
    """An exporter that keeps what it gets."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.closed = False

    async def export(self, batch: Batch) -> None:
        self.calls += batch.calls

    async def close(self) -> None:
        self.closed = True


def test_plugins_that_fail_cost_nobody_a_call(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    failing, prices, collecting = Failing(), Failing(), Collecting()
    miharu.init(database, exporters=[failing, collecting], prices=prices)
    ask()
    assert miharu.flush()
    assert miharu.stats()["errors"] > 0
    assert miharu.shutdown()
    assert [row["cost_nanousd"] for row in rows(database)] == [None]
    assert (failing.asked, prices.asked, len(collecting.calls)) == (1, 1, 1)
    assert collecting.closed
    assert "your program is not affected" in caplog.text


class Parrot:
    """A wire format of one's own."""

    api = "parrot.talk"
    rules = (Rule("/talk"),)

    def read(self, wire: Wire) -> Reading | None:
        return Reading(terminated=True, model=str(wire.answered["says"]))


def test_a_provider_of_ones_own(database: Path) -> None:
    miharu.init(database, providers=[Parrot()])
    ask(url="http://parrot.example/talk", answer={"says": "polly"})
    ask(url="http://parrot.example/listen")
    assert miharu.flush()
    assert [(row["api"], row["model"]) for row in rows(database)] == [("parrot.talk", "polly")]


def test_content_is_kept_only_when_asked_for(database: Path) -> None:
    miharu.init(database, capture_content=True)
    ask()
    assert miharu.flush()
    watching = monitor.current()
    assert watching is not None
    call = watching.read_sync(lambda: watching.questions.call(rows(database)[0]["id"]))
    assert call is not None
    assert call.body is not None
    assert json.loads(call.body.request or b"") == ASKED
    assert json.loads(call.body.response or b"") == ANSWER


def test_a_store_that_cannot_be_used_keeps_the_calls_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("in the way")
    database = blocked / "calls.db"
    miharu.init(database)
    ask()
    assert not miharu.flush(0.5)
    assert "cannot be opened" in caplog.text
    assert miharu.stats()["queue_depth"] == 1
    blocked.unlink()
    assert miharu.flush(10)
    assert len(rows(database)) == 1
    assert "recording again" in caplog.text


def test_a_store_that_stays_unusable_does_not_hold_up_the_exit(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("in the way")
    run(PRELUDE.replace("sys.argv[1]", repr(str(blocked / "calls.db"))) + "ask()", tmp_path / "x")


def test_the_worker_carries_no_context_of_a_request(database: Path) -> None:
    from miharu.attribution import context

    seen: list[context.Context | None] = []

    class Looking(Collecting):
        async def export(self, batch: Batch) -> None:
            seen.append(context.current())

    with context.Beginning(context.Origin({"method": "GET"})):
        miharu.init(database, exporters=[Looking()])
        ask()
        assert miharu.flush()
    assert seen == [None]


def test_calls_from_many_threads(database: Path) -> None:
    miharu.init(database)
    threads = [threading.Thread(target=lambda: [ask() for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert miharu.flush(30)
    assert len({row["id"] for row in rows(database)}) == 160


def test_calls_stay_in_memory_under_pytest() -> None:
    miharu.init()
    ask()
    assert miharu.flush()
    assert miharu.stats()["database"] == "sqlite+aiosqlite:///:memory:"
    assert miharu.stats()["written"] == 1


def _eventually(holds: Callable[[], bool], seconds: float = 1.0) -> bool:
    deadline = threading.Event()
    threading.Timer(seconds, deadline.set).start()
    while not holds():
        if deadline.wait(0.01):
            return holds()
    return True
