"""``miharu cassette``: from a database or a program into a file, and answers from it for any program."""

import json
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from miharu.call import BATCH, Body, Call, Outcome
from miharu.cassettes.file import load
from miharu.cassettes.implied import VARIABLE, setting
from miharu.testing import FakeProvider
from miharu.testing.store_contract import NOON, make_call

from .conftest import Run, environment, stored

PROGRAM = """
import json, os, sys
import openai
http = openai.DefaultHttpxClient(trust_env=False)
with openai.OpenAI(api_key="sk-" + "a1b2c3d4" * 6, max_retries=1, http_client=http) as client:
    ask = client.chat.completions.create
    told = [{"role": "user", "content": sys.argv[1]}]
    said = [ask(model="gpt-4o", messages=told).choices[0].message.content]
    said += [c.choices[0].delta.content for c in ask(model="gpt-4o", messages=told, stream=True) if c.choices]
    said.append(ask(model="error-then-ok", messages=told).choices[0].message.content)
print(json.dumps(said))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=0.01) as serving:
        yield serving


def asking(text: str = "hi", **facts: Any) -> Call:
    asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    given: dict[str, Any] = {"body": Body(request=asked, response=b'{"choices": []}'), "request_model": "m"}
    return make_call(**(given | facts))


def test_a_program_is_recorded_and_answered_without_a_provider(
    program: Path, provider: FakeProvider, tmp_path: Path, run_process: Run
) -> None:
    out, env = tmp_path / "c.json", {"OPENAI_BASE_URL": provider.base_url, "NO_PROXY": "*"}
    command = ("--", sys.executable, str(program), "hi")
    done = run_process("cassette", "record", "--out", str(out), *command, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    *said, last = done.stdout.splitlines()
    assert last == f"4 calls are in {out}."
    assert len(provider.requests) == 4
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "a1b2c3d4" not in out.read_text()
    statuses = [one.status for one in load(out)]
    assert statuses == [200, 200, 500, 200]
    nowhere = {"OPENAI_BASE_URL": "https://nowhere.invalid/v1"}
    again = run_process("cassette", "replay", str(out), *command, env=nowhere)
    assert (again.returncode, again.stdout.splitlines(), again.stderr) == (0, said, "")
    other = run_process("cassette", "replay", str(out), *command[:-1], "hello", env=nowhere)
    assert other.returncode == 1
    assert 'body.messages[0].content: asked \\"hello\\", recorded \\"hi\\"' in other.stderr.replace(
        "'", ""
    ) or ('asked "hello", recorded "hi"' in other.stderr)
    assert len(provider.requests) == 4


def test_a_file_that_is_gone_ends_the_program_instead_of_letting_it_call(
    program: Path, provider: FakeProvider, tmp_path: Path
) -> None:
    from miharu.cli.run.program import recording

    told = setting(tmp_path / "gone.json", ignore=(), reuse=False, paced=False)
    env = environment(tmp_path, OPENAI_BASE_URL=provider.base_url) | {VARIABLE: told}
    done = subprocess.run(
        [sys.executable, str(program), "hi"],
        check=False, env=recording(env), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "gone.json cannot be read" in done.stderr
    assert not provider.requests


@contextmanager
def replaying(*arguments: str, home: Path) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "miharu", "cassette", "replay", *arguments],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"export OPENAI_BASE_URL=(http://127\.0\.0\.1:\d+/v1)\n", line)
        assert found, line
        yield found[1], process
    finally:
        process.kill()
        process.communicate()


def test_it_answers_any_program_on_a_port(tmp_path: Path) -> None:
    file = stored(tmp_path / "calls.db", asking())
    out = tmp_path / "c.json"
    assert record(tmp_path, file, out) == ""
    asked = {"messages": [{"content": "hi", "role": "user"}], "model": "m"}
    with (
        replaying(str(out), home=tmp_path) as (url, process),
        httpx2.Client(base_url=url, trust_env=False, timeout=30) as http,
    ):
        assert http.post("chat/completions", json=asked).json() == {"choices": []}
        missed = http.post("chat/completions", json=asked)
        assert missed.status_code == 400
        assert "was used already" in missed.json()["error"]["message"]
        process.send_signal(signal.SIGINT)
        complaints = process.communicate(timeout=30)[1]
        assert process.returncode == 1
    assert "was not recorded in" in complaints


def test_what_was_not_used_is_said_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "c.json"
    assert record(tmp_path, stored(tmp_path / "calls.db", asking()), out) == ""
    with replaying(str(out), home=tmp_path) as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == "miharu: nothing was answered with exchange 1.\n"
        assert process.returncode == 0


def record(home: Path, database: Path, out: Path, *options: str) -> str:
    """What was said on standard error."""
    named = ("--out", str(out))
    done = subprocess.run(
        [sys.executable, "-m", "miharu", "cassette", "record", "--database", str(database), *named, *options],
        check=True, env=environment(home), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stderr


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ((), ["1", "2", "3", "4"]),
        (("--session", "s"), ["2"]),
        (("--trace", "t" * 32), ["3"]),
        (("--route", "POST /chat"), ["1"]),
        (("--model", "other"), ["4"]),
        (("--range", "2h"), ["4"]),
        (("--limit", "2"), ["3", "4"]),
    ],
)
def test_calls_are_chosen_as_for_export(options: Any, texts: list[str], tmp_path: Path, run: Run) -> None:
    now = time.time_ns() // 1_000_000
    file = stored(
        tmp_path / "calls.db",
        asking("1", timestamp=NOON, route="POST /chat"),
        asking("2", timestamp=NOON + 1, session_id="s"),
        asking("3", timestamp=NOON + 2, trace_id="t" * 32),
        asking("4", timestamp=now - 3_600_000, model="other"),
    )
    out = tmp_path / "c.json"
    done = run("cassette", "record", "--database", str(file), "--out", str(out), *options)
    assert done.returncode == 0, done.stderr
    assert [one.asked.body["messages"][0]["content"] for one in load(out)] == texts
    assert ("there are more; these are the newest 2" in done.stderr) is ("--limit" in options)


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path, run: Run) -> None:
    sound = b"[audio/mpeg, 40000 bytes, sha256 " + b"0" * 64 + b"]"
    file = stored(
        tmp_path / "calls.db",
        asking(),
        make_call(timestamp=NOON + 1),
        make_call(timestamp=NOON + 2),
        asking(timestamp=NOON + 3, service_tier=BATCH),
        asking(timestamp=NOON + 4, api="openai.realtime"),
        asking(timestamp=NOON + 5, api="openai.speech", body=Body(request=b"{}", response=sound)),
    )
    done = run("cassette", "record", "--database", str(file), "--out", str(tmp_path / "c.json"))
    assert (done.returncode, done.stdout) == (0, f"1 call is in {tmp_path / 'c.json'}.\n")
    one, two = "miharu: 1 call is left out", "miharu: 2 calls are left out"
    assert sorted(done.stderr.splitlines()) == [
        f"{one}, with an answer of sound or pictures, of which a database keeps no bytes.",
        f"{two}, of a session, a batch or a format of your own, which no single request asks for.",
        f"{two}, without content: it is kept with capture_content=True.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "status", "error", "headers"),
    [
        ({}, 200, None, {"content-type": "application/json"}),
        (
            {
                "outcome": Outcome(status="error", http_status=429, error_type="slow_down", retry_after_ms=7),
                "request_id": "r",
                "rate_limit": '{"x-ratelimit-limit-requests": "5"}',
            },
            429,
            None,
            {
                "content-type": "application/json",
                "retry-after-ms": "7",
                "x-ratelimit-limit-requests": "5",
                "x-request-id": "r",
            },
        ),
        (
            {
                "outcome": Outcome(status="error", error_type="httpx.ReadTimeout", error_message="so"),
                "body": Body(request=b"{}", response=None),
            },
            None,
            "httpx.ReadTimeout",
            {},
        ),
        (
            {
                "outcome": Outcome(status="error", http_status=200, error_type="httpx2.ReadError"),
                "body": Body(request=b"{}", response=b'data: {"a": 1}\n\ndata: {"b'),
                "stream": True,
            },
            200,
            "httpx2.ReadError",
            {"content-type": "text/event-stream; charset=utf-8"},
        ),
        (
            {"body": Body(request=b"{}", response=b'{"done":false}\n{"done":true}\n'), "stream": True},
            200,
            None,
            {"content-type": "application/x-ndjson"},
        ),
    ],
)
def test_status_headers_and_errors_are_those_of_the_call(
    facts: Any, status: int | None, error: str | None, headers: Any, tmp_path: Path, run: Run
) -> None:
    call, out = asking(**facts), tmp_path / "c.json"
    done = run(
        "cassette", "record", "--database", str(stored(tmp_path / "calls.db", call)), "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    [one] = load(out)
    assert (one.status, one.error_type, one.headers) == (status, error, headers)
    assert one.duration_ms == 100
    assert call.body is not None
    if call.stream:
        assert len(one.pieces) == 2
        assert b"".join(one.pieces) == call.body.response


def test_what_is_wrong_is_said(tmp_path: Path, run: Run) -> None:
    file, out = str(stored(tmp_path / "calls.db", make_call())), str(tmp_path / "c.json")
    nothing = run("cassette", "record", "--database", file, "--out", out)
    assert (nothing.returncode, "no call can be recorded" in nothing.stderr) == (1, True)
    Path(out).write_text("mine")
    for arguments, words in [
        (("record", "--database", file, "--out", out), "exists already"),
        (("record", "--database", file, "--out", f"{out}2", "--limit", "0"), "give a number from 1"),
        (("record", "--database", file, "--out", f"{out}2", "--", "true"), "exclude each other"),
        (("replay", out), "is not valid JSON"),
        (("replay", f"{out}3"), "cannot be read"),
        ((), "miharu cassette record"),
    ]:
        done = run("cassette", *arguments)
        assert done.returncode == 2
        assert words in " ".join(done.stderr.split())
    assert Path(out).read_text() == "mine"


def test_a_program_that_makes_no_call_or_is_not_there_leaves_no_file(
    tmp_path: Path, run_process: Run
) -> None:
    out = tmp_path / "c.json"
    for command, code in (("exit 0", 1), ("exit 7", 7)):
        done = run_process("cassette", "record", "--out", str(out), "--", "sh", "-c", command)
        assert done.returncode == code
        assert "recorded no call" in done.stderr
    done = run_process("cassette", "record", "--out", str(out), "--", "no-such-program")
    assert (done.returncode, out.exists()) == (127, False)
    assert list(tmp_path.iterdir()) == []
