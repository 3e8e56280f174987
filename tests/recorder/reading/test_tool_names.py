"""The tools that an answer asked for, in every format that has them, whether content is kept or not."""

import json
import time
from typing import Any

import pytest

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.providers.bodies.objects import objects_of as whole
from miharu.recorder.reading import tool_names
from miharu.recorder.reading.reader import Reader
from tests.providers.eventstream import written
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
OPENAI = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
CLAUDE = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3:"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/"
COHERE = "https://api.cohere.com/v2/chat"
MISTRAL = "https://api.mistral.ai/v1/chat/completions"
OLLAMA = "http://127.0.0.1:11434/api/chat"


def read(url: str, answer: Any, headers: dict[str, str], **asked: Any) -> Call:
    chunks = answer if isinstance(answer, list) else [json.dumps(answer).encode()]
    call = Reader(FORMATS).read(
        exchange(url=url, asked={"model": "m", "messages": [], **asked}, chunks=chunks, headers=headers)
    )
    assert call is not None
    return call


def tools(call: Call) -> list[str] | None:
    return None if call.tools is None else json.loads(call.tools)


def function(name: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}


CHAT = {
    "choices": [{"message": {"tool_calls": [function("find"), function("refund")]}, "finish_reason": "stop"}]
}
CHAT_STREAM = sse(
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **function("find")}]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, **function("refund")}]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
)
ITEMS = [
    {"type": "function_call", "id": name, "call_id": name, "name": name, "arguments": "{}"}
    for name in ("find", "refund")
]
BLOCKS: list[dict[str, Any]] = [
    {"type": "tool_use", "id": name, "name": name, "input": {}} for name in ("find", "refund")
]
CLAUDE_STREAM = sse(
    (
        "message_start",
        {"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}},
    ),
    *(
        ("content_block_start", {"type": "content_block_start", "index": i, "content_block": block})
        for i, block in enumerate(BLOCKS)
    ),
    ("message_stop", {"type": "message_stop"}),
    done=False,
)
PARTS: list[dict[str, Any]] = [{"functionCall": {"name": name, "args": {}}} for name in ("find", "refund")]
GEMINI_ANSWER = {"candidates": [{"content": {"role": "model", "parts": PARTS}, "finishReason": "STOP"}]}
USES: list[dict[str, Any]] = [
    {"toolUse": {"toolUseId": name, "name": name, "input": {}}} for name in ("find", "refund")
]
COHERE_STREAM = sse(
    {"type": "message-start", "id": "x", "delta": {"message": {"role": "assistant"}}},
    *(
        {"type": "tool-call-start", "index": i, "delta": {"message": {"tool_calls": function(name)}}}
        for i, name in enumerate(("find", "refund"))
    ),
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    done=False,
)
CASES: dict[str, tuple[str, Any, dict[str, str]]] = {
    "chat": (OPENAI, CHAT, JSON),
    "chat-stream": (OPENAI, CHAT_STREAM, SSE),
    "mistral": (MISTRAL, CHAT, JSON),
    "responses": (RESPONSES, {"object": "response", "status": "completed", "output": ITEMS}, JSON),
    "responses-stream": (
        RESPONSES,
        sse(
            *(
                {"type": "response.output_item.done", "output_index": i, "item": item}
                for i, item in enumerate(ITEMS)
            ),
            {"type": "response.completed", "response": {"status": "completed", "output": ITEMS}},
            done=False,
        ),
        SSE,
    ),
    "anthropic": (CLAUDE, {"type": "message", "content": BLOCKS, "stop_reason": "tool_use"}, JSON),
    "anthropic-stream": (CLAUDE, CLAUDE_STREAM, SSE),
    "gemini": (GEMINI + "generateContent", GEMINI_ANSWER, JSON),
    "gemini-stream": (GEMINI + "streamGenerateContent?alt=sse", sse(GEMINI_ANSWER, done=False), SSE),
    "converse": (
        BEDROCK + "converse",
        {"output": {"message": {"role": "assistant", "content": USES}}, "stopReason": "tool_use"},
        JSON,
    ),
    "converse-stream": (
        BEDROCK + "converse-stream",
        written(
            [
                *(
                    ["contentBlockStart", {"contentBlockIndex": i, "start": {"toolUse": use["toolUse"]}}]
                    for i, use in enumerate(USES)
                ),
                ["messageStop", {"stopReason": "tool_use"}],
            ]
        ),
        {"content-type": "application/vnd.amazon.eventstream"},
    ),
    "cohere": (
        COHERE,
        {
            "message": {"role": "assistant", "tool_calls": [function("find"), function("refund")]},
            "finish_reason": "TOOL_CALL",
        },
        JSON,
    ),
    "cohere-stream": (COHERE, COHERE_STREAM, SSE),
    "ollama": (
        OLLAMA,
        {
            "message": {"role": "assistant", "tool_calls": [function("find"), function("refund")]},
            "done": True,
        },
        JSON,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_format_says_which_tools_were_asked_for(name: str) -> None:
    call = read(*CASES[name], tools=[{"name": "find"}])
    assert tools(call) == ["find", "refund"]
    assert call.body is None


def test_an_answer_without_tools_asks_for_none() -> None:
    answer = {
        "choices": [{"message": {"content": 'say "tool_calls"', "tool_calls": None}, "finish_reason": "stop"}]
    }
    assert tools(read(OPENAI, answer, JSON)) is None


def test_names_are_bounded_in_number_and_length() -> None:
    many = [function("x" * 5_000), *(function(f"tool_{i}") for i in range(10_000))]
    begin = time.process_time()
    call = read(OPENAI, {"choices": [{"message": {"tool_calls": many}, "finish_reason": "stop"}]}, JSON)
    assert time.process_time() - begin < 2
    names = tools(call) or []
    assert names[0] == "x" * 100
    assert 16 <= len(names) <= 64
    assert len(call.tools or "") <= 2_000


def test_a_secret_in_a_name_is_not_kept() -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 6
    call = read(OPENAI, {"choices": [{"message": {"tool_calls": [function(secret)]}}]}, JSON)
    assert secret not in (call.tools or "")


def test_an_answer_that_cannot_be_read_is_a_call_all_the_same() -> None:
    call = read(OPENAI, [b'{"choices": [{"message": {"tool_calls": [[[{"function": 3}, null, "x"'], JSON)
    assert call.tools is None


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        (OPENAI, {"choices": [{"message": {"content": "a_call"}, "finish_reason": "stop"}]}),
        (
            CLAUDE,
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "a_call"}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        ),
    ],
)
def test_an_answer_is_looked_through_only_for_what_its_own_format_has(
    url: str, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[Call] = []

    def objects_of(call: Call) -> tuple[list[Any], bool]:
        laid_out.append(call)
        return [], False

    monkeypatch.setattr(tool_names, "objects_of", objects_of)
    assert read(url, answer, JSON, max_tokens=1).api in {"openai.chat", "anthropic.messages"}
    assert not laid_out


@pytest.mark.parametrize("url", [OPENAI, CLAUDE])
def test_of_a_stream_the_pieces_of_an_argument_are_not_laid_out(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[bytes] = []
    piece: dict[str, Any]

    def objects_of(call: Call) -> Any:
        bodies.append((call.body and call.body.response) or b"")
        return whole(call)

    monkeypatch.setattr(tool_names, "objects_of", objects_of)
    if url == OPENAI:
        piece = {
            "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "a"}}]}}]
        }
        stream = [*CHAT_STREAM[:1], *sse(*[piece] * 500)[:-1], *CHAT_STREAM[1:]]
    else:
        start: dict[str, Any] = {
            "type": "message_start",
            "message": {"usage": {"input_tokens": 1, "output_tokens": 1}},
        }
        blocks: list[dict[str, Any]] = [
            {"type": "content_block_start", "index": index, "content_block": block}
            for index, block in enumerate(BLOCKS)
        ]
        piece = {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "a"},
        }
        stream = sse(start, blocks[0], *[piece] * 500, blocks[1], {"type": "message_stop"})
    assert tools(read(url, stream, SSE, stream=True, max_tokens=1)) == ["find", "refund"]
    assert [body.count(b"data:") for body in bodies] == [2]
