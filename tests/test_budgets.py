"""Budgets as a program meets them: real SDK, real store, threads, loops and processes."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest

import miharu
from miharu import Budget, BudgetExceeded, BudgetState, monitor
from miharu.config import Config
from miharu.testing import FakeProvider
from tests.calls import aask, ask, rows
from tests.recorder.budgets.receiver import Receiver

openai = pytest.importorskip("openai")

ONE = 0.000075
"""What ``ask`` costs, in dollars: 10 tokens in and 5 out of gpt-4o-2024-08-06."""
SAID: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


def spend(calls: int = 1) -> None:
    for number in range(calls):
        ask(f"question {number}")
    assert miharu.flush(60)


def state() -> BudgetState:
    [state] = miharu.stats()["budgets"]
    return state


def is_refused() -> bool:
    try:
        miharu.check_budget()
    except BudgetExceeded:
        return True
    return False


def test_a_call_beyond_the_budget_is_not_sent(database: Path) -> None:
    miharu.init(database, budgets=[Budget(3 * ONE, refuse=True)])
    spend(2)
    miharu.check_budget()
    spend()
    with pytest.raises(BudgetExceeded, match="is used up"):
        ask()
    with pytest.raises(BudgetExceeded, match="Calls are refused"):
        miharu.check_budget()
    assert miharu.flush(60)
    assert (state().spent_nanousd, state().exceeded) == (3 * 75_000, True)
    stats = miharu.stats()
    assert (stats["refused"], stats["captured"], stats["errors"]) == (1, 3, 0)
    assert len(rows(database)) == 3


@pytest.mark.parametrize("away", ["a foreign file", "a server"])
def test_a_call_is_refused_though_no_store_can_be_opened(tmp_path: Path, away: str) -> None:
    file = tmp_path / "foreign.db"
    file.write_text("These are somebody's notes, and no database.")
    url = str(file) if away == "a foreign file" else "postgres://nobody@127.0.0.1:9/miharu"
    miharu.init(url, budgets=[Budget(ONE, refuse=True)])
    ask()
    deadline = time.monotonic() + 60
    while not is_refused() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(BudgetExceeded):
        ask()


def test_what_is_no_call_to_a_model_is_not_refused(database: Path) -> None:
    miharu.init(database, budgets=[Budget(ONE, refuse=True)])
    spend()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    with httpx.Client(transport=transport) as client:
        assert client.post("https://api.openai.com/v1/files").status_code == 200
        assert client.get("https://api.openai.com/v1/responses/resp_1").status_code == 200


def test_without_a_budget_that_refuses_nobody_is_asked(database: Path) -> None:
    miharu.init(database, budgets=[Budget(ONE)])
    running = monitor.current()
    assert running is not None
    assert running._interceptor is not None
    assert running._interceptor.admit is None
    spend(3)
    miharu.check_budget()
    assert state().exceeded


def test_the_sdk_hands_the_refusal_on(database: Path, provider: FakeProvider) -> None:
    miharu.init(database, budgets=[Budget(ONE, refuse=True)])
    spend()
    with openai.OpenAI(base_url=provider.base_url, api_key="any") as client:
        for options in ({}, {"stream": True}):
            with pytest.raises(BudgetExceeded):
                client.chat.completions.create(**SAID, **options)
        with pytest.raises(BudgetExceeded):
            client.responses.create(model="gpt-4o", input="hi")

    async def ask_again() -> None:
        for own in ({}, {"http_client": openai.DefaultAioHttpClient()}):
            async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="any", **own) as client:
                for options in ({}, {"stream": True}):
                    with pytest.raises(BudgetExceeded):
                        await client.chat.completions.create(**SAID, **options)

    asyncio.run(ask_again())
    assert not provider.requests
    assert miharu.stats()["refused"] == 7


async def test_aiohttp_is_refused_too(
    database: Path, provider: FakeProvider, anyio_backend_name: str
) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("aiohttp runs on asyncio")
    import aiohttp

    miharu.init(database, budgets=[Budget(ONE, refuse=True)])
    await anyio.to_thread.run_sync(spend)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(BudgetExceeded):
            await session.post(f"{provider.base_url}/chat/completions", json=SAID)
        async with session.get(f"{provider.base_url}/models") as response:
            assert response.status == 200
    assert [asked.method for asked in provider.requests] == ["GET"]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_refused_request_leaves_its_client_as_it_was(database: Path, library: Any) -> None:
    miharu.init(database, budgets=[Budget(ONE, "hour", user="ann", refuse=True)])
    with miharu.context(user="ann"):
        spend()
    transport = library.MockTransport(lambda request: library.Response(200, json={}))
    with library.Client(transport=transport) as client:
        with miharu.context(user="ann"), pytest.raises(BudgetExceeded):
            client.post("https://api.openai.com/v1/chat/completions", json=SAID)
        assert client.post("https://api.openai.com/v1/chat/completions", json=SAID).status_code == 200


def test_each_user_is_refused_alone(database: Path) -> None:
    miharu.init(database, budgets=[Budget(2 * ONE, each="user", refuse=True)])
    for user, calls in (("ann", 2), ("bob", 1)):
        with miharu.context(user=user):
            spend(calls)
    with miharu.context(user="ann"):
        with pytest.raises(BudgetExceeded, match="'ann'"):
            ask()
        with miharu.context(user="bob"):
            ask()
    ask()
    with pytest.raises(BudgetExceeded):
        miharu.check_budget(user="ann")
    miharu.check_budget(user="carl")
    miharu.check_budget()


def test_routes_and_tags_are_limited(database: Path) -> None:
    miharu.init(
        database,
        budgets=[
            Budget(ONE, route="POST /chat", refuse=True),
            Budget(ONE, tag=("team", "ads"), refuse=True),
        ],
    )
    with miharu.context(route="POST /chat"):
        spend()
        with pytest.raises(BudgetExceeded, match="POST /chat"):
            ask()
    with miharu.context(tags={"team": "ads", "other": "x"}):
        spend()
        with pytest.raises(BudgetExceeded, match="team=ads"):
            ask()
    with miharu.context(tags={"team": "search"}):
        ask()
    with pytest.raises(BudgetExceeded):
        miharu.check_budget(tags={"team": "ads"})
    with pytest.raises(BudgetExceeded):
        miharu.check_budget(route="POST /chat")


def test_a_restart_knows_what_was_spent(database: Path) -> None:
    miharu.init(database)
    spend(2)
    miharu.shutdown()
    miharu.init(database, budgets=[Budget(2 * ONE, "month", refuse=True)])
    assert miharu.flush(60)
    with pytest.raises(BudgetExceeded):
        miharu.check_budget()


def test_a_function_of_the_programs_is_told_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    told: list[tuple[BudgetState, str]] = []

    def on_exceeded(state: BudgetState) -> None:
        told.append((state, threading.current_thread().name))
        raise LookupError("the program's own mistake")

    miharu.init(database, budgets=[Budget(2 * ONE, on_exceeded=on_exceeded)])
    spend(4)
    spend(1)
    [(told_state, thread)] = told
    assert (told_state.exceeded, thread) == (True, "miharu")
    assert len(rows(database)) == 5


def test_a_webhook_is_posted_and_not_recorded(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a program that ends at once; its address looks like that of a model."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Receiver() as receiver:
        miharu.init(database, budgets=[Budget(ONE, name="all", webhook=receiver.url)])
        ask("what nobody else shall read")
        assert miharu.shutdown()
        [(path, _, content)] = receiver.posts
    assert path.endswith("/chat/completions")
    assert (content["budget"], content["spent_usd"]) == ("all", ONE)
    assert "nobody else" not in json.dumps(content)
    assert len(rows(database)) == 1


def test_a_store_that_is_gone_stops_no_counting(database: Path) -> None:
    """Somebody else holds the file; what this process spends is known all the same."""
    miharu.init(database, budgets=[Budget(4 * ONE, refuse=True)])
    spend(2)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ask("while it is locked")
        ask("and once more")
        _until(_is_refused)
        other.execute("ROLLBACK")
    assert miharu.flush(30)
    assert state().spent_nanousd == 4 * 75_000
    assert len(rows(database)) == 4


def test_the_environment_sets_one(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_BUDGET", "10/day")
    miharu.init(database)
    assert miharu.flush(60)
    assert (state().name, state().refuses, state().is_known) == ("10.00 USD a day", False, True)


def test_a_nonsense_environment_switches_it_off(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MIHARU_BUDGET", "a lot")
    miharu.init(database)
    assert monitor.current() is None
    assert "MIHARU_BUDGET='a lot'" in caplog.text
    miharu.check_budget()


def test_threads_stop_at_the_limit(database: Path) -> None:
    """Each that was under way may pass it, and no more."""
    threads, limit = 8, 40
    miharu.init(database, budgets=[Budget(limit * ONE, refuse=True)])
    ready = threading.Barrier(threads)

    def work(number: int) -> None:
        ready.wait()
        for turn in range(400):
            try:
                ask(f"{number} {turn}")
            except BudgetExceeded:
                return
            if turn % 2:
                miharu.flush(60)
        raise AssertionError("it was never refused")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    made = len(rows(database))
    assert limit <= made <= limit + 2 * threads
    assert miharu.stats()["refused"] == threads


async def test_tasks_stop_at_the_limit(database: Path) -> None:
    tasks, limit = 20, 60
    miharu.init(database, budgets=[Budget(limit * ONE, refuse=True)])

    async def work(number: int) -> None:
        for turn in range(200):
            try:
                await aask(f"{number} {turn}")
            except BudgetExceeded:
                return
            await miharu.aflush()
        raise AssertionError("it was never refused")

    async with anyio.create_task_group() as group:
        for number in range(tasks):
            group.start_soon(work, number)
    assert limit <= len(rows(database)) <= limit + 2 * tasks
    assert miharu.stats()["refused"] == tasks


_CHILD = """
import json, sys, time
import miharu
from tests.calls import ask
miharu.init(sys.argv[1], budgets=[miharu.Budget(float(sys.argv[2]), refuse=True)])
miharu.flush(60)
print("ready", flush=True)
sys.stdin.readline()
made = 0
deadline = time.monotonic() + 60
try:
    while time.monotonic() < deadline:
        ask(f"{sys.argv[3]} {made}")
        made += 1
        time.sleep(0.02)
