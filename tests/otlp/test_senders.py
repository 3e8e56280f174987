"""Real instrumentors, each in a process of its own, and what of their spans stands in the database."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from miharu.testing import FakeProvider
from tests.remote.world import TOKEN, Taker, environment
from tests.stores.faults import ROOT

if find_spec("openinference") is None:
    pytest.skip(
        "the instrumentors have an environment of their own: requirements/senders.txt",
        allow_module_level=True,
    )

CLAUDE = (
    b'{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{"type":'
    b'"text","text":"Fine."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,'
    b'"cache_read_input_tokens":1000,"cache_creation_input_tokens":100,"output_tokens":5}}'
)

Sender = Callable[..., list[dict[str, Any]]]

PATIENCE_S = 60
"""Of a sender with a request: a busy machine is no failure."""
HUNG_S = 600
"""When a sender will never end."""


@pytest.fixture
def taker(tmp_path: Path) -> Iterator[Taker]:
    taker = Taker(tmp_path).start()
    yield taker
    taker.end()


@pytest.fixture
def provider() -> Iterator[str]:
    with FakeProvider() as fake:
        yield fake.url.removesuffix("/v1")


@pytest.fixture
def claude() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(CLAUDE)))
            self.end_headers()
            self.wfile.write(CLAUDE)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def rows(database: Path, table: str = "llm_calls") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY timestamp")]


@pytest.fixture
def send(taker: Taker, tmp_path: Path) -> Sender:
    """Run a sender; the calls that are stored then."""

    def run(command: list[str], **more: str) -> list[dict[str, Any]]:
        variables = environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{taker.port}",
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{TOKEN}",
            OTEL_EXPORTER_OTLP_TIMEOUT=timeout_for(command),
            OTEL_SERVICE_NAME="shop",
            LOGFIRE_IGNORE_NO_CONFIG="1",
            **more,
        )
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=HUNG_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Failed to export" not in done.stderr, done.stderr
        return rows(taker.database)

    return run


def timeout_for(command: list[str]) -> str:
    """As the sender reads it: in Python as seconds, in JavaScript as milliseconds, which is the standard."""
    return str(PATIENCE_S * 1000 if command[0] == "node" else PATIENCE_S)


def python(name: str, provider: str) -> list[str]:
    return [sys.executable, "-m", f"tests.otlp.senders.{name}", provider]


def chats_of(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for call in calls if call["request_model"] == "gpt-4o" and call["status"] == "success"]


def are_whole(calls: list[dict[str, Any]], **facts: Any) -> None:
    """The call and the stream: model, tokens, cost, service, and an id."""
    whole, streamed = chats_of(calls)
    for call in (whole, streamed):
        assert call["model"] == "gpt-4o-2024-08-06"
        assert call["provider"] == "openai"
        assert call["prompt_tokens"] > 0
        assert call["completion_tokens"] > 0
        assert call["cost_nanousd"] > 0
        assert call["service"] == "shop"
        assert {name: call[name] for name in facts} == facts


@pytest.mark.parametrize("name", ["openai_v2", "openllmetry", "openinference"])
def test_an_instrumentor_of_openai(name: str, send: Sender, provider: str, taker: Taker) -> None:
    calls = send(python(name, provider))
    are_whole(calls, cost_source="genai-prices")
    assert [call["stream"] for call in chats_of(calls)] == [0, name != "openai_v2" or calls[1]["stream"]]
    (failed,) = [call for call in calls if call["status"] == "error"]
    assert (failed["request_model"], failed["cost_nanousd"]) == ("gpt-4o", None)
    assert failed["error_type"]
    assert len(calls) == 4
    (embedding,) = [call for call in calls if (call["request_model"] or "").startswith("text-embedding")]
    assert embedding["api"] == "otel.embeddings"
    if name == "openllmetry":
        assert [span["name"] for span in rows(taker.database, "llm_spans")] == ["a piece of work"]


def test_an_instrumentor_of_anthropic(send: Sender, claude: str) -> None:
    (call,) = send(python("anthropic", claude))
    assert (call["model"], call["provider"]) == ("claude-sonnet-4-5-20250929", "anthropic")
    assert (call["prompt_tokens"], call["completion_tokens"]) == (1110, 5)
    assert (call["cached_tokens"], call["cache_write_tokens"]) == (1000, 100)
    assert call["response_id"] == "msg_01"
    assert call["cost_nanousd"] > 0


def test_an_instrumentor_beside_miharu_doubles_no_call(send: Sender, provider: str, taker: Taker) -> None:
    calls = send(python("beside", provider), MIHARU_DATABASE_URL=taker.url)
    assert len(calls) == 4
    assert {call["api"] for call in calls} == {"openai.chat", "openai.embeddings"}
    assert len(rows(taker.database, "llm_spans")) == 4


def test_two_instrumentors_double_no_call(send: Sender, provider: str, taker: Taker) -> None:
    calls = send(python("two", provider))
    assert len(calls) == 4
    assert len(rows(taker.database, "llm_spans")) == 4


def test_logfire(send: Sender, provider: str) -> None:
    calls = send(python("logfire", provider))
    are_whole(calls, cost_source="sender", sdk="logfire.openai")
    assert len(calls) == 4


def test_pydantic_ai(send: Sender, provider: str, taker: Taker) -> None:
    (call,) = send(python("pydantic_ai", provider))
    assert (call["model"], call["provider"]) == ("gpt-4o-2024-08-06", "openai")
    assert call["cost_nanousd"] > 0
    (run,) = rows(taker.database, "llm_spans")
    assert "forecaster" in run["name"] or "agent" in run["name"]
    assert (run["id"], run["trace_id"]) == (call["parent_id"], call["trace_id"])


def test_langfuse(send: Sender, taker: Taker) -> None:
    (call,) = send(python("langfuse", ""))
    assert (call["request_model"], call["prompt_tokens"], call["completion_tokens"]) == ("gpt-4o", 150, 20)
    assert (call["cost_nanousd"], call["cost_source"]) == (3_000_000, "sender")
    assert (call["user_id"], call["session_id"]) == ("ada", "s-1")
    assert [span["name"] for span in rows(taker.database, "llm_spans")] == ["answer"]


def test_the_ai_sdk_of_vercel(send: Sender, taker: Taker, tmp_path: Path) -> None:
    folder = os.environ.get("AI_SDK")
    if folder is None or shutil.which("node") is None:
        pytest.skip("AI_SDK names no folder with the packages of tests/otlp/senders/package.json")
    (tmp_path / "node_modules").symlink_to(Path(folder) / "node_modules")
    script = shutil.copy(ROOT / "tests" / "otlp" / "senders" / "vercel.mjs", tmp_path)
    said, streamed, embedding = send(["node", script])
    for call in (said, streamed):
        assert (call["provider"], call["request_model"]) == ("openai", "gpt-4o")
        assert (call["prompt_tokens"], call["completion_tokens"], call["cached_tokens"]) == (120, 30, 100)
        assert call["cost_source"] == "genai-prices"
        assert call["user_id"] == "ada"
        assert '"team": "search"' in call["tags"]
    assert (said["model"], said["response_id"]) == ("gpt-4o-2024-08-06", "chatcmpl-of-the-tests")
    assert [call["stream"] for call in (said, streamed)] == [0, 1]
    assert (embedding["api"], embedding["prompt_tokens"]) == ("otel.embeddings", 2)
    names = [span["name"] for span in rows(taker.database, "llm_spans")]
    assert sorted(names) == ["ai.embed", "ai.generateText", "ai.streamText"]
