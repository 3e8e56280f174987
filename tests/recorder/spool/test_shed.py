"""Calls for whose bodies there was no memory: each is a row, with its usage."""

import json
from typing import Any

import pytest

from miharu import providers
from miharu.call import Call
from miharu.holding import Holding
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from tests.world import CHAT, HandMade, exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]

TEXT = "a word or two " * 40
ASKED = {"messages": [{"role": "user", "content": "x" * 50_000}], "model": "gpt-4o", "stream": True}
CHAT_STREAM = [
    *({"id": "c-1", "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "delta": {"content": TEXT}}]},)
    * 200,
    {
        "id": "c-1",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    },
    {
        "id": "c-1",
        "model": "gpt-4o-2024-08-06",
        "choices": [],
        "usage": {"prompt_tokens": 12_500, "completion_tokens": 2_000, "total_tokens": 14_500},
    },
]
USAGE = {"input_tokens": 12_500, "output_tokens": 2_000, "total_tokens": 14_500}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-4o-2024-08-06",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT * 200}]}],
    "usage": USAGE,
    "user": None,
    "metadata": {},
}
RESPONSES_STREAM = [
    (
        "response.created",
        {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-4o-2024-08-06"}},
    ),
    *(("response.output_text.delta", {"type": "response.output_text.delta", "delta": TEXT}),) * 200,
    ("response.completed", {"type": "response.completed", "response": RESPONSE}),
]
CLAUDE = {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-5-20250929", "content": []}
CLAUDE_STREAM = [
    (
        "message_start",
        {
            "type": "message_start",
            "message": {**CLAUDE, "usage": {"input_tokens": 12_500, "output_tokens": 1}},
        },
    ),
    *(
        (
            "content_block_delta",
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": TEXT}},
        ),
    )
    * 200,
    (
        "message_delta",
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2_000}},
    ),
    ("message_stop", {"type": "message_stop"}),
]
COUNTED = {"promptTokenCount": 12_500, "candidatesTokenCount": 2_000, "totalTokenCount": 14_500}
PART = {"candidates": [{"content": {"parts": [{"text": TEXT}]}}], "modelVersion": "gemini-2.5-flash"}
GEMINI_STREAM = [*(PART,) * 200, {**PART, "candidates": [{"finishReason": "STOP"}], "usageMetadata": COUNTED}]
RESPONSES = "https://api.openai.com/v1/responses"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"

ASKED_OF = {"responses": "input", "gemini": "contents"}
"""How the prompt is called, where not messages."""

WHOLE = {
    "id": "c-1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": TEXT * 200}}],
    "usage": {"prompt_tokens": 12_500, "completion_tokens": 2_000},
}
SHAPES: dict[str, tuple[str, list[bytes]]] = {
    "chat": (CHAT, [json.dumps(WHOLE).encode()]),
    "chat, streamed": (CHAT, sse(*CHAT_STREAM)),
    "responses": (RESPONSES, [json.dumps(RESPONSE).encode()]),
    "responses, streamed": (RESPONSES, sse(*RESPONSES_STREAM, done=False)),
    "claude, streamed": ("https://api.anthropic.com/v1/messages", sse(*CLAUDE_STREAM, done=False)),
    "gemini, streamed": (f"{GOOGLE}:streamGenerateContent", sse(*GEMINI_STREAM, done=False)),
}


def shed(url: str, chunks: list[bytes], asked: Any = ASKED, **more: Any) -> HandMade:
    """It ran while others had taken all memory."""
    made = exchange(url, asked=asked, **more)
    made._holding = Holding(0)
    for chunk in chunks:
        made.keep(chunk)
    made.hold()
    assert made.shed
    assert made.tail
    return made


def read(made: HandMade) -> Call:
    call = Reader(FORMATS, capture_content=True, estimate_usage=True).read(made)
    assert call is not None
    return call


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("host", ["its own", "unknown"])
def test_its_usage_is_read(shape: str, host: str) -> None:
    url, chunks = SHAPES[shape]
    if host == "unknown":
        url = url.replace(url.partition("://")[2].partition("/")[0], "models.example")
    prompt = ASKED_OF.get(shape.partition(",")[0], "messages")
    call = read(shed(url, chunks, {**ASKED, "messages": None, prompt: ASKED["messages"]}))
    assert call.outcome.status == "success"
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (12_500, 2_000)
    assert call.usage.usage_source == "provider"
    assert call.model in {"gpt-4o-2024-08-06", CLAUDE["model"], "gemini-2.5-flash"}
    assert (call.body, call.body_hash) == (None, None)


@pytest.mark.parametrize("host", ["api.openai.com", "models.example"])
@pytest.mark.parametrize(
    ("end", "status", "found"),
    [("eof", 200, "success"), ("closed", 200, "cancelled"), ("eof", 500, "error"), ("error", 200, "error")],
)
def test_what_tells_nothing_is_a_row(host: str, end: Any, status: int, found: str) -> None:
    made = shed(f"https://{host}/v1/chat/completions", [b"?" * 30_000], status=status, end=end)
    call = read(made)
    assert (call.outcome.status, call.outcome.http_status) == (found, status)
    assert call.usage.usage_source == "none"


def test_where_neither_side_tells_anything_it_is_a_row_as_well() -> None:
    """What was asked was a stream of the program's own, and the host is one that nobody knows."""
    made = shed("https://models.example/v1/chat/completions", [b"?" * 30_000], None)
    assert made.request().body is None
    call = read(made)
    assert (call.api, call.outcome.status) == ("openai.chat", "success")


def test_of_what_was_asked_the_facts_are_read() -> None:
    made = shed(CHAT, [b"?" * 30_000])
    assert made.request().gap
    call = read(made)
    assert (call.request_model, call.stream) == ("gpt-4o", True)
