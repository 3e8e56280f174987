"""The example as a user runs it: a server of its own, driven and looked at through HTTP."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

import httpx
import pytest

from miharu.testing import FakeProvider

APP = Path(__file__).parents[2] / "examples" / "fastapi_app"


@contextmanager
def running(database: Path, **env: str) -> Iterator[httpx.Client]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "OPENAI_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"],
        cwd=APP,
        env=kept | {"MIHARU_DATABASE_URL": str(database), "NO_PROXY": "*", "MIHARU_AUTH": "off"} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    try:
        address = None
        for line in cast("IO[str]", process.stdout):
            said.append(line)
            address = re.search(r"running on (http://\S+)", line)
            if address:
                break
        assert address, said
        with httpx.Client(base_url=address[1], trust_env=False, timeout=30) as http:
            yield http
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert "Traceback" not in out.replace("Traceback (most recent call last):\n  KeyboardInterrupt", "")
    finally:
        if process.poll() is None:
            process.kill()
            print(process.communicate()[0])


def rows(database: Path, table: str = "llm_calls") -> list[sqlite3.Row]:
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def test_each_call_is_recorded_with_its_route(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with (
        FakeProvider() as provider,
        running(database, OPENAI_API_KEY="k", OPENAI_BASE_URL=provider.base_url) as http,
    ):
        first = http.post("/chat/7", json={"text": "Where is my order?"}).raise_for_status().json()
        streamed = http.post("/chat/7/stream", json={"text": "And when?"}).raise_for_status().text
        summary = http.post("/summarise", json={"text": "A long story."}).raise_for_status().json()
        overview = http.get("/miharu/").raise_for_status()
    assert all((first["text"], streamed, summary["text"]))
    assert "miharu" in overview.text
    found = {(row["route"], row["api"], row["stream"]): row for row in rows(database)}
    assert set(found) == {
        ("POST /chat/{thread_id}", "openai.chat", 0),
        ("POST /chat/{thread_id}", "openai.responses", 0),  # in the background
        ("POST /chat/{thread_id}/stream", "openai.chat", 1),
        ("POST /summarise", "openai.responses", 0),
    }
    assert all(row["status"] == "success" and row["cost_nanousd"] > 0 for row in found.values())
    chat = found["POST /chat/{thread_id}", "openai.chat", 0]
    stream = found["POST /chat/{thread_id}/stream", "openai.chat", 1]
    # The thread has grown by a question and an answer.
    assert stream["prompt_tokens"] > chat["prompt_tokens"]
    assert json.loads(stream["usage_raw"])["prompt_tokens"] == stream["prompt_tokens"]


def test_each_call_belongs_to_its_visitor_and_its_trace(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with (
        FakeProvider() as provider,
        running(database, OPENAI_API_KEY="k", OPENAI_BASE_URL=provider.base_url) as http,
    ):
        ann = {"x-user": "ann", "x-session": "s-1"}
        answer = http.post("/chat/7", json={"text": "hello"}, headers=ann).raise_for_status().json()
        http.post("/feedback", json={"trace": answer["trace"], "helpful": True}).raise_for_status()
        http.post("/chat/8/stream", json={"text": "hello"}, headers={"x-user": "bob"}).raise_for_status()
    ann_chats, ann_titles, bob_streams = sorted(rows(database), key=lambda row: (row["user_id"], row["api"]))
    assert [row["user_id"] for row in (ann_chats, ann_titles, bob_streams)] == ["ann", "ann", "bob"]
    assert [row["session_id"] for row in (ann_chats, ann_titles, bob_streams)] == ["s-1", "s-1", None]
    assert ann_chats["trace_id"] == ann_titles["trace_id"] == answer["trace"] != bob_streams["trace_id"]
    assert json.loads(ann_titles["tags"]) == {"for": "title"}
    [span] = rows(database, "llm_spans")
    assert (span["name"], span["id"], ann_titles["parent_id"]) == ("answer", ann_chats["parent_id"], None)
    [score] = rows(database, "llm_scores")
    assert (score["trace_id"], score["name"], score["value"]) == (answer["trace"], "helpful", 1.0)


def test_a_provider_that_fails_is_a_bad_gateway(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    env = {"OPENAI_API_KEY": "k", "OPENAI_MODEL": "error-400"}
    with FakeProvider() as provider, running(database, OPENAI_BASE_URL=provider.base_url, **env) as http:
        for path in ("/chat/7", "/chat/7/stream", "/summarise"):
            assert http.post(path, json={"text": "hello"}).status_code == 502
        assert http.post("/chat/7", json={"text": ""}).status_code == 422
    assert [row["status"] for row in rows(database)] == ["error"] * 3


def test_without_a_key_the_bundled_provider_answers(tmp_path: Path) -> None:
    with running(tmp_path / "calls.db") as http:
        assert http.post("/summarise", json={"text": "hello"}).raise_for_status().json()["text"]
    assert len(rows(tmp_path / "calls.db")) == 1


def test_its_requirements_are_what_it_imports() -> None:
    needed = {re.split(r"\W", line)[0] for line in (APP / "requirements.txt").read_text().splitlines()}
    imported = set(re.findall(r"^(?:from|import) (\w+)", (APP / "app.py").read_text(), re.MULTILINE))
    assert needed >= imported - set(sys.stdlib_module_names) - {"pydantic"}


@pytest.mark.parametrize("name", ["README.md", "requirements.txt", "app.py"])
def test_the_example_is_complete(name: str) -> None:
    assert (APP / name).is_file()


def test_its_own_tests_need_no_network() -> None:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "OPENAI_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"],
        check=False,
        cwd=APP,
        env=kept | {"OPENAI_BASE_URL": "https://nowhere.invalid/v1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert "miharu: 6 calls, " in done.stdout
