"""Anthropic Messages (https://docs.claude.com/en/api/messages), plain and streamed, at Vertex AI too."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing._makers.base import Asked, Headers, Kit, RefusedError
from miharu.testing._replies import Reply, event_stream, json_reply, named_events
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, count_tokens

__all__ = ("Anthropic", "events", "message", "prompt_of")

_MESSAGES = re.compile(r"/v1/messages(/count_tokens)?/?$")
_VERTEX = re.compile(r"/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)$")
_KINDS = {
    400: ("invalid_request_error", "This request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key may not use this model."),
    404: ("not_found_error", "The model does not exist."),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    529: ("overloaded_error", "Overloaded"),
}
_POOR = "Your credit balance is too low to access the Anthropic API."
_THOUGHT = 128
"""Tokens that it thinks, where it may think so long."""
_CACHED = 1024, 128
"""The shortest prefix that is cached, and in which steps."""


class Anthropic:
    """Speaks it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def takes(self, asked: Asked) -> bool:
        return bool(_MESSAGES.search(asked.path) or _VERTEX.search(asked.path))

    def model(self, asked: Asked) -> str | None:
        vertex = _VERTEX.search(asked.path)
        return vertex[1] if vertex else asked.body.get("model") if isinstance(asked.body, dict) else None

    def reply(self, asked: Asked, *, broken: bool) -> Reply:
        body: Mapping[str, Any] = {**asked.body, "model": self.model(asked)}
        if not isinstance(body["model"], str):
            raise RefusedError(400, "model: Field required")
        if asked.path.rstrip("/").endswith("/count_tokens"):
            return json_reply({"input_tokens": prompt_of(body).tokens})
        if not isinstance(body.get("max_tokens"), int):
            raise RefusedError(400, "max_tokens: Field required")
        if broken and not body.get("stream"):
            return self.error(500)
        made, id_ = self._kit.generate(prompt_of(body)), self._kit.ids()
        whole = message(body, made, id_)
        if not body.get("stream"):
            return json_reply(whole)
        failure = json.loads(self.error(529).body) if broken else None
        return event_stream(named_events(list(events(whole)), failure))

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        if quota:
            status, message = 400, _POOR
        kind, text = _KINDS.get(status, ("api_error", "Internal server error"))
        error = {"type": kind, "message": message or text}
        return json_reply({"type": "error", "error": error, "request_id": f"req_{self._kit.ids()}"}, status)

    def headers(self, millis: int, served: int) -> Headers:  # noqa: ARG002 - it does not tell how long it took
        return [
            ("request-id", f"req_{self._kit.ids()}"),
            ("anthropic-organization-id", "miharu"),
            ("anthropic-ratelimit-requests-limit", "4000"),
            ("anthropic-ratelimit-requests-remaining", str(4000 - served % 4000)),
            ("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
        ]


def prompt_of(asked: Mapping[str, Any]) -> Prompt:
    """The prompt of a request: its system prompt and messages."""
    said = [{"role": "system", "content": asked["system"]}] if asked.get("system") else []
    tokens, texts = PER_PROMPT, []
    for each in [*said, *asked.get("messages", [])]:
        text, images = _text_of(each["content"])
        tokens += PER_MESSAGE + count_tokens(text) + PER_IMAGE * images
        texts.append(f"{each['role']}: {text}")
    tools = [
        Tool(name=tool["name"], schema=tool["input_schema"])
        for tool in asked.get("tools") or []
        if "input_schema" in tool
    ]
    if asked.get("tools"):
        tokens += count_tokens(json.dumps(asked["tools"]))
    choice = asked.get("tool_choice") or {}
    wanted = choice.get("name")
    form = (asked.get("output_config") or {}).get("format") or asked.get("output_format") or {}
    thinking = asked.get("thinking") or {}
    thinks = thinking.get("type") in {"enabled", "adaptive"}
    return Prompt(
        model=asked["model"],
        text="\n".join(texts),
        question=texts[-1].partition(": ")[2] if texts else "",
        tokens=tokens,
        tools=[]
        if choice.get("type") == "none" or _is_answered(asked)
        else [t for t in tools if wanted in {None, t.name}],
        schema=form.get("schema"),
        limit=asked.get("max_tokens"),
        thinks=min(_THOUGHT, thinking.get("budget_tokens") or _THOUGHT) if thinks else 0,
        caches='"cache_control"' in json.dumps(asked),
    )


def message(asked: Mapping[str, Any], made: Generation, id_: str) -> dict[str, Any]:
    """The whole answer."""
    content: list[dict[str, Any]] = []
    if made.reasoning_tokens:
        content.append({"type": "thinking", "thinking": "Let me think.", "signature": f"sig_{id_}"})
    if made.tool:
        content.append(
            {"type": "tool_use", "id": f"toolu_{id_}", "name": made.tool, "input": _arguments(made)}
        )
    else:
        content.append({"type": "text", "text": made.text, "citations": None})
    return {
        "id": f"msg_{id_}",
        "type": "message",
        "role": "assistant",
        "model": made.model,
        "content": content,
        "stop_reason": "max_tokens" if made.cut else "tool_use" if made.tool else "end_turn",
        "stop_sequence": None,
        "usage": _usage(asked, made),
    }


def events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same answer, in the events of a stream."""
    usage = whole["usage"]
    begun: dict[str, Any] = {"content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": {**whole, **begun}}
    for index, block in enumerate(whole["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counted = {name: count for name, count in usage.items() if name.endswith("tokens")}
    yield {"type": "message_delta", "delta": ended, "usage": counted}
    yield {"type": "message_stop"}


def _usage(asked: Mapping[str, Any], made: Generation) -> dict[str, Any]:
    """``input_tokens`` leaves out what the cache has read or written."""
    read = made.cached_tokens
    least, step = _CACHED
    caches = '"cache_control"' in json.dumps(asked) and made.prompt_tokens >= least
    written = made.prompt_tokens // step * step - read if caches else 0
    return {
        "input_tokens": made.prompt_tokens - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": made.completion_tokens,
        "service_tier": "standard",
    }


def _text_of(content: Any) -> tuple[str, int]:
    """The words of a message, and how many images it has."""
    if isinstance(content, str):
        return content, 0
    texts, images = [], 0
    for part in content or []:
        images += part["type"] == "image"
        found = part.get("text") or part.get("thinking") or part.get("content") or part.get("input") or ""
        texts.append(found if isinstance(found, str) else json.dumps(found))
    return "\n".join(texts), images


def _is_answered(asked: Mapping[str, Any]) -> bool:
    """Whether the last message brings the result of a tool."""
    last = (asked.get("messages") or [{}])[-1].get("content")
    return isinstance(last, list) and any(part.get("type") == "tool_result" for part in last)


def _arguments(made: Generation) -> Any:
    try:
        return json.loads(made.text)
    except ValueError:  # the limit has cut them off
        return {}


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    nothing_yet: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return block | nothing_yet[block["type"]]


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in pieces(block["text"]))
    elif block["type"] == "tool_use":
        for piece in pieces(json.dumps(block["input"])):
            yield {"type": "input_json_delta", "partial_json": piece}
    else:
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
