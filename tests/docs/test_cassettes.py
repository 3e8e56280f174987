"""What the page on cassettes shows, done as its reader would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import miharu
from miharu.cassettes.file import load
from miharu.cli import main
from miharu.testing import FakeProvider
from tests.calls import ask
from tests.cli.conftest import environment
from tests.docs.blocks import BLOCKS, ROOT, Block, of

PAGE = "docs/cassettes.md"
ASKING = """
import openai
with openai.OpenAI() as client:
    messages = [{"role": "user", "content": "hi"}]
    print(client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content)
"""
TEST, ERROR = (
    next(block for block in BLOCKS if block.page == PAGE and words in block.text)
    for words in ("miharu_replay\ndef", "The nearest is")
)


def in_shell(command: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of the page, where `miharu`, `python` and `pytest` are those of this environment."""
    for name, module in (
        ("miharu", "-m miharu"),
        ("pytest", "-m pytest -p no:cacheprovider"),
        ("python", ""),
    ):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "OPENAI_API_KEY": "any", "NO_PROXY": "*", "PYTHONWARNINGS": "default"}
    env = environment(folder) | own | more
    words = ["/bin/sh", "-c", command]
    return subprocess.run(
        words, check=False, cwd=folder, env=env, capture_output=True, text=True, timeout=120
    )


@of(PAGE, "miharu_replay\ndef")
def test_the_test_of_the_page_asks_a_model(example: Block) -> None:
    names = example.run()
    assert [mark.name for mark in names.test_the_answer_is_short.pytestmark] == ["miharu_replay"]


@of(PAGE, "--miharu-record")
def test_it_is_recorded_once_and_needs_no_network_from_then_on(example: Block, tmp_path: Path) -> None:
    (tmp_path / "test_answers.py").write_text(TEST.text)
    recording, playing = example.commands
    with FakeProvider(answer="It rains a lot.") as provider:
        done = in_shell(recording, tmp_path, OPENAI_BASE_URL=provider.base_url)
        assert done.returncode == 0, done.stdout
        assert len(provider.requests) == 1
    done = in_shell(playing, tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "cassettes" / "test_answers" / "test_the_answer_is_short.json").exists()
    (tmp_path / "test_answers.py").write_text(TEST.text.replace("Huế", "Hà Nội"))
    done = in_shell(playing, tmp_path)
    assert done.returncode == 1
    for line in ERROR.text.splitlines():
        assert line in done.stdout


@of(PAGE, "The nearest is")
def test_the_message_of_the_page_is_shown(example: Block) -> None:
    assert example == ERROR  # the test above has looked for it


@of(PAGE, '"miharu_cassette": 1')
def test_the_file_of_the_page_can_be_read(example: Block, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(example.text)
    [one] = load(file)
    assert one.asked.body["model"] == "gpt-4o-mini"
    assert json.loads(b"".join(one.pieces))["choices"][0]["message"]["content"] == "Yes."


@of(PAGE, "record --session")
def test_a_session_of_a_database_becomes_a_cassette(
    example: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(tmp_path / "calls.db"))
    miharu.init(capture_content=True)
    ask("in another session")
    with miharu.context(session="0193-chat"):
        ask("in this one")
    assert miharu.shutdown()
    [command] = example.commands
    assert main(command.split()[1:]) == 0
    [one] = load(tmp_path / "chat.json")
    assert one.asked.body["messages"][0]["content"] == "in this one"


@of(PAGE, "-- python ask.py")
def test_a_program_is_recorded_and_answered(example: Block, tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(ASKING)
    recording, playing = example.commands
    with FakeProvider() as provider:
        said = in_shell(recording, tmp_path, OPENAI_BASE_URL=provider.base_url)
    assert said.returncode == 0, said.stderr
    again = in_shell(playing, tmp_path, OPENAI_BASE_URL="https://nowhere.invalid/v1")
    assert (again.returncode, again.stdout) == (0, said.stdout.splitlines(keepends=True)[0]), again.stderr


@of(PAGE, "--format openai-jsonl")
def test_rated_calls_become_examples(example: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(tmp_path / "calls.db"))
    miharu.init(capture_content=True)
    for question, helpful in (("good", True), ("bad", False)):
        with miharu.span("answer") as span:
            ask(question)
        miharu.score(span.trace_id, "helpful", helpful)
    assert miharu.shutdown()
    [command] = example.commands
    assert main([word.strip("'") for word in command.split()[1:]]) == 0
    [line] = (tmp_path / "examples.jsonl").read_text().splitlines()
    assert [one["content"] for one in json.loads(line)["messages"]] == ["good", "hi"]


def test_the_page_is_in_the_navigation() -> None:
    assert "Cassettes: cassettes.md" in (ROOT / "mkdocs.yml").read_text()
