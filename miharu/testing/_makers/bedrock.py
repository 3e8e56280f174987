"""Bedrock's Converse and ConverseStream for every model, and InvokeModel for Claude and Titan's embeddings.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. Signatures are not
looked at.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing._makers import anthropic, eventstream
from miharu.testing._makers.base import Asked, Headers, Kit, RefusedError
from miharu.testing._replies import Reply, json_reply
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, count_tokens

__all__ = ("Bedrock",)

_PATH = re.compile(r"/model/(.+)/(converse|converse-stream|invoke|invoke-with-response-stream)$")
_KINDS = {
    400: ("ValidationException", "The request is not valid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model."),
    408: ("ModelTimeoutException", "The model took too long."),
    424: ("ModelErrorException", "The model has failed."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}


class Bedrock:
    """Speaks it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def takes(self, asked: Asked) -> bool:
        return _PATH.search(asked.path) is not None

    def model(self, asked: Asked) -> str | None:
        found = _PATH.search(asked.path)
        return unquote(found[1]) if found else None

    def reply(self, asked: Asked, *, broken: bool) -> Reply:
        found = _PATH.search(asked.path)
        assert found is not None
        model, action, body = unquote(found[1]), found[2], asked.body
        stream = action.endswith("-stream")
        if broken and not stream:
            return self.error(500)
        if action.startswith("converse"):
            made = self._kit.generate(_prompt(body, model))
            if not stream:
                return json_reply(_answer(made))
            return _frames(list(_events(made)), broken=broken)
        return self._invoked(body, model, stream=stream, broken=broken)

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        kind, text = _KINDS.get(status, ("InternalServerException", "The server has failed."))
        if quota:
            status, kind, text = 400, "ServiceQuotaExceededException", "Your quota is exceeded."
        headers = (("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)
        return json_reply({"message": message or text}, status, headers)

    def headers(self, millis: int, served: int) -> Headers:  # noqa: ARG002 - each answer tells its own latency
        return [("x-amzn-requestid", self._kit.ids())]

    def _invoked(self, body: Mapping[str, Any], model: str, *, stream: bool, broken: bool) -> Reply:
        if "inputText" in body and "embed" in model:
            return json_reply(_embedding(body))
        if "messages" not in body or "anthropic_version" not in body:
            raise RefusedError(400, "Only Claude's messages and Titan's embeddings can be invoked here.")
        prompt = anthropic.prompt_of({**body, "model": model})
        made, id_ = self._kit.generate(prompt), f"bdrk_{self._kit.ids()}"
        whole = anthropic.message(body, made, id_)
        if not stream:
            counted = (
                ("x-amzn-bedrock-input-token-count", str(whole["usage"]["input_tokens"])),
                ("x-amzn-bedrock-output-token-count", str(made.completion_tokens)),
            )
            return json_reply(whole, headers=counted)
        return _frames([("chunk", event) for event in anthropic.events(whole)], broken=broken)


def _prompt(asked: Mapping[str, Any], model: str) -> Prompt:
    system = asked.get("system") or []
    listed: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    listed += asked["messages"]
    tokens, texts = PER_PROMPT, []
    for message in listed:
        parts = message["content"]
        text = "\n".join(_text_of(part) for part in parts)
        tokens += PER_MESSAGE + count_tokens(text) + PER_IMAGE * sum("image" in part for part in parts)
        texts.append(f"{message['role']}: {text}")
    config = asked.get("toolConfig") or {}
    specs = [tool["toolSpec"] for tool in config.get("tools") or [] if "toolSpec" in tool]
    tools = [Tool(name=spec["name"], schema=spec["inputSchema"]["json"]) for spec in specs]
    if specs:
        tokens += count_tokens(json.dumps(config["tools"]))
    wanted = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    answered = any("toolResult" in part for part in listed[-1]["content"])
    return Prompt(
        model=model,
        text="\n".join(texts),
        question=texts[-1].partition(": ")[2],
        tokens=tokens,
        tools=[] if answered else [tool for tool in tools if wanted in {None, tool.name}],
        limit=(asked.get("inferenceConfig") or {}).get("maxTokens"),
        caches='"cachePoint"' in json.dumps(asked),
        thinks=0,
    )


def _text_of(part: Mapping[str, Any]) -> str:
    for name in ("text", "toolUse", "toolResult"):
        if name in part:
            return part[name] if isinstance(part[name], str) else json.dumps(part[name])
    return ""


def _answer(made: Generation) -> dict[str, Any]:
    part: dict[str, Any] = {"text": made.text}
    if made.tool:
        part = {"toolUse": {"toolUseId": "tooluse_1", "name": made.tool, "input": _arguments(made)}}
    return {
        "output": {"message": {"role": "assistant", "content": [part]}},
        "stopReason": _stop(made),
        "usage": _usage(made),
        "metrics": {"latencyMs": 1},
    }


def _events(made: Generation) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same answer, in the events of a stream."""
    yield "messageStart", {"role": "assistant"}
    where = {"contentBlockIndex": 0}
    if made.tool:
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": made.tool}}
        yield "contentBlockStart", {"start": start, **where}
    for piece in pieces(made.text):
        delta = {"toolUse": {"input": piece}} if made.tool else {"text": piece}
        yield "contentBlockDelta", {"delta": delta, **where}
    yield "contentBlockStop", where
    yield "messageStop", {"stopReason": _stop(made)}
    yield "metadata", {"usage": _usage(made), "metrics": {"latencyMs": 1}}


def _usage(made: Generation) -> dict[str, Any]:
    """``inputTokens`` leaves out what the cache has read."""
    read = made.cached_tokens
    return {
        "inputTokens": made.prompt_tokens - read,
        "outputTokens": made.completion_tokens,
        "totalTokens": made.prompt_tokens + made.completion_tokens,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": 0,
    }


def _stop(made: Generation) -> str:
    return "max_tokens" if made.cut else "tool_use" if made.tool else "end_turn"


def _arguments(made: Generation) -> Any:
    try:
        return json.loads(made.text)
    except ValueError:  # the limit has cut them off
        return {}


def _frames(events: list[tuple[str, Any]], *, broken: bool) -> Reply:
    frames = [
        eventstream.chunk(payload) if name == "chunk" else eventstream.event(name, payload)
        for name, payload in events
    ]
    if broken:
        failure = eventstream.exception("internalServerException", {"message": "The server has failed."})
        frames = [*frames[: len(frames) // 2], failure]
    return Reply(headers=(("content-type", eventstream.CONTENT_TYPE),), frames=iter(frames))


def _embedding(body: Mapping[str, Any]) -> dict[str, Any]:
    text = str(body["inputText"])
    source = random.Random(crc32(text.encode()))  # noqa: S311 - the same text must get the same vector
    size = body.get("dimensions") or 1024
    return {
        "embedding": [round(source.uniform(-0.05, 0.05), 6) for _ in range(size)],
        "inputTextTokenCount": count_tokens(text),
    }
