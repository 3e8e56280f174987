"""Cohere's chat of version 2. What is billed differs from the tokens; the answer names no model."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.sdks.provider.base import WORDS, Question, Reply, Told, named, reply_json, reply_stream

API = "cohere.chat"
_USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 7},
    "tokens": {"input_tokens": 71, "output_tokens": 9},
}


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    if path != "/v2/chat":
        return None
    return Question(api=API, path=path, model=asked["model"], stream=bool(asked.get("stream")), asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    finish = "TOOL_CALL" if question.tool else "COMPLETE"
    told = Told(
        api=API,
        model=question.model,
        stream=question.stream,
        prompt_tokens=5,
        completion_tokens=7,
        finish_reason=finish,
    )
    if question.stream:
        return reply_stream(map(named, _events(question, finish)), "text/event-stream"), told
    message: dict[str, Any] = {"role": "assistant", "content": [{"type": "text", "text": "".join(WORDS)}]}
    if question.tool:
        message = {"role": "assistant", "tool_plan": "I look.", "tool_calls": [_call(question)]}
    whole = {"id": "g1", "finish_reason": finish, "message": message, "usage": _USAGE}
    return reply_json(whole), told


def error(status: int) -> Any:
    return {"id": "e1", "message": "Not now."}


def _call(question: Question) -> dict[str, Any]:
    name = question.asked["tools"][0]["function"]["name"]
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": '{"city": "Hue"}'}}


def _events(question: Question, finish: str) -> Iterator[dict[str, Any]]:
    def event(kind: str, message: Any) -> dict[str, Any]:
        return {"type": kind, "index": 0, "delta": {"message": message}}

    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"type": "message-start", "id": "g1", "delta": {"message": begun}}
    if question.tool:
        call = _call(question)
        opened = call | {"function": call["function"] | {"arguments": ""}}
        yield event("tool-call-start", {"tool_calls": opened})
        yield event(
            "tool-call-delta", {"tool_calls": {"function": {"arguments": call["function"]["arguments"]}}}
        )
        yield {"type": "tool-call-end", "index": 0}
    else:
        yield event("content-start", {"content": {"type": "text", "text": ""}})
        for word in WORDS:
            yield event("content-delta", {"content": {"text": word}})
        yield {"type": "content-end", "index": 0}
    yield {"type": "message-end", "id": "g1", "delta": {"finish_reason": finish, "usage": _USAGE}}
