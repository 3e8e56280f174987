"""Bedrock: Converse, and InvokeModel with the formats of Anthropic and Titan. The path names the model."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from tests.providers.eventstream import event
from tests.sdks.provider import anthropic
from tests.sdks.provider.base import WORDS, Question, Reply, Told, reply_json, reply_stream

_PATH = re.compile(r"/model/(.+)/(converse|converse-stream|invoke|invoke-with-response-stream)")
_USAGE = {
    "inputTokens": 11,
    "outputTokens": 7,
    "totalTokens": 22,
    "cacheReadInputTokens": 4,
    "cacheWriteInputTokens": 0,
}
_KIND = "application/vnd.amazon.eventstream"
_METRICS = "amazon-bedrock-invocationMetrics"


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    api = "bedrock.converse" if found[2].startswith("converse") else "bedrock.invoke"
    return Question(api=api, path=path, model=found[1], stream=found[2].endswith("stream"), asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    if question.api == "bedrock.converse":
        return _converse(question)
    if "inputText" in question.asked:
        return _titan(question)
    return await _anthropic(question)


def error(status: int) -> Any:
    return {"message": "Not now.", "__type": "ThrottlingException"}


def _converse(question: Question) -> tuple[Reply, Told]:
    tools = question.asked.get("toolConfig") and "toolResult" not in json.dumps(question.asked["messages"])
    finish = "tool_use" if tools else "end_turn"
    told = Told(
        api=question.api,
        model=question.model,
        stream=question.stream,
        prompt_tokens=15,  # with what came from the cache
        completion_tokens=7,
        cached_tokens=4,
        finish_reason=finish,
    )
    if question.stream:
        return reply_stream(_converse_events(question, finish), _KIND), told
    content: list[Any] = [{"text": "".join(WORDS)}]
    if tools:
        content = [{"toolUse": {"toolUseId": "t1", "name": _tool(question), "input": {"city": "Hue"}}}]
    message = {"role": "assistant", "content": content}
    whole = {
        "output": {"message": message},
        "stopReason": finish,
        "usage": _USAGE,
        "metrics": {"latencyMs": 5},
    }
    return reply_json(whole), told


def _tool(question: Question) -> str:
    return str(question.asked["toolConfig"]["tools"][0]["toolSpec"]["name"])


def _converse_events(question: Question, finish: str) -> Iterator[bytes]:
    yield event("messageStart", {"role": "assistant"})
    if finish == "tool_use":
        start = {"toolUse": {"toolUseId": "t1", "name": _tool(question)}}
        yield event("contentBlockStart", {"contentBlockIndex": 0, "start": start})
        delta = {"toolUse": {"input": '{"city": "Hue"}'}}
        yield event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})
    else:
        for word in WORDS:
            yield event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
    yield event("contentBlockStop", {"contentBlockIndex": 0})
    yield event("messageStop", {"stopReason": finish})
    yield event("metadata", {"usage": _USAGE, "metrics": {"latencyMs": 5}})


def _titan(question: Question) -> tuple[Reply, Told]:
    told = Told(api=question.api, model=question.model, prompt_tokens=6)
    whole = {"embedding": [0.1, 0.2], "inputTextTokenCount": 6}
    return reply_json(whole, headers=(("x-amzn-bedrock-input-token-count", "6"),)), told


async def _anthropic(question: Question) -> tuple[Reply, Told]:
    inner = {**question.asked, "stream": question.stream}
    reply, said = await anthropic.answer(
        Question(
            api="anthropic.messages",
            path="/v1/messages",
            model=question.model,
            stream=question.stream,
            asked=inner,
        )
    )
    told = Told(
        api=question.api,
        model=said.model,
        stream=question.stream,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        cached_tokens=said.cached_tokens,
        finish_reason=said.finish_reason,
    )
    if not question.stream:
        return reply, told
    chunks = [json.loads(frame.split(b"data: ", 1)[1]) for frame in reply.frames]
    chunks[-1][_METRICS] = {"inputTokenCount": 11, "outputTokenCount": 7}
    encoded = [{"bytes": b64encode(json.dumps(chunk).encode()).decode()} for chunk in chunks]
    return reply_stream([event("chunk", one) for one in encoded], _KIND), told
