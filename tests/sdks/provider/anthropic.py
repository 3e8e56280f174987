"""Anthropic's messages."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.sdks.provider.base import WORDS, Question, Reply, Told, named, reply_json, reply_stream

API = "anthropic.messages"
_MODEL = "claude-sonnet-4-5-20250929"
_USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 7,
    "service_tier": "standard",
}


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    if path != "/v1/messages":
        return None
    return Question(api=API, path=path, model=asked["model"], stream=bool(asked.get("stream")), asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    finish = "tool_use" if question.tool else "end_turn"
    told = Told(
        api=API,
        model=_MODEL,
        stream=question.stream,
        prompt_tokens=60,
        completion_tokens=7,
        cached_tokens=30,
        finish_reason=finish,
    )
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": _MODEL,
        "content": [_block(question)],
        "stop_reason": finish,
        "stop_sequence": None,
        "usage": _USAGE,
    }
    if question.stream:
        return reply_stream(map(named, _events(question, message))), told
    return reply_json(message), told


def error(status: int) -> Any:
    kind = {400: "invalid_request_error", 429: "rate_limit_error"}.get(status, "overloaded_error")
    return {"type": "error", "error": {"type": kind, "message": "Not now."}, "request_id": "req_01"}


def _block(question: Question) -> dict[str, Any]:
    if question.tool:
        name = question.asked["tools"][0]["name"]
        return {"type": "tool_use", "id": "toolu_01", "name": name, "input": {"city": "Hue"}}
    return {"type": "text", "text": "".join(WORDS)}


def _events(question: Question, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun: dict[str, Any] = {"content": [], "stop_reason": None, "usage": _USAGE | {"output_tokens": 1}}
    yield {"type": "message_start", "message": message | begun}
    block = _block(question)
    empty: dict[str, Any] = {"input": {}} if question.tool else {"text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block | empty}
    yield {"type": "ping"}
    if question.tool:
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ('{"city": ', '"Hue"}')]
    else:
        deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 7}}
    yield {"type": "message_stop"}
