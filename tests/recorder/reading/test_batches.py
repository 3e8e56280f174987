"""Results of batches: each line is a call, once, however often and by whomever it is fetched."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from miharu import providers
from miharu._ids import moment_of
from miharu.call import Call
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.reading.reader import Reader
from tests.world import HandMade, exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
OPENAI = "https://api.openai.com/v1/files/file-out/content"
ANTHROPIC = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"
GEMINI = "https://generativelanguage.googleapis.com"
MADE = 1_795_000_000
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": MADE,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
    "service_tier": "default",
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": MADE,
    "completed_at": MADE + 2,
    "status": "completed",
    "background": False,
    "model": "gpt-5-mini-2025-08-07",
    "output": [],
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}
EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "yes"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1000, "output_tokens": 500, "service_tier": "batch"},
}
ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "yes"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 500, "totalTokenCount": 1500},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "wIb9agAAAAAAAAAA",
}


def line(custom_id: str, body: Any = CHAT, status: int = 200, **facts: Any) -> dict[str, Any]:
    response = {"status_code": status, "request_id": f"req_{custom_id}", "body": body}
    return {
        "id": f"batch_req_{custom_id}",
        "custom_id": custom_id,
        "response": response,
        "error": None,
    } | facts


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def fetched(url: str, body: bytes, **facts: Any) -> HandMade:
    return exchange(url, body, method="GET", **facts)


def read(url: str, body: bytes, reader: Reader | None = None, **facts: Any) -> Sequence[Call]:
    return list((reader or Reader(FORMATS)).calls(fetched(url, body, **facts)))


def test_each_line_of_openais_is_a_call_at_the_price_of_a_batch() -> None:
    calls = read(OPENAI, lines(line("a"), line("b", RESPONSE), line("c", EMBEDDINGS)))
    assert [call.api for call in calls] == ["openai.chat", "openai.responses", "openai.embeddings"]
    first = calls[0]
    assert (first.service_tier, first.outcome.status, first.outcome.http_status) == ("batch", "success", 200)
    assert (first.timestamp, moment_of(first.id)) == (MADE * 1000, MADE * 1000)
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (1000, 500)
    assert (first.model, first.provider, first.request_id) == ("gpt-4o-mini-2024-07-18", "openai", "req_a")
    assert first.tags == {"batch": "file-out", "custom_id": "a"}
    assert first.duration_ms == 0
    assert not first.is_timed
    prices = GenaiPrices()
    cost = prices.cost(first)
    assert cost is not None
    assert cost.cost_nanousd == (1000 * 150 + 500 * 600) // 2  # half of 0.15 and 0.60 dollars a million
    assert prices.cost(calls[2]) is None  # the list has no batch price for it
    assert calls[2].is_unpriced


def test_each_of_anthropics_is_one_and_what_did_not_succeed_is_not_billed() -> None:
    results = [
        {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
        {
            "custom_id": "b",
            "result": {
                "type": "errored",
                "error": {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}},
            },
        },
        {"custom_id": "c", "result": {"type": "canceled"}},
        {"custom_id": "d", "result": {"type": "expired"}},
    ]
    calls = read(ANTHROPIC, lines(*results))
    assert [call.outcome.status for call in calls] == ["success", "error", "cancelled", "error"]
    assert [call.outcome.error_type for call in calls] == [None, "invalid_request_error", None, "expired"]
    assert {call.api for call in calls} == {"anthropic.messages"}
    assert [call.is_unpriced for call in calls] == [True, False, False, False]  # the first is not priced yet
    cost = GenaiPrices().cost(calls[0])
    assert cost is not None
    assert cost.cost_nanousd == (1000 * 3000 + 500 * 15000) // 2


def test_geminis_stand_in_the_batch_or_in_its_file() -> None:
    batch = {
        "name": "batches/b1",
        "metadata": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": "models/gemini-2.5-flash",
            "state": "BATCH_STATE_SUCCEEDED",
            "createTime": "2026-11-18T10:00:00Z",
            "endTime": "2026-11-18T11:00:00.123456Z",
            "name": "batches/b1",
        },
        "done": True,
        "response": {
            "inlinedResponses": {
                "inlinedResponses": [
                    {"response": ANSWER, "metadata": {"key": "a"}},
                    {"response": ANSWER},
                    {"error": {"code": 3, "message": "no"}, "metadata": {"key": "c"}},
                ]
            }
        },
    }
    calls = read(f"{GEMINI}/v1beta/batches/b1", json.dumps(batch, indent=2).encode())
    assert [call.outcome.status for call in calls] == ["success", "success", "error"]
    assert len({call.id for call in calls}) == 3
    assert {call.timestamp for call in calls} == {1_794_999_600_123}
    assert [(call.tags or {}).get("custom_id") for call in calls] == ["a", None, "c"]
    assert {(call.tags or {})["batch"] for call in calls} == {"b1"}
    cost = GenaiPrices().cost(calls[0])
    assert cost is not None
    assert cost.cost_nanousd == (1000 * 300 + 500 * 2500) // 2
    response = batch.pop("response")
    batch["metadata"] |= {"output": response}  # type: ignore[operator]
    again = read(f"{GEMINI}/v1beta/batches/b1", json.dumps(batch).encode())
    assert [call.id for call in again] == [call.id for call in calls]
    filed = read(
        f"{GEMINI}/v1beta/files/batch-b2:download?alt=media",
        lines({"key": "a", "response": ANSWER}, {"key": "b", "error": {"code": 3, "message": "no"}}),
    )
    assert [(call.outcome.status, (call.tags or {})["custom_id"]) for call in filed] == [
        ("success", "a"),
        ("error", "b"),
    ]
    assert filed[0].timestamp == MADE * 1000  # the first four bytes of its responseId


def test_a_call_is_the_same_whenever_it_is_fetched() -> None:
    results = lines(line("a"), line("b", RESPONSE), line("c"))
    first, again = read(OPENAI, results), read(OPENAI, results)
    assert [call.id for call in first] == [call.id for call in again]
    assert len({call.id for call in first}) == 3
    other = read(OPENAI.replace("file-out", "file-other"), results)
    assert not {call.id for call in first} & {call.id for call in other}


def test_a_process_reads_the_same_results_once() -> None:
    reader, results = Reader(FORMATS), lines(line("a"))
    assert len(read(OPENAI, results, reader)) == 1
    assert read(OPENAI, results, reader) == []


def test_results_that_were_left_early_are_read_again() -> None:
    reader, results = Reader(FORMATS), lines(line("a"), line("b"))
    assert len(read(OPENAI, results[:-10], reader, end="closed")) == 1
    assert len(read(OPENAI, results, reader)) == 2


def test_the_end_of_the_batch_holds_where_a_line_has_no_time() -> None:
    batch = {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "ended",
        "ended_at": "2026-11-18T11:00:00Z",
    }
    ids = set()
    for _ in range(2):  # two processes
        reader = Reader(FORMATS)
        assert read(ANTHROPIC.removesuffix("/results"), json.dumps(batch).encode(), reader) == []
        (call,) = read(
            ANTHROPIC,
            lines({"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}),
            reader,
        )
        assert call.timestamp == 1_794_999_600_000
        ids.add(call.id)
    assert len(ids) == 1


def test_openais_embeddings_have_the_time_of_their_lines_id() -> None:
    found = line("c", EMBEDDINGS, id=f"batch_req_{MADE:08x}b08190a5b4e0d8c1f2a3b4c5")
    (call,) = read(OPENAI, lines(found))
    assert call.timestamp == MADE * 1000


def test_what_openai_says_of_the_batch_names_it() -> None:
    reader = Reader(FORMATS)
    batch = {
        "id": "batch_1",
        "object": "batch",
        "endpoint": "/v1/embeddings",
        "status": "completed",
        "output_file_id": "file-out",
        "error_file_id": "file-err",
        "completed_at": MADE + 9,
    }
    assert read("https://api.openai.com/v1/batches/batch_1", json.dumps(batch).encode(), reader) == []
    failed = line("x", {"error": {"message": "no", "type": "invalid_request_error"}}, 400)
    expired = line("y", response=None, error={"code": "batch_expired", "message": "late"})
    calls = read(OPENAI.replace("file-out", "file-err"), lines(failed, expired), reader)
    assert [call.outcome.error_type for call in calls] == ["invalid_request_error", "batch_expired"]
    assert [call.outcome.http_status for call in calls] == [400, None]
    assert {call.api for call in calls} == {"openai.batches"}
    assert {(call.tags or {})["batch"] for call in calls} == {"batch_1"}
    assert {call.timestamp for call in calls} == {(MADE + 9) * 1000}
    assert not any(call.is_unpriced for call in calls)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"%PDF-1.7 \x00\xff",
        b'{"custom_id": 1}\n{"custom_id": "a"}\n[]\nnull\n',
        lines({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"}}),
        lines({"messages": [{"role": "user", "content": "x"}]}),
        b'{"custom_id": "a", "response": {"status_code": 200, "body": ' + b"[" * 100_000 + b"\n",
        json.dumps({"object": "list", "data": []}, indent=2).encode(),
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        OPENAI,
        ANTHROPIC,
        ANTHROPIC.removesuffix("/results"),
        f"{GEMINI}/v1beta/batches/b1",
        f"{GEMINI}/v1beta/files/f:download?alt=media",
        "https://internal.example/files/7/content",
    ],
)
def test_what_is_no_result_is_no_row(url: str, body: bytes) -> None:
    assert read(url, body) == []


@pytest.mark.parametrize("status", [404, 429, 500, None])
def test_neither_is_a_refusal(status: int | None) -> None:
    assert read(OPENAI, lines(line("a")), status=status) == []


def test_a_number_that_cannot_be_is_not_believed() -> None:
    odd = CHAT | {"created": 10**30, "usage": {"prompt_tokens": 10**30, "completion_tokens": -1}}
    (call,) = read(OPENAI, lines(line("a", odd)))
    assert call.usage.prompt_tokens is None
    assert abs(call.timestamp - 1000 * MADE) < 10**12


def test_content_is_kept_only_where_it_was_asked_for() -> None:
    (call,) = read(OPENAI, lines(line("a")))
    assert call.body is None
    (call,) = read(OPENAI, lines(line("a")), Reader(FORMATS, capture_content=True))
    assert call.body is not None
    assert json.loads(call.body.response or b"") == CHAT
    assert call.body.request is None


def test_azure_has_the_same_files() -> None:
    (call,) = read(
        "https://shop.openai.azure.com/openai/files/file-1/content?api-version=2024-10-21",
        lines(
            {
                "custom_id": "a",
                "response": {"status_code": 200, "request_id": "r", "body": CHAT},
                "error": None,
            }
        ),
    )
    assert (call.provider, call.service_tier, call.timestamp) == ("azure.ai.openai", "batch", MADE * 1000)


def test_a_hole_in_the_results_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    left = fetched(OPENAI, lines(line("a")))
    left.lost = 9
    assert len(list(Reader(FORMATS).calls(left))) == 1
    assert "unless they are fetched again" in caplog.text