except miharu.BudgetExceeded:
    pass
else:
    raise SystemExit("never refused")
miharu.flush(60)
print(json.dumps([made, miharu.stats()["budgets"][0].spent_nanousd]), flush=True)
"""


def test_processes_share_a_budget(database: Path) -> None:
    """Four of them, each of which alone would stay below the limit for long."""
    limit = 200
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(database), str(limit * ONE), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[1],
        )
        for number in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    found = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        out, _ = child.communicate(timeout=90)
        assert child.returncode == 0
        found.append(json.loads(out))
    made = len(rows(database))
    assert made == sum(calls for calls, _ in found) >= limit
    assert all(calls < limit for calls, _ in found)
    assert max(spent for _, spent in found) == made * 75_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_refused_at_once(database: Path) -> None:
    script = """
import os, sys
import miharu
from tests.calls import ask
miharu.init(sys.argv[1], budgets=[miharu.Budget(float(sys.argv[2]), refuse=True)])
ask("one")
miharu.flush(60)
pid = os.fork()
if pid == 0:
    try:
        ask("two")
    except miharu.BudgetExceeded:
        os._exit(7)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), miharu.stats()["refused"])
"""
    out = subprocess.run(
        [sys.executable, "-c", script, str(database), str(ONE)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[1],
    )
    assert out.stdout.split() == ["7", "0"]


def _is_refused() -> bool:
    try:
        miharu.check_budget()
    except BudgetExceeded:
        return True
    return False


def _until(holds: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.005)


def test_whoever_only_reads_sees_how_it_stands_and_says_nothing(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    miharu.init(database)
    spend(2)
    miharu.shutdown()
    config = Config.resolve(database, budgets=[Budget(ONE, refuse=True, webhook="http://127.0.0.1:9/")])
    reading = monitor.Monitor(config, read_only=True)
    reading.start()
    try:
        assert reading.flush()
        [found] = reading.stats()["budgets"]
        assert (found.exceeded, found.is_known, found.spent_nanousd) == (True, True, 2 * 75_000)
    finally:
        reading.stop()
    assert "used up" not in caplog.text
