"""The app's own tests. The model's answers come from cassettes beside this file: no key and no network.

pytest test_app.py
OPENAI_API_KEY=… pytest --miharu-record test_app.py    records what is not in them
"""

import os
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

import miharu

pytestmark = pytest.mark.miharu_replay


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("OPENAI_API_KEY", os.environ.get("OPENAI_API_KEY", "any"))
    from app import app

    with TestClient(app) as client:
        yield client


def test_a_thread_is_answered_and_named(client: TestClient, miharu_calls: miharu.Calls) -> None:
    answer = client.post("/chat/1", json={"text": "Where is my order?"}).raise_for_status().json()
    assert answer["text"]
    assert [call.api for call in miharu_calls] == ["openai.chat", "openai.responses"]
    assert {call.route for call in miharu_calls} == {"POST /chat/{thread_id}"}


def test_a_thread_goes_on_as_a_stream(client: TestClient, miharu_calls: miharu.Calls) -> None:
    client.post("/chat/2", json={"text": "Where is my order?"}).raise_for_status()
    assert client.post("/chat/2/stream", json={"text": "And when?"}).raise_for_status().text
    assert [call.stream for call in miharu_calls] == [False, False, True]
    assert all(call.outcome.status == "success" for call in miharu_calls)


def test_a_text_is_summarised(client: TestClient, miharu_calls: miharu.Calls) -> None:
    assert client.post("/summarise", json={"text": "A long story."}).raise_for_status().json()["text"]
    assert 0 < miharu_calls.cost_nanousd < 1_000_000
