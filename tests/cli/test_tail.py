"""``miharu tail``: a process that is read line by line, and the follower that finds what is new."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.call import Cost, Outcome, Usage
from miharu.cli import main, tail
from miharu.cli._database import reading
from miharu.cli._output import Style
from miharu.cli.tail import Follower, line
from miharu.errors import StoreError
from miharu.testing.open_store import OpenStore
from miharu.testing.store_contract import ALL, make_call

from .conftest import environment, stored


def now() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def tailing(home: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "miharu", "tail", *arguments],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    out, complaints = process.communicate(timeout=30)
    return process.returncode, out, complaints


def test_it_begins_with_the_last_calls_and_goes_on_with_the_new(tmp_path: Path) -> None:
    old = [make_call(timestamp=now() - 86_400_000 + i, model=f"old-{i}") for i in range(5)]
    file = stored(tmp_path / "calls.db", *old)
    with tailing(tmp_path, "--database", str(file), "--lines", "2") as process:
        assert process.stdout is not None
        assert ["old-3" in process.stdout.readline(), "old-4" in process.stdout.readline()] == [True, True]
        stored(file, make_call(timestamp=now(), model="new-1"), make_call(timestamp=now() + 1, model="new-2"))
        assert ["new-1" in process.stdout.readline(), "new-2" in process.stdout.readline()] == [True, True]
        # One that began earlier and took its time.
        stored(file, make_call(timestamp=now() - 60_000, model="slow"))
        assert "slow" in process.stdout.readline()
        assert ended(process) == (0, "", "")


def test_programs_get_json_of_the_calls_they_ask_for(tmp_path: Path) -> None:
    file = stored(tmp_path / "calls.db", make_call(model="no"), make_call(model="yes", user_id="u"))
    arguments = ("--database", str(file), "--json", "--model", "yes", "--user", "u", "--status", "success")
    with tailing(tmp_path, *arguments) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["model"] == "yes"
        stored(file, make_call(timestamp=now(), model="no"))
        stored(file, make_call(timestamp=now(), model="yes", user_id="u", route="POST /x"))
        assert json.loads(process.stdout.readline())["route"] == "POST /x"
        assert ended(process) == (0, "", "")


def test_it_says_once_that_the_database_refuses_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stored(tmp_path / "calls.db", make_call(model="old"))
    answers: list[Any] = [StoreError("It is locked."), StoreError("It is locked."), [make_call(model="new")]]
    asked = reading.ask

    def ask(monitor: Any, question: Any, *args: Any) -> Any:
        if question.__name__ != "look":
            return asked(monitor, question, *args)
        if not answers:
            raise KeyboardInterrupt
        answer = answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(tail, "ask", ask)
    monkeypatch.setattr(tail, "POLL_S", 0)
    assert main(["tail", "--database", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == "miharu: It is locked. Trying again.\n"
    assert ["old" in line or "new" in line for line in said.out.splitlines()] == [True, True]


def test_it_waits_for_a_database(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    with tailing(tmp_path, "--database", str(file)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "There is no database at" in process.stderr.readline()
        assert process.stderr.readline() == "Waiting for the first call.\n"
        stored(file, make_call(timestamp=now(), model="the-first"))
        assert "the-first" in process.stdout.readline()


async def test_a_follower_finds_each_call_once(store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_PAGE", 3)
    await store.add(Batch(calls=[make_call(timestamp=now() - i) for i in range(5)]))
    follower = Follower(ALL)
    assert len(await follower.begin(store, 2)) == 2
    assert not await follower.look(store)
    new = [make_call(timestamp=now() + i) for i in range(10)]
    await store.add(Batch(calls=new))
    assert [call.id for call in await follower.look(store)] == [call.id for call in new]
    assert not await follower.look(store)


async def test_a_late_call_is_found_by_the_look_at_the_whole(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_PAGE", 3)
    await store.add(Batch(calls=[make_call(timestamp=now() - i) for i in range(5)]))
    follower = Follower(ALL)
    await follower.begin(store, 0)
    late = make_call(timestamp=now() - 60_000)
    await store.add(Batch(calls=[late]))
    assert not await follower.look(store)  # it lies behind a page of known ones
    follower._whole_at = 0
    assert await follower.look(store) == [late]
    assert not await follower.look(store)


async def test_what_is_long_past_is_not_remembered(store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(ALL)
    await store.add(Batch(calls=[make_call(timestamp=now() - 1000)]))
    assert len(await follower.look(store)) == 1
    monkeypatch.setattr(tail, "LASTS_MS", 1)
    await store.add(Batch(calls=[make_call(timestamp=now() + 60_000)]))
    assert len(await follower.look(store)) == 1
    assert len(follower._seen) == 1


def test_a_line_says_what_happened() -> None:
    call = make_call(
        model="gpt\x1b[2J",
        route="POST /chat/{id}",
        ttft_ms=40,
        duration_ms=1234,
        usage=Usage(prompt_tokens=1204, completion_tokens=356, usage_source="estimated"),
        cost=Cost(cost_nanousd=12_300_000, cost_source="x"),
        outcome=Outcome(status="error", http_status=429, error_type="rate_limit"),
    )
    said = line(call, Style())
    assert re.match(r"\d\d:\d\d:\d\d\.000  error      gpt\?\[2J +", said)
    assert said.endswith(
        "~1,204 in, ~356 out  $0.0123  1.23 s, first token 40 ms  POST /chat/{id}  429 rate_limit"
    )
    assert line(make_call(model=None, cost=None), Style()).endswith(
        "unknown model                 10 in, 5 out  –  100 ms"  # noqa: RUF001
    )
