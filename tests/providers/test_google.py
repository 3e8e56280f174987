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
STUDIO = "https://generativelanguage.googleapis.com/v1beta/"
MODEL = f"{STUDIO}models/gemini-3.5-flash"
VERTEX = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/"
ASKED = {"contents": [{"parts": [{"text": "Name a bird."}]}]}


def read(**facts: Any) -> Call | None:
    return Reader(FORMATS).read(exchange(**facts))


def chunk(text: str, **facts: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}, **facts}], "modelVersion": "m"}


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", f"{MODEL}:countTokens"),
        ("POST", f"{MODEL}:batchGenerateContent"),
        ("POST", f"{MODEL}:asyncBatchEmbedContent"),
        ("POST", f"{STUDIO}fileSearchStores/x:uploadToFileSearchStore"),
        ("POST", f"{STUDIO}cachedContents"),
        ("GET", f"{STUDIO}models"),
        ("GET", f"{STUDIO}models/gemini-3.5-flash"),
        ("POST", f"{VERTEX}publishers/google/models/gemini-3.5-flash:countTokens"),
        ("POST", f"{VERTEX}endpoints/4711:predict"),
        ("POST", f"{STUDIO}interactions/v1_a/cancel"),
    ],
)
def test_bookkeeping_is_no_call(method: str, url: str) -> None:
    assert read(method=method, url=url, asked=ASKED, body={"totalTokens": 7}) is None


@pytest.mark.parametrize(
    ("url", "asked", "body"),
    [
        ("http://mine/jobs/7:generateContent", {"text": "x"}, {"saved": 1}),
        ("http://mine/models/7:predict", {"instances": []}, {"scores": [1]}),
        ("http://mine/models/7:embedContent", {"x": 1}, {"embedding": []}),
        ("http://mine/interactions", {"input": "click", "user": 7}, {"id": 1}),
        ("http://mine/interactions", {"input": "click", "model": "T"}, {"id": 1}),
    ],
)
def test_what_only_looks_like_a_call_is_none(url: str, asked: object, body: object) -> None:
    assert read(url=url, asked=asked, body=body) is None


def test_an_unreachable_proxy_is_still_a_call() -> None:
    call = read(
        url="http://localhost:4000/models/gemini-3.5-flash:generateContent",
        asked=ASKED,
        status=None,
        end="error",
        error=("httpx.ConnectError", "refused"),
    )
    assert call is not None
    assert (call.request_model, call.outcome.error_type) == ("gemini-3.5-flash", "httpx.ConnectError")


