"""The recorded-like exchanges in ``exchanges/``, each with what a reader has to find in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.stores.columns import CALLS, to_row
from tests.nested import nested
from tests.providers.eventstream import written
from tests.world import exchange, sse

CASES = sorted(Path(__file__).with_name("exchanges").glob("*.json"))
FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]


def read(**facts: Any) -> Call | None:
    return Reader(FORMATS).read(exchange(**facts))


def chunks_of(case: dict[str, Any]) -> list[bytes]:
    if "events" in case:
        events = [tuple(e) if isinstance(e, list) else e for e in case["events"]]
        return sse(*events, done=case.get("done", True))
    if "frames" in case:
        return written(case["frames"])
    return [case["raw"].encode() if "raw" in case else json.dumps(case["answer"]).encode()]


def facts_of(case: dict[str, Any]) -> dict[str, Any]:
    content_type = "text/event-stream; charset=utf-8" if "events" in case else "application/json"
    form = {"content-type": "multipart/form-data; boundary=b"} if "form" in case else {}
    return {
        "url": case["url"],
        "asked": case["form"].encode() if "form" in case else case["asked"],
        "method": case.get("method", "POST"),
        "status": case.get("status", 200),
        "headers": case.get("headers", {"content-type": content_type}),
        "request_headers": form,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_it_reads(path: Path) -> None:
    case = json.loads(path.read_text())
    call = read(**facts_of(case), chunks=chunks_of(case))
    assert call is not None
    row = dict(zip(CALLS, to_row(call), strict=True))
    assert {name: row[name] for name in case["expected"]} == case["expected"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@settings(max_examples=30)
@given(data=st.data())
def test_it_reads_whatever_is_left_of_it(path: Path, data: st.DataObject) -> None:
    """Cut, reordered or mutated, an exchange is still one call, and nothing raises."""
    case = json.loads(path.read_text())
    body = bytearray(b"".join(chunks_of(case)))
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]
    cut = data.draw(st.integers(0, len(body)))
    facts = facts_of(case)
    call = read(
        **facts,
        chunks=[bytes(body[:cut]), bytes(body[cut:])],
        end=data.draw(st.sampled_from(["eof", "closed"])),
    )
    assert call is not None or "localhost" in case["url"] or case.get("method") == "GET"


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_hostile_bytes_never_raise(body: bytes, asked: bytes) -> None:
    for url in (
        "https://api.openai.com/v1/chat/completions",
        "http://x/v1/responses",
        "http://x/completions",
    ):
        for content_type in ("text/event-stream", "application/json", ""):
            read(url=url, asked=asked, body=body, headers={"content-type": content_type})


NESTED = nested(["usage", "choices", "delta", "model", "error", "prompt_tokens", "id", "response", "type"])


@given(NESTED, NESTED)
def test_json_of_any_shape_never_raises(answer: object, asked: object) -> None:
    for url in ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/responses"):
        read(url=url, asked=asked, body=answer)
        read(url=url, asked=asked, chunks=sse(answer), headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize(
    "facts",
    [
        {"url": "http://mine/api/chat/completions", "asked": {"text": "hi"}, "body": {"ok": True}},
        {"url": "http://mine/forms/7/responses", "asked": {"model": "T", "input": 1}, "body": {"saved": 1}},
        {"url": "http://mine/v1/completions", "asked": {"query": "x"}, "body": {"choices": []}},
        {"url": "http://mine/embeddings", "asked": {"input": "x", "model": "m"}, "body": {"vectors": []}},
        {"url": "https://api.openai.com/v1/files", "asked": {}, "body": {}},
        {"url": "https://api.openai.com/v1/chat/completions", "asked": {}, "status": 307},
    ],
)
def test_what_only_looks_like_a_call_is_none(facts: dict[str, Any]) -> None:
    assert read(**facts) is None


def test_an_unknown_server_that_never_answered_is_still_a_call() -> None:
    call = read(
        url="http://localhost:11434/v1/chat/completions",
        asked={"model": "llama", "messages": []},
        status=None,
        end="error",
        error=("httpx.ConnectError", "All connection attempts failed"),
    )
    assert call is not None
    assert (call.outcome.status, call.outcome.error_type) == ("error", "httpx.ConnectError")
    assert call.outcome.error_message == "All connection attempts failed"
