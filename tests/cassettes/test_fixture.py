"""The fixture of pytest, in runs of their own, whose model is one of this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2  # noqa: F401 - what a run in this process imports first is taken out of it, and imported again
import openai  # noqa: F401 - so that the runs in this process need not import it
import pytest

from miharu.cassettes.file import load
from miharu.testing import FakeProvider

pytest_plugins = ["pytester"]

HEAD = """
import openai, os, pytest
def ask(text="hi", model="gpt-4o", **more):
    key = "sk-" + "a1b2c3d4" * 6
    with openai.OpenAI(base_url=os.environ["MODEL_URL"], api_key=key, max_retries=1) as client:
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], **more
        )
        return list(answer) if more.get("stream") else answer
"""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=0.01) as serving:
        monkeypatch.setenv("MODEL_URL", serving.base_url)
        yield serving


def outcome(pytester: pytest.Pytester, program: str, *options: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    pytester.makepyfile(test_it=HEAD + program)
    apart = "-n" in options  # else in this process, which has imported the SDK once
    run = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
    done = run("-p", "no:cacheprovider", "-W", "default", *options)
    return int(done.ret), done.stdout.str() + done.stderr.str()


def cassette(pytester: pytest.Pytester, name: str) -> Path:
    return pytester.path / "cassettes" / "test_it" / f"{name}.json"


def test_without_a_file_nothing_goes_out_and_the_remedy_is_said(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    code, said = outcome(pytester, "def test_one(miharu_replay):\n    ask()\n")
    assert code == 1
    assert "there is no cassette" in said
    assert "run the test once with --miharu-record" in said
    assert not provider.requests


def test_it_is_recorded_once_and_answers_from_then_on(
    pytester: pytest.Pytester, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
said = []
@pytest.mark.miharu_replay
def test_one(miharu_calls):
    assert ask().choices[0].message.content
    assert "".join(c.choices[0].delta.content or "" for c in ask(stream=True) if c.choices)
    with pytest.raises(openai.InternalServerError):
        ask(model="error-500")
    assert ask(model="error-then-ok").usage.total_tokens > 0
    assert [call.outcome.http_status for call in miharu_calls] == [200, 200, 500, 500, 500, 200]
"""
    code, said = outcome(pytester, program, "--miharu-record")
    assert code == 0, said
    assert len(provider.requests) == 6
    text = cassette(pytester, "test_one").read_text()
    assert [one.status for one in load(cassette(pytester, "test_one"))] == [200, 200, 500, 500, 500, 200]
    assert "a1b2c3d4" not in text
    assert "authorization" not in text.lower()
    monkeypatch.setenv("MODEL_URL", "https://api.openai.com/v1")
    for options in ((), ("--miharu-record",)):
        code, said = outcome(pytester, program, *options)
        assert code == 0, said
    assert len(provider.requests) == 6
    assert cassette(pytester, "test_one").read_text() == text


def test_what_is_missing_is_added(pytester: pytest.Pytester, provider: FakeProvider) -> None:
    assert outcome(pytester, "def test_one(miharu_replay):\n    ask()\n", "--miharu-record")[0] == 0
    before = json.loads(cassette(pytester, "test_one").read_text())["exchanges"]
    program = "def test_one(miharu_replay):\n    ask()\n    ask('more')\n"
    assert outcome(pytester, program, "--miharu-record")[0] == 0
    after = json.loads(cassette(pytester, "test_one").read_text())["exchanges"]
    assert (after[:1], len(after)) == (before, 2)
    assert len(provider.requests) == 2
    assert outcome(pytester, program)[0] == 0


def test_another_question_fails_the_test_even_where_its_error_is_caught(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    assert outcome(pytester, "def test_one(miharu_replay):\n    ask()\n", "--miharu-record")[0] == 0
    program = """
def test_one(miharu_replay):
    try:
        ask("hello")
    except openai.BadRequestError:
        pass
"""
    code, said = outcome(pytester, program)
    assert code == 1
    assert 'body.messages[0].content: asked "hello", recorded "hi"' in said
    assert "1 passed, 1 error" in said
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("mark", "ini", "code", "words"),
    [
        ("", "", 1, "of test_one.json nothing was answered with exchange 2"),
        ("(unused='warn')", "", 0, "PytestWarning: miharu_replay: of test_one.json nothing was answered"),
        ("(unused='ignore')", "", 0, "1 passed in"),
        ("", "miharu_replay_unused = ignore", 0, "1 passed in"),
        ("(unused='never')", "", 1, "unused='never' is not one of fail, warn, ignore"),
        ("('a', 'b')", "", 1, "miharu_replay takes one file"),
        ("(often=True)", "", 1, "miharu_replay takes one file"),
    ],
)
def test_what_is_not_used_is_said(
    pytester: pytest.Pytester, provider: FakeProvider, mark: str, ini: str, code: int, words: str
) -> None:
    program = "@pytest.mark.miharu_replay\ndef test_one():\n    ask()\n    ask('more')\n"
    assert outcome(pytester, program, "--miharu-record")[0] == 0
    pytester.makeini(f"[pytest]\n{ini}\n")
    program = f"@pytest.mark.miharu_replay{mark}\ndef test_one():\n    ask()\n"
    found, said = outcome(pytester, program)
    assert (found, words in said) == (code, True), said
    assert provider.requests