def test_a_consumer_that_leaves_after_the_last_chunk_has_all_of_it() -> None:
    first = {**chunk("A"), "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1}}
    last = {**chunk("wren.", finishReason="STOP"), "usageMetadata": {"promptTokenCount": 5}}
    url = f"{MODEL}:streamGenerateContent?alt=sse"
    left, stayed = (
        read(url=url, asked=ASKED, chunks=sse(*chunks, done=False), end="closed")
        for chunks in ([first], [first, last])
    )
    assert left is not None
    assert stayed is not None
    assert (left.outcome.status, left.usage.completion_tokens) == ("cancelled", 1)
    assert stayed.outcome.status == "success"


def test_a_thought_signature_is_no_content_yet() -> None:
    silent = {"candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "AA"}]}}]}
    call = read(
        url=f"{MODEL}:streamGenerateContent",
        asked=ASKED,
        chunks=sse(silent, chunk("wren", finishReason="STOP"), done=False),
        took_ms=100,
    )
    assert call is not None
    assert call.ttft_ms == 100


def test_usage_is_found_behind_a_picture_that_was_too_large_to_keep() -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 1290}
    body = json.dumps({**chunk("x", finishReason="STOP"), "usageMetadata": usage, "responseId": "r"})
    hurt = body.replace('"x"', '"AAAA').encode()
    call = read(url=f"{MODEL}:generateContent", asked=ASKED, body=hurt)
    assert call is not None
    assert (call.outcome.status, call.model, call.response_id) == ("success", "m", "r")
    assert (call.usage.completion_tokens, call.finish_reason) == (1290, "STOP")


def test_a_plain_answer_that_was_cut_is_incomplete() -> None:
    body = json.dumps({**chunk("x" * 50), "usageMetadata": {"promptTokenCount": 9}}).encode()
    call = read(url=f"{MODEL}:generateContent", asked=ASKED, body=body[:-5])
    assert call is not None
    assert (call.outcome.status, call.outcome.error_type) == ("error", "incomplete_response")


def test_the_model_is_named_by_the_path() -> None:
    for path, model in (
        ("models/gemini-3.5-flash:generateContent", "gemini-3.5-flash"),
        ("tunedModels/my%20birds:generateContent", "my birds"),
        ("publishers/google/models/gemini-3.5-flash@001:generateContent/", "gemini-3.5-flash@001"),
    ):
        call = read(url=STUDIO + path, asked=ASKED, status=500, body=b"")
        assert call is not None
        assert call.request_model == model


@pytest.mark.parametrize(
    ("answer", "completes"),
    [
        ({"id": "v1_a", "status": "in_progress"}, False),
        ({"id": "v1_a"}, False),
        ({"status": "completed"}, False),
        ({"id": "v1_a", "status": "completed"}, True),
        ({"id": "v1_a", "status": "failed"}, True),
    ],
)
def test_a_background_interaction_is_completed_by_the_answer_that_finds_it_done(
    answer: dict[str, Any], completes: bool
) -> None:
    moments = {"created": "2026-06-09T12:00:00Z", "updated": "2026-06-09T12:03:00.5Z"}
    usage = {"total_input_tokens": 3, "total_output_tokens": 4}
    call = read(method="GET", url=f"{STUDIO}interactions/v1_a", body={**answer, **moments, "usage": usage})
    assert (call is not None) == completes
    if call is not None:
        assert call.completes
        assert (call.usage.prompt_tokens, call.timestamp, call.duration_ms) == (3, 1781006400000, 180500)


def test_a_poll_of_somebody_elses_interaction_is_none() -> None:
    done = {"id": "v1_a", "status": "completed"}
    assert read(method="GET", url="http://mine/interactions/7", body=done) is None
    assert read(method="GET", url=f"{STUDIO}interactions/v1_a", status=404, body=done) is None


KEYS = [
    *("candidates", "content", "parts", "text", "finishReason", "usageMetadata", "promptTokenCount"),
    *("promptTokensDetails", "modality", "tokenCount", "trafficType", "serviceTier", "error", "status"),
    *(
        "promptFeedback",
        "blockReason",
        "predictions",
        "embeddings",
        "statistics",
        "token_count",
        "metadata",
    ),
    *("interaction", "event_type", "usage", "input_tokens_by_modality", "created", "id", "model"),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["STOP", "AUDIO", "completed", "interaction.completed", "0001-01-01T00:00:00"])
)
NESTED = nested(KEYS, LEAVES)


@given(NESTED, NESTED, st.sampled_from([200, 400, None]))
def test_json_of_any_shape_never_raises(answer: object, asked: object, status: int | None) -> None:
    urls = [
        f"{MODEL}:{verb}" for verb in ("generateContent", "streamGenerateContent", "embedContent", "predict")
    ]
    for url in [*urls, f"{STUDIO}interactions"]:
        for body in (
            json.dumps(answer).encode(),
            json.dumps([answer, answer]).encode(),
            *sse(answer, done=False),
        ):
            assert read(url=url, asked=asked, body=body, status=status) is not None
    read(method="GET", url=f"{STUDIO}interactions/v1_a", body=answer)


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_hostile_bytes_never_raise(body: bytes, asked: bytes) -> None:
    for verb in ("generateContent", "streamGenerateContent", "embedContent", "predict"):
        for content_type in ("text/event-stream", "application/json", ""):
            facts = {"asked": asked, "body": body, "headers": {"content-type": content_type}}
            assert read(url=f"{MODEL}:{verb}", **facts) is not None
            read(url=f"http://x/models/m:{verb}", **facts)
