"""Ollama's own chat, streamed as lines of JSON."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.sdks.provider.base import WORDS, Question, Reply, Told, reply_json, reply_stream

API = "ollama.chat"
_LAST = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 5_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 1_000_000,
    "eval_count": 7,
    "eval_duration": 3_000_000,
}


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    if path != "/api/chat":
        return None
    return Question(api=API, path=path, model=asked["model"], stream=asked.get("stream", True), asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    told = Told(
        api=API,
        model=question.model,
        stream=question.stream,
        prompt_tokens=26,
        completion_tokens=7,
        finish_reason="stop",
    )
    lines = list(_lines(question))
    if question.stream:
        frames = [json.dumps(line).encode() + b"\n" for line in lines]
        return reply_stream(frames, "application/x-ndjson"), told
    message = lines[0]["message"] if question.tool else {"role": "assistant", "content": "".join(WORDS)}
    return reply_json(lines[-1] | {"message": message}), told


def error(status: int) -> Any:
    return {"error": "Not now."}


def _lines(question: Question) -> Iterator[dict[str, Any]]:
    base = {"model": question.model, "created_at": "2026-11-23T12:00:00.000000Z"}
    messages: list[dict[str, Any]] = [{"role": "assistant", "content": word} for word in WORDS]
    if question.tool:
        name = question.asked["tools"][0]["function"]["name"]
        call = {"function": {"name": name, "arguments": {"city": "Hue"}}}
        messages = [{"role": "assistant", "content": "", "tool_calls": [call]}]
    for message in messages:
        yield base | {"message": message, "done": False}
    yield base | {"message": {"role": "assistant", "content": ""}} | _LAST
