"""The real SDKs' sessions over WebSockets: each answer is a row with what the provider told."""

import json
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import miharu
from tests.sdks.sessions import GEMINI_USAGE, REALTIME_USAGE, RESPONSES_USAGE, Speaking, speaking

if find_spec("websockets") is None or find_spec("google.genai") is None:
    pytest.skip("the SDKs have an environment of their own: requirements/sdks.txt", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")

Run = Callable[[Any], Any]
SETTINGS = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}


@pytest.fixture(scope="module")
def there(provider: object) -> Iterator[Speaking]:
    """Every host name means this machine, as long as the other provider is there."""
    with speaking() as found:
        yield found


@pytest.fixture
def watched(database: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    miharu.init(database, capture_content=True)

    def rows() -> list[dict[str, Any]]:
        assert miharu.flush(30)
        assert miharu.stats()["errors"] == 0
        with closing(sqlite3.connect(database)) as opened:
            opened.row_factory = sqlite3.Row
            return [dict(row) for row in opened.execute("SELECT * FROM llm_calls ORDER BY timestamp, rowid")]

    yield rows
    miharu.shutdown()


def _client(there: Speaking, name: str = "OpenAI") -> Any:
    openai = import_module("openai")
    return getattr(openai, name)(api_key="any", base_url=there.url("api.openai.com", path="/v1"))


REALTIME = {
    "api": "openai.realtime",
    "provider": "openai",
    "http_status": 101,
    "status": "success",
    "model": "gpt-realtime",
    "request_model": "gpt-realtime",
    "prompt_tokens": 132,
    "completion_tokens": 121,
    "cached_tokens": 64,
    "audio_input_tokens": 13,
    "audio_output_tokens": 91,
    "finish_reason": "completed",
    "session_id": "sess_1",
    "cost_nanousd": 55 * 4_000 + 64 * 400 + 13 * 32_000 + 30 * 16_000 + 91 * 64_000,
}


def _is(row: dict[str, Any], **wanted: Any) -> None:
    assert {name: row[name] for name in wanted} == wanted


def test_openai_realtime(there: Speaking, watched: Callable[[], list[dict[str, Any]]]) -> None:
    with _client(there).realtime.connect(model="gpt-realtime") as connection:
        for _ in range(2):
            connection.response.create()
            for event in connection:
                if event.type == "response.done":
                    assert event.response.usage.total_tokens == REALTIME_USAGE["total_tokens"]
                    break
    one, other = watched()
    _is(one, **REALTIME, response_id="resp_1", sdk=f"openai/{import_module('openai').__version__}")
    _is(other, **REALTIME, response_id="resp_2")
    for row in (one, other):
        assert json.loads(row["usage_raw"]) == REALTIME_USAGE
        assert 0 <= row["ttft_ms"] <= row["duration_ms"]


def test_openai_realtime_that_hears(
    there: Speaking, watched: Callable[[], list[dict[str, Any]]], run: Run
) -> None:
    async def talk() -> None:
        async with _client(there, "AsyncOpenAI").realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session=SETTINGS)
            await connection.input_audio_buffer.append(audio="A" * 8000)
            async for event in connection:
                if event.type == "conversation.item.input_audio_transcription.completed":
                    return

    run(talk())
    rows = {row["model"]: row for row in watched()}
    assert len(rows) == 2
    _is(rows["gpt-realtime"], **REALTIME)
    _is(
        rows["gpt-4o-mini-transcribe"],
        api="openai.realtime",
        status="success",
        prompt_tokens=10,
        completion_tokens=4,
        audio_input_tokens=10,
        session_id="sess_1",
        cost_nanousd=10 * 3_000 + 4 * 5_000,
    )


@pytest.mark.parametrize(
    ("end", "wanted"),
    [
        ("cancelled", {"status": "cancelled", "finish_reason": "turn_detected", "prompt_tokens": 132}),
        ("break", {"status": "error", "error_type": "websocket_1011", "prompt_tokens": None}),
    ],
)
def test_openai_realtime_that_ends_otherwise(
    there: Speaking, watched: Callable[[], list[dict[str, Any]]], run: Run, end: str, wanted: dict[str, Any]
) -> None:
    closed = import_module("websockets.exceptions").ConnectionClosed

    async def talk() -> None:
        async with _client(there, "AsyncOpenAI").realtime.connect(model="gpt-realtime") as connection:
            await connection.response.create(response={"metadata": {"end": end}})
            try:
                async for event in connection:
                    if event.type == "response.done":
                        return
            except closed:
                return

    run(talk())
    (row,) = watched()
    _is(row, **wanted, model="gpt-realtime", session_id="sess_1")


