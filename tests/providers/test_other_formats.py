"""Cohere, Ollama and the small ones: what a fixture in ``exchanges/`` cannot say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from tests.nested import nested
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
MESSAGES = [{"role": "user", "content": "Name a bird."}]
LOST: dict[str, Any] = {"status": None, "end": "error", "error": ("httpx.ConnectError", "refused")}
ENDPOINT = "https://abc.us-east-1.aws.endpoints.huggingface.cloud"


def read(**facts: Any) -> Call | None:
    return Reader(FORMATS).read(exchange(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"url": "http://mine/api/chat", "asked": {"messages": MESSAGES}, "body": {"reply": "hi"}},
        {
            "url": "http://mine/api/chat",
            "asked": {"model": "m", "messages": MESSAGES},
            "body": {"reply": "hi"},
        },
        {"url": "http://mine/api/chat", "asked": {"model": "m", "messages": MESSAGES}, **LOST},
        {"url": "http://mine/api/chat", "asked": {"model": "m", "messages": MESSAGES}, "status": 500},
        {"url": "http://mine/api/generate", "asked": {"model": "m", "prompt": "x"}, "body": {"image": "…"}},
        {"url": "http://mine/api/embed", "asked": {"model": "m", "input": "x"}, "body": {"vectors": []}},
        {"url": "http://mine/v1/chat", "asked": {"message": "x"}, "body": {"text": "hi"}},
        {"url": "http://mine/v1/chat", "asked": {"message": "x", "model": "m"}, "status": 500},
        {
            "url": "http://mine/v2/chat",
            "asked": {"model": "m", "messages": MESSAGES},
            "body": {"message": "x"},
        },
        {
            "url": "http://mine/v1/embed",
            "asked": {"url": "https://video"},
            "body": {"embeddings": "", "meta": ""},
        },
        {
            "url": "http://mine/v1/generate",
            "asked": {"prompt": "a logo", "model": "m"},
            "body": {"image": ""},
        },
        {"url": "http://mine/rerank", "asked": {"query": "x"}, "body": {"results": []}},
        {"url": "http://mine/rerank", "asked": {"query": "", "documents": [], "model": ""}, "body": {"a": 1}},
        {"url": "http://mine/generate", "asked": {"inputs": ["a", "b"]}, "body": {"pdf": "…"}},
        {"url": "http://mine/generate", "asked": {"inputs": "x"}, "status": 500, "body": {"error": "no"}},
        {"url": "http://mine/generate", "asked": {"inputs": "x"}, **LOST},
        {"url": f"{ENDPOINT}/", "asked": {"inputs": "x"}, "body": [{"label": "positive", "score": 0.9}]},
        {"url": f"{ENDPOINT}/upload", "asked": {"inputs": "x"}, "body": [{"generated_text": "x"}]},
        {
            "url": "https://eu-de.ml.cloud.ibm.com/ml/v1/text/tokenization",
            "asked": {"input": "x"},
            "body": {},
        },
        {"url": "https://eu-de.ml.cloud.ibm.com/v4/models", "asked": {}, "body": {}},
        {"url": "https://api.replicate.com/v1/predictions/p-1/cancel", "asked": {}, "body": {"id": "p-1"}},
        {"url": "https://api.replicate.com/v1/predictions/p-1", "method": "GET", "body": {"id": "p-1"}},
        {"url": "https://api.cohere.com/v1/tokenize", "asked": {"text": "x"}, "body": {"tokens": [1]}},
        {"url": "https://api.deepgram.com/v1/auth/grant", "asked": {}, "body": {}},
    ],
)
def test_what_only_looks_like_a_call_is_none(facts: dict[str, Any]) -> None:
    assert read(**facts) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"url": "http://localhost:11434/api/chat", "asked": {"model": "m", "messages": MESSAGES}},
        {
            "url": "http://gpu/api/chat",
            "asked": {"model": "m", "messages": MESSAGES},
            "request_headers": {"user-agent": "ollama-python/0.6.0 (x86_64 linux)"},
        },
        {
            "url": "http://proxy/cohere/v2/chat",
            "asked": {"model": "m", "messages": MESSAGES},
            "request_headers": {"x-fern-sdk-name": "cohere"},
        },
        {"url": f"{ENDPOINT}/", "asked": {"inputs": "x"}},
        {"url": "http://localhost:8000/rerank", "asked": {"model": "m", "query": "x", "documents": []}},
    ],
)
def test_a_server_that_never_answered_is_a_call_where_who_asked_or_whom_says_so(
    facts: dict[str, Any],
) -> None:
    call = read(**facts, **LOST)
    assert call is not None
    assert call.outcome.error_type == "httpx.ConnectError"


def test_an_inference_endpoint_answers_at_its_root_in_a_list() -> None:
    call = read(
        url=f"{ENDPOINT}/",
        asked={"inputs": "Name a bird.", "parameters": {"details": True}},
        headers={"x-prompt-tokens": "5", "x-generated-tokens": "x"},
        body=[{"generated_text": "A wren.", "details": {"finish_reason": "length", "generated_tokens": 3}}],
    )
    assert call is not None
    assert (call.provider, call.outcome.status) == ("huggingface", "success")
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (5, 3)


def test_an_error_inside_a_stream_of_text_generation_inference() -> None:
    token = {"token": {"text": "A"}, "generated_text": None}
    call = read(
        url="http://localhost:8080/generate_stream",
        asked={"inputs": "x"},
        chunks=sse(
            token, {"error": "Request failed during generation", "error_type": "generation"}, done=False
        ),
        headers={"content-type": "text/event-stream"},
    )
    assert call is not None
    assert (call.outcome.status, call.outcome.error_type) == ("error", "generation")


def test_audio_that_was_left_early_is_cancelled() -> None:
    call = read(url="https://api.deepgram.com/v1/speak", asked={"text": "x"}, body=b"\xff\xf3", end="closed")
    assert call is not None
    assert call.outcome.status == "cancelled"


@pytest.mark.parametrize(
    ("meta", "tokens"),
    [
        ({"tokens": {"input_tokens": 7, "output_tokens": 2}}, (7, 2)),
        ({"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 7, "output_tokens": 2}}, (5, None)),
        ({"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 7}}, (7, None)),
        ({"billed_units": None}, (None, None)),
        (None, (None, None)),
    ],
)
def test_billed_units_come_before_tokens(meta: object, tokens: tuple[int | None, int | None]) -> None:
    body = {"generation_id": "g", "text": "x", "meta": meta}
    call = read(url="https://api.cohere.com/v1/chat", asked={"model": "m", "message": "x"}, body=body)
    assert call is not None
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == tokens


def test_cohere_v1_streams_as_events_too() -> None:
    end = {"is_finished": True, "finish_reason": "ERROR_TOXIC", "response": {"generation_id": "g"}}
    call = read(
        url="https://api.cohere.com/v1/chat",
        asked={"model": "m", "message": "x", "stream": True},
        chunks=sse({"is_finished": False, "text": "A"}, end, done=False),
    )
    assert call is not None
    assert (call.outcome.status, call.outcome.error_type, call.ttft_ms) == ("error", "ERROR_TOXIC", 50)


URLS = {
    "https://api.cohere.com/v1/chat": ["generation_id", "meta", "response", "is_finished", "finish_reason"],
    "https://api.cohere.com/v1/generate": ["generations", "meta", "text", "is_finished", "finish_reason"],
    "https://api.cohere.com/v2/chat": ["type", "delta", "usage", "billed_units", "tokens", "input_tokens"],
    "https://api.cohere.com/v2/embed": ["meta", "billed_units", "image_tokens", "id"],
    "https://api.cohere.com/v2/rerank": ["meta", "usage", "total_tokens", "id", "model"],
    "https://ollama.com/api/chat": ["model", "message", "done", "eval_count", "done_reason", "content"],
    "https://ollama.com/api/generate": ["model", "response", "done", "eval_count", "prompt_eval_count"],
    "https://ollama.com/api/embed": ["model", "embeddings", "prompt_eval_count"],
    "https://eu-de.ml.cloud.ibm.com/ml/v1/text/generation_stream": [
        "results",
        "stop_reason",
        "errors",
        "code",
    ],
    "https://eu-de.ml.cloud.ibm.com/ml/v1/text/chat": ["choices", "usage", "model_id", "errors"],
    "https://api.writer.com/v1/chat": ["choices", "usage", "delta", "message"],
    "https://api.replicate.com/v1/predictions": ["metrics", "status", "model", "input_token_count"],
    "https://api.aleph-alpha.com/complete": ["completions", "type", "num_tokens_generated", "finish_reason"],
    "https://api.deepgram.com/v1/speak": ["err_code", "err_msg"],
    "http://localhost:8080/generate": ["details", "generated_text", "token", "text", "generated_tokens"],
}
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["x", "message-end", "ERROR", "failed", "stream_chunk"])
)


@pytest.mark.parametrize("url", URLS)
@given(data=st.data())
def test_json_of_any_shape_never_raises(url: str, data: st.DataObject) -> None:
    shape = nested([*URLS[url], "error", "message", "inputs"], LEAVES)
    answers = data.draw(st.lists(shape, max_size=3))
    asked = data.draw(shape)
    lines = "\n".join(map(json.dumps, answers)).encode()
    for body in (lines, json.dumps(answers).encode(), b"".join(sse(*answers))):
        call = read(url=url, asked=asked, body=body, status=data.draw(st.sampled_from([200, 500, None])))
        assert call is not None or "localhost" in url


@pytest.mark.parametrize("url", URLS)
@given(st.binary(max_size=300), st.binary(max_size=100))
def test_hostile_bytes_never_raise(url: str, body: bytes, asked: bytes) -> None:
    for content_type in ("text/event-stream", "application/x-ndjson", ""):
        facts = {"asked": asked, "body": body, "headers": {"content-type": content_type}}
        assert read(url=url, **facts) is not None or "localhost" in url
        read(url="http://x/" + url.partition("://")[2].partition("/")[2], **facts)
