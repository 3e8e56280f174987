"""Gemini (https://ai.google.dev/api/generate-content), plain and streamed, at AI Studio and Vertex AI."""

import json
import random
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from zlib import crc32

from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing._makers.base import Asked, Headers, Kit, RefusedError
from miharu.testing._replies import Reply, event_stream, json_reply
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, count_tokens

__all__ = ("Gemini", "answer", "prompt_of", "response_id")

_PATH = re.compile(r"/models/([^/:]+):(\w+)$")
_METHODS = {
    "generateContent",
    "streamGenerateContent",
    "countTokens",
    "embedContent",
    "batchEmbedContents",
}
_KINDS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "API key not valid. Please pass a valid API key."),
    403: ("PERMISSION_DENIED", "You may not use this model."),
    404: ("NOT_FOUND", "The model is not found."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
_THOUGHT = 128
"""Tokens that it thinks, where it may think so long."""


class Gemini:
    """Speaks it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def takes(self, asked: Asked) -> bool:
        found = _PATH.search(asked.path)
        return found is not None and found[2] in _METHODS

    def model(self, asked: Asked) -> str | None:
        found = _PATH.search(asked.path)
        return found[1] if found else None

    def reply(self, asked: Asked, *, broken: bool) -> Reply:
        found = _PATH.search(asked.path)
        assert found is not None
        model, method, body = found[1], found[2], asked.body
        if method in {"embedContent", "batchEmbedContents"}:
            return json_reply(_embedded(body, method))
        if not isinstance(body.get("contents"), list) and method != "countTokens":
            raise RefusedError(400, "* GenerateContentRequest.contents: contents is not specified")
        prompt = prompt_of(body, model)
        if method == "countTokens":
            return json_reply({"totalTokens": prompt.tokens})
        stream = method == "streamGenerateContent"
        if broken and not stream:
            return self.error(500)
        made, id_ = self._kit.generate(prompt), response_id(self._kit)
        if not stream:
            return json_reply(answer(made, id_))
        chunks = list(_chunks(made, id_))
        if broken:
            chunks = [*chunks[: len(chunks) // 2], json.loads(self.error(503).body)]
        if "alt=sse" in asked.query:
            return event_stream(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)
        return Reply(headers=(("content-type", "application/json; charset=UTF-8"),), frames=_listed(chunks))

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        status = 429 if quota else status
        word, text = _KINDS.get(status, ("INTERNAL", "An internal error has occurred."))
        return json_reply({"error": {"code": status, "message": message or text, "status": word}}, status)

    def headers(self, millis: int, served: int) -> Headers:  # noqa: ARG002 - it does not count requests
        return [("server-timing", f"gfet4t7; dur={millis}"), ("x-content-type-options", "nosniff")]


def response_id(kit: Kit) -> str:
    """An id for an answer. Its first bytes are the time, as in all that Google makes."""
    made = kit.now.to_bytes(4, "little") + crc32(kit.ids().encode()).to_bytes(8, "big")
    return urlsafe_b64encode(made).decode().rstrip("=")


def prompt_of(asked: Mapping[str, Any], model: str) -> Prompt:
    """The prompt of a request: its system instruction and contents."""
    first = _either(asked, "systemInstruction")
    listed = [{"role": "system", **first}] if isinstance(first, dict) else []
    listed += asked.get("contents") or []
    tokens, texts, images = PER_PROMPT, [], 0
    for content in listed:
        parts = content.get("parts") or []
        text = "\n".join(_text_of(part) for part in parts)
        images = sum("inlineData" in part or "fileData" in part for part in parts)
        tokens += PER_MESSAGE + count_tokens(text) + PER_IMAGE * images
        texts.append(f"{content.get('role') or 'user'}: {text}")
    tools = [
        Tool(
            name=declared["name"],
            schema=_lower(declared.get("parameters") or _either(declared, "parametersJsonSchema") or {}),
        )
        for tool in asked.get("tools") or []
        for declared in _either(tool, "functionDeclarations") or []
    ]
    if asked.get("tools"):
        tokens += count_tokens(json.dumps(asked["tools"]))
    config = _either(asked, "generationConfig") or {}
    calling = _either(_either(asked, "toolConfig") or {}, "functionCallingConfig") or {}
    wanted = _either(calling, "allowedFunctionNames")
    last = (listed[-1].get("parts") if listed else None) or []
    answered = any("functionResponse" in part for part in last)
    schema = _either(config, "responseJsonSchema") or _either(config, "responseSchema")
    budget = _either(_either(config, "thinkingConfig") or {}, "thinkingBudget")
    return Prompt(
        model=model,
        text="\n".join(texts),
        question=texts[-1].partition(": ")[2] if texts else "",
        tokens=tokens,
        tools=[]
        if answered or calling.get("mode") == "NONE"
        else [tool for tool in tools if not wanted or tool.name in wanted],
        schema=_lower(schema) if schema else None,
        limit=_either(config, "maxOutputTokens"),
        thinks=min(_THOUGHT, budget) if budget and budget > 0 else 0,
    )


def answer(made: Generation, id_: str) -> dict[str, Any]:
    """The whole answer."""
    return _chunk(made, id_, _parts(made), last=True)


def _chunks(made: Generation, id_: str) -> Iterator[dict[str, Any]]:
    """The same answer, in the chunks of a stream, the last of which has the usage as a whole."""
    parts = _parts(made)
    if not made.tool:
        thought = parts[:-1]
        parts = [*thought, *({"text": piece} for piece in pieces(made.text))] or [{"text": ""}]
    for number, part in enumerate(parts, 1):
        yield _chunk(made, id_, [part], last=number == len(parts))


def _chunk(made: Generation, id_: str, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    usage: dict[str, Any] = {"promptTokenCount": made.prompt_tokens, "totalTokenCount": made.prompt_tokens}
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if made.cut else "STOP"
        usage["candidatesTokenCount"] = made.completion_tokens - made.reasoning_tokens
        usage["totalTokenCount"] += made.completion_tokens
        if made.reasoning_tokens:
            usage["thoughtsTokenCount"] = made.reasoning_tokens
        if made.cached_tokens:
            usage["cachedContentTokenCount"] = made.cached_tokens
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": made.prompt_tokens}]
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": made.model,
        "responseId": id_,
    }


def _parts(made: Generation) -> list[dict[str, Any]]:
    thought = [{"text": "Let me think.", "thought": True}] if made.reasoning_tokens else []
    if not made.tool:
        return [*thought, {"text": made.text}]
    try:
        arguments = json.loads(made.text)
    except ValueError:  # the limit has cut them off
        arguments = {}
    return [*thought, {"functionCall": {"name": made.tool, "args": arguments}}]


def _listed(chunks: list[dict[str, Any]]) -> Iterator[bytes]:
    """One JSON array, chunk by chunk, as it comes where no event stream was asked for."""
    for number, chunk in enumerate(chunks):
        yield (b",\r\n" if number else b"[") + json.dumps(chunk, indent=2).encode()
    yield b"]"


def _embedded(body: Mapping[str, Any], method: str) -> dict[str, Any]:
    each = body["requests"] if method == "batchEmbedContents" else [body]
    texts = ["\n".join(map(_text_of, one["content"].get("parts") or [])) for one in each]
    sizes = [one.get("outputDimensionality") or _either(one, "outputDimensionality") or 3072 for one in each]
    made = [{"values": _vector(text, size)} for text, size in zip(texts, sizes, strict=True)]
    usage = {"usageMetadata": {"promptTokenCount": sum(map(count_tokens, texts))}}
    return ({"embeddings": made} if method == "batchEmbedContents" else {"embedding": made[0]}) | usage


def _vector(text: str, size: int) -> list[float]:
    source = random.Random(crc32(text.encode()))  # noqa: S311 - the same text must get the same vector
    return [round(source.uniform(-0.05, 0.05), 6) for _ in range(size)]


def _text_of(part: Mapping[str, Any]) -> str:
    for name in ("text", "functionCall", "functionResponse"):
        if name in part:
            return part[name] if isinstance(part[name], str) else json.dumps(part[name])
    return ""


def _either(holder: Mapping[str, Any], name: str) -> Any:
    """The field, also by the name that it has in protocol buffers."""
    return holder.get(name) or holder.get(re.sub(r"(?=[A-Z])", "_", name).lower())


def _lower(schema: Any) -> Any:
    """The schema with its types as JSON Schema writes them; Google has them in capitals."""
    if isinstance(schema, dict):
        return {
            name: value.lower() if name == "type" and isinstance(value, str) else _lower(value)
            for name, value in schema.items()
        }
    return [_lower(value) for value in schema] if isinstance(schema, list) else schema