def test_openai_realtime_that_is_left(there: Speaking, watched: Callable[[], list[dict[str, Any]]]) -> None:
    with _client(there).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create(response={"metadata": {"end": "completed"}})
        for event in connection:
            if event.type == "response.created":
                break
    (row,) = watched()
    assert row["status"] in {"cancelled", "success"}  # its end may come while the session is being closed


def test_openai_responses(there: Speaking, watched: Callable[[], list[dict[str, Any]]], run: Run) -> None:
    async def ask() -> None:
        async with _client(there, "AsyncOpenAI").responses.connect() as connection:
            await connection.response.create(model="gpt-5-mini", input="Does it rain?")
            async for event in connection:
                if event.type == "response.completed":
                    break
            await connection.response.create(model="gpt-5-mini", input="And?", previous_response_id="none")
            async for event in connection:
                if event.type == "error":
                    break

    run(ask())
    answered, refused = watched()
    _is(
        answered,
        api="openai.responses",
        provider="openai",
        status="success",
        model="gpt-5-mini-2025-08-07",
        request_model="gpt-5-mini",
        prompt_tokens=100,
        completion_tokens=20,
        cached_tokens=40,
        reasoning_tokens=8,
        response_id="resp_1",
        cost_nanousd=60 * 250 + 40 * 25 + 20 * 2_000,
    )
    assert json.loads(answered["usage_raw"]) == RESPONSES_USAGE
    _is(refused, status="error", error_type="invalid_request_error", request_model="gpt-5-mini")


def test_gemini_live(
    provider: object, watched: Callable[[], list[dict[str, Any]]], run: Run, tmp_path: Path
) -> None:
    genai = import_module("google.genai")
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE

    async def talk(there: Speaking) -> list[Any]:
        client = genai.Client(
            api_key="any",
            http_options={
                "base_url": there.url("generativelanguage.googleapis.com", "https"),
                "async_client_args": {"ssl": unverified},
            },
        )
        async with client.aio.live.connect(
            model="gemini-2.5-flash-native-audio-preview-09-2025", config={"response_modalities": ["AUDIO"]}
        ) as session:
            heard = []
            await session.send_client_content(turns={"role": "user", "parts": [{"text": "Does it rain?"}]})
            heard += [message async for message in session.receive()]
            await session.send_realtime_input(text="And now?")
            heard += [message async for message in session.receive()]
            return heard

    with speaking(tmp_path / "certificate.pem") as there:
        heard = run(talk(there))
    assert [message.usage_metadata.total_token_count for message in heard if message.usage_metadata] == [
        1313,
        1313,
    ]
    rows = watched()
    assert len(rows) == 2
    for row in rows:
        _is(
            row,
            api="gemini.live",
            provider="gcp.gemini",
            status="success",
            request_model="gemini-2.5-flash-native-audio-preview-09-2025",
            prompt_tokens=1236,
            completion_tokens=77,
            audio_output_tokens=64,
            finish_reason="turn_complete",
            session_id="s-1",
            cost_nanousd=1236 * 500 + 13 * 2_000 + 64 * 12_000,
        )
        assert json.loads(row["usage_raw"]) == GEMINI_USAGE
        assert 0 <= row["ttft_ms"] <= row["duration_ms"]


def test_what_was_said_is_kept_and_sound_is_not(
    there: Speaking, watched: Callable[[], list[dict[str, Any]]], database: Path
) -> None:
    with _client(there).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        for event in connection:
            if event.type == "response.done":
                break
    assert len(watched()) == 1
    with closing(sqlite3.connect(database)) as opened:
        tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        bodies = next(name for name in tables if "bod" in name)
        (size,) = opened.execute(f"SELECT max(length(response)) FROM {bodies}").fetchone()
    assert 0 < size < 4_000
