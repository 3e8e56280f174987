"""Mistral's chat: OpenAI's format, with the usage in the last chunk that has a choice."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.sdks.provider.base import WORDS, Question, Reply, Told, plain, reply_json, reply_stream

API = "openai.chat"
_MODEL = "mistral-small-2506"
_USAGE = {
    "prompt_tokens": 13,
    "completion_tokens": 8,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 5},
    "num_cached_tokens": 5,
}


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    if path != "/v1/chat/completions":
        return None
    return Question(api=API, path=path, model=asked["model"], stream=bool(asked.get("stream")), asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    finish = "tool_calls" if question.tool else "stop"
    told = Told(
        api=API,
        model=_MODEL,
        stream=question.stream,
        prompt_tokens=13,
        completion_tokens=8,
        cached_tokens=5,
        finish_reason=finish,
    )
    if question.stream:
        return reply_stream([*map(plain, _chunks(question, finish)), b"data: [DONE]\n\n"]), told
    message = {"role": "assistant", "content": "".join(WORDS), "tool_calls": None} | _tool(question)
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = {"id": "c1", "object": "chat.completion", "created": 1, "model": _MODEL}
    return reply_json(whole | {"choices": [choice], "usage": _USAGE}), told


def error(status: int) -> Any:
    return {"object": "error", "message": "Not now.", "type": "rate_limited", "param": None, "code": "1300"}


def _tool(question: Question) -> dict[str, Any]:
    if not question.tool:
        return {}
    name = question.asked["tools"][0]["function"]["name"]
    call = {"id": "abcdefghi", "index": 0, "function": {"name": name, "arguments": '{"city": "Hue"}'}}
    return {"content": "", "tool_calls": [call]}


def _chunks(question: Question, finish: str) -> Iterator[dict[str, Any]]:
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": _MODEL}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    if question.tool:
        yield chunk(_tool(question), finish) | {"usage": _USAGE}
        return
    for word in WORDS:
        yield chunk({"content": word})
    yield chunk({"content": ""}, finish) | {"usage": _USAGE}
