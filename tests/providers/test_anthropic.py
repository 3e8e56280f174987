"""What only looks like Anthropic, and bytes that nobody meant."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.kept_body import KEPT_HEAD
from miharu.providers.anthropic.complete import AnthropicComplete
from miharu.providers.anthropic.messages import AnthropicMessages
from miharu.recorder.reading.reader import Reader
from tests.nested import nested
from tests.world import exchange, sse

READER = Reader([AnthropicMessages(), AnthropicComplete()])
MESSAGES = "https://api.anthropic.com/v1/messages"
VERTEX = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/"
ASKED = {"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": [], "stream": True}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "content_block": {"type": "text"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Wren."}},
    {"type": "content_block_stop"},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]
NESTED = nested(
    [
        "usage",
        "message",
        "delta",
        "model",
        "error",
        "input_tokens",
        "id",
        "cache_creation",
        "type",
    ],
    beside=st.sampled_from([event["type"] for event in EVENTS]),
)


@pytest.mark.parametrize(
    "facts",
    [
        {"url": f"{MESSAGES}/count_tokens", "asked": ASKED, "body": {"input_tokens": 14}},
        {"url": f"{MESSAGES}/batches", "asked": {"requests": []}, "body": {"type": "message_batch"}},
        {"url": f"{MESSAGES}/batches/b/results", "method": "GET", "body": {}},
        {"url": "https://api.anthropic.com/v1/models", "method": "GET", "body": {"data": []}},
        {"url": "https://api.openai.com/v1/threads/t/messages", "asked": {"role": "user"}, "body": {}},
        {"url": "https://waba.example/v1/messages", "asked": {"to": "1", "type": "text"}, "body": {}},
        {"url": "https://mine.example/v1/messages", "asked": ASKED, "body": {"saved": True}},
        {"url": "https://mine.example/v1/messages", "asked": ASKED, "body": b"data: {}\n\n"},
        {"url": "https://mine.example/v1/complete", "asked": {"task": 1}, "body": {"completion": "x"}},
        {"url": "https://mine.example/v1/complete", "asked": {"prompt": "x", "model": "m"}, "body": {"a": 1}},
        {
            "url": f"{VERTEX}anthropic/models/count-tokens:rawPredict",
            "asked": ASKED,
            "body": {"input_tokens": 1},
        },
        {
            "url": f"{VERTEX}mistralai/models/mistral-large:rawPredict",
            "asked": ASKED,
            "body": {"choices": []},
        },
    ],
)
def test_what_only_looks_like_a_call_is_none(facts: dict[str, Any]) -> None:
    assert READER.read(exchange(**facts)) is None


def test_an_unknown_server_that_never_answered_is_still_a_call() -> None:
    error = ("httpx.ConnectError", "All connection attempts failed")
    call = READER.read(
        exchange("http://localhost:1/v1/messages", asked=ASKED, status=None, end="error", error=error)
    )
    assert call is not None
    assert (call.outcome.status, call.model) == ("error", "claude-sonnet-4-6")


@pytest.mark.parametrize("end", ["closed", "cancelled"])
def test_a_stream_that_was_left_early_has_no_completion_count(end: Any) -> None:
    """``message_start`` counts a token or two, which is not what was generated until then."""
    call = READER.read(exchange(MESSAGES, asked=ASKED, chunks=sse(*EVENTS[:3], done=False), end=end))
    assert call is not None
    assert call.outcome.status == "cancelled"
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (9, None)


def test_a_stream_closed_at_its_end_marker_is_a_success() -> None:
    call = READER.read(exchange(MESSAGES, asked=ASKED, chunks=sse(*EVENTS, done=False), end="closed"))
    assert call is not None
    assert (call.outcome.status, call.usage.completion_tokens) == ("success", 3)


def test_an_answer_with_a_hole_still_has_its_usage() -> None:
    message = {
        "type": "message",
        "content": "x" * KEPT_HEAD,
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7},
    }
    body = json.dumps(message).encode()
    call = READER.read(exchange(MESSAGES, asked=ASKED, chunks=[body[:99] + b'"' + body[150:] + b" " * 99]))
    assert call is not None
    assert (call.outcome.status, call.usage.prompt_tokens, call.finish_reason) == ("success", 7, "end_turn")


@given(st.permutations(EVENTS), st.integers(0, 6))
def test_events_in_any_order_are_one_call(events: list[Any], number: int) -> None:
    chunks = sse(*((event["type"], event) for event in events[:number]), done=False)
    call = READER.read(
        exchange(MESSAGES, asked=ASKED, chunks=chunks, headers={"content-type": "text/event-stream"})
    )
    assert call is not None


@given(st.binary(max_size=300), st.binary(max_size=100), st.sampled_from([200, 400, None]))
def test_hostile_bytes_never_raise(body: bytes, asked: bytes, status: int | None) -> None:
    for url in (
        MESSAGES,
        "http://x/v1/messages",
        "http://x/v1/complete",
        f"{VERTEX}anthropic/models/m:rawPredict",
    ):
        for content_type in ("text/event-stream", "application/json"):
            READER.read(
                exchange(url, asked=asked, body=body, status=status, headers={"content-type": content_type})
            )


@given(NESTED, st.lists(NESTED, max_size=3))
def test_json_of_any_shape_never_raises(asked: object, answers: list[object]) -> None:
    for url in (MESSAGES, "https://api.anthropic.com/v1/complete", "http://x/v1/messages"):
        for answer in answers:
            READER.read(exchange(url, asked=asked, body=answer))
        READER.read(exchange(url, asked=asked, chunks=sse(*answers)))