def test_a_test_that_fails_is_not_blamed_for_what_it_did_not_use(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    assert outcome(pytester, "def test_one(miharu_replay):\n    ask()\n", "--miharu-record")[0] == 0
    code, said = outcome(pytester, "def test_one(miharu_replay):\n    assert False\n")
    assert (code, "nothing was answered" in said) == (1, False)
    assert provider.requests


def test_a_file_may_serve_several_tests_and_ignore_what_varies(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    program = """
import uuid
shared = pytest.mark.miharu_replay("shared.json", ignore="metadata.id", reuse=True, unused="ignore")
@shared
def test_one():
    ask(metadata={"id": str(uuid.uuid4())})
@shared
def test_two():
    ask(metadata={"id": str(uuid.uuid4())})
    ask(metadata={"id": str(uuid.uuid4())})
"""
    for options in (("--miharu-record",), (), ("-n", "2")):
        code, said = outcome(pytester, program, *options)
        assert code == 0, said
    assert len(provider.requests) == 1
    assert len(load(pytester.path / "shared.json")) == 1


def test_several_processes_record_into_one_file_and_answer_from_it(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    program = """
shared = pytest.mark.miharu_replay("shared.json", unused="ignore")
@shared
@pytest.mark.parametrize("number", range(12))
def test_one(number):
    assert ask(str(number)).choices
"""
    for options in (("-n", "2", "--miharu-record"), ()):
        code, said = outcome(pytester, program, *options)
        assert code == 0, said
    assert len(provider.requests) == 12
    asked = [one.asked.body["messages"][0]["content"] for one in load(pytester.path / "shared.json")]
    assert sorted(asked, key=int) == [str(number) for number in range(12)]


def test_asyncio_and_threads_are_answered(pytester: pytest.Pytester, provider: FakeProvider) -> None:
    program = """
import asyncio, threading
async def aask(text, stream=False):
    async with openai.AsyncOpenAI(base_url=os.environ["MODEL_URL"], api_key="any") as client:
        answer = await client.responses.create(model="gpt-4o", input=text, stream=stream)
        return [event async for event in answer][-1].response.output_text if stream else answer.output_text
@pytest.mark.miharu_replay
@pytest.mark.anyio
async def test_one(anyio_backend):
    assert all(await asyncio.gather(*(aask(str(number), number % 2) for number in range(6))))
    await asyncio.to_thread(ask)
    thread = threading.Thread(target=ask, args=["in a thread"])
    thread.start()
    thread.join()
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
    for options in (("--miharu-record",), ()):
        code, said = outcome(pytester, program, *options)
        assert code == 0, said
    assert len(provider.requests) == 8


def test_the_pace_is_kept_on_demand(pytester: pytest.Pytester, provider: FakeProvider) -> None:
    program = """
import time
def test_one(miharu_replay):
    before = time.perf_counter()
    ask()
    print("took", time.perf_counter() - before)
    assert not miharu_replay.paced or time.perf_counter() - before >= 0.7
"""
    provider._latency = 0.7
    assert outcome(pytester, program, "--miharu-record")[0] == 0
    provider._latency = 0
    assert outcome(pytester, program)[0] == 0
    code, said = outcome(pytester, program, "--miharu-replay-paced")
    assert code == 0, said


def test_a_cassette_that_cannot_be_read_fails_its_test(
    pytester: pytest.Pytester, provider: FakeProvider
) -> None:
    (pytester.path / "broken.json").write_text("{")
    program = "@pytest.mark.miharu_replay('broken.json')\ndef test_one():\n    ask()\n"
    code, said = outcome(pytester, program)
    assert code == 1
    assert "broken.json is not valid JSON" in said
    assert not provider.requests


def test_calls_go_out_again_afterwards(pytester: pytest.Pytester, provider: FakeProvider) -> None:
    program = "def test_one(miharu_replay):\n    ask()\ndef test_two():\n    ask('outside')\n"
    assert outcome(pytester, program, "--miharu-record")[0] == 0
    assert outcome(pytester, program)[0] == 0
    asked: list[Any] = [one.body["messages"][0]["content"] for one in provider.requests]
    assert asked == ["hi", "outside", "outside"]
    assert len(load(cassette(pytester, "test_one"))) == 1


def test_a_tool_call_is_played(pytester: pytest.Pytester, provider: FakeProvider) -> None:
    program = """
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
def test_one(miharu_replay):
    plain = ask(tools=TOOLS).choices[0].message.tool_calls[0].function
    streamed = [c.choices[0].delta.tool_calls for c in ask(tools=TOOLS, stream=True) if c.choices]
    arguments = "".join(calls[0].function.arguments or "" for calls in streamed if calls)
    assert (plain.name, plain.arguments) == ("weather", arguments)
"""
    for options in (("--miharu-record",), ()):
        code, said = outcome(pytester, program, *options)
        assert code == 0, said
    assert len(provider.requests) == 2
