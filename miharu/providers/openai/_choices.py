"""The shape that Chat Completions and the legacy Completions share: a model, choices, a usage."""

from collections.abc import Callable, Mapping
from typing import Any

from miharu.providers import _sse
from miharu.providers._json import later, loads, mapping, text
from miharu.providers.base import Reading, Wire
from miharu.providers.openai._common import answer_of, items, reading_of
from miharu.providers.openai._errors import error_field
from miharu.providers.openai._usage import usages_beside

__all__ = ("has_content", "read_choices")

_CONTENT = (
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "images",
)


_SEARCH_BY_REQUEST = {"openai", "azure.ai.openai", "azure.ai.inference", None}
"""Where ``web_search_options`` costs a fee; Perplexity, say, has it in the price of each request."""


def has_content(choice: dict[str, Any]) -> bool:
    """Whether a choice of a streamed chunk carries generated content, not just its role."""
    delta = mapping(choice.get("delta"))
    return bool(choice.get("text")) or any(delta.get(name) for name in _CONTENT)


def read_choices(wire: Wire, begins: Callable[[dict[str, Any]], bool] = has_content) -> Reading:
    """Read an exchange whose answer has choices, plain or streamed.

    Args:
        wire: The exchange.
        begins: Whether content has begun with this choice of a streamed chunk.
    """
    if wire.is_event_stream:
        return _stream(wire, begins)
    answer = {**answer_of(wire)}
    choices = [mapping(choice) for choice in items(answer.get("choices"))]
    finish = (text(choice.get("finish_reason")) for choice in choices)
    # OpenRouter may have the error of its upstream in the choice (https://openrouter.ai/docs/api-reference)
    answer["error"] = answer.get("error") or next(filter(None, (c.get("error") for c in choices)), None)
    return reading_of(
        wire,
        answer,
        terminated=bool(answer_of(wire)),
        finish_reason=next(filter(None, finish), None),
        quantities=_tools(wire, choices),
    )


def _stream(wire: Wire, begins: Callable[[dict[str, Any]], bool]) -> Reading:
    """Read a stream. The last of each fact holds: usage may stand in any chunk, with or without choices."""
    seen: dict[str, Any] = {}
    tools: dict[str, float] = _tools(wire, [])
    terminated, finish, ttft = False, None, None
    for event in _sse.events(wire.body):
        if event.data.strip() == b"[DONE]":
            terminated = True
            continue
        chunk = loads(event.data)
        if not isinstance(chunk, dict):
            continue
        choices = [mapping(choice) for choice in items(chunk.get("choices"))]
        seen |= {name: chunk[name] for name in ("model", "id", "service_tier") if text(chunk.get(name))}
        if b"usage" in event.data:  # few chunks have any of these, and a stream has hundreds
            seen |= later(seen, _usage(chunk, choices)) | usages_beside(chunk)
        if event.name == "error" or b"error" in event.data:
            seen |= _error(chunk, choices, event.name)
        tools |= _tools(wire, choices) if b"executed_tools" in event.data else {}
        for choice in choices:
            finish = text(choice.get("finish_reason")) or finish
        if ttft is None and (any(map(begins, choices)) or text(chunk.get("value"))):
            ttft = wire.ms_at(event.end)
        if text(chunk.get("value")) and wire.end == "eof":
            # Writer's completions: pieces of text, then nothing (https://dev.writer.com/api-reference)
            terminated = True
    if not terminated and "error" not in seen and (error := error_field(wire.body)):
        seen["error"] = error
    return reading_of(
        wire, seen, terminated=terminated, stream=True, ttft_ms=ttft, finish_reason=finish, quantities=tools
    )


def _tools(wire: Wire, choices: list[dict[str, Any]]) -> dict[str, float]:
    """Tools that the provider ran, at fees of its own and not always counted in the usage."""
    found: dict[str, float] = {}
    if wire.provider in _SEARCH_BY_REQUEST and wire.asked.get("web_search_options") is not None:
        # https://platform.openai.com/docs/guides/tools-web-search: a fee that no price list has
        found["searching_requests"] = 1
    # Groq's systems of several models (https://console.groq.com/docs/compound)
    holders = (mapping(choice.get(part)) for choice in choices for part in ("message", "delta"))
    if ran := sum(len(items(holder.get("executed_tools"))) for holder in holders):
        found["executed_tools"] = ran
    return found


def _usage(chunk: Mapping[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    """In the chunk; Groq's is at ``x_groq`` as long as nobody asked for it, Moonshot's in the choice."""
    holders = (chunk, mapping(chunk.get("x_groq")), *choices)
    return next(({"usage": usage} for holder in holders if (usage := mapping(holder.get("usage")))), {})


def _error(chunk: Mapping[str, Any], choices: list[dict[str, Any]], event: str) -> dict[str, Any]:
    """In the chunk, whatever its shape; in the choice (OpenRouter); as a named event (Groq)."""
    holders = (chunk, mapping(chunk.get("x_groq")), *choices)
    error = next((error for holder in holders if (error := holder.get("error"))), None)
    if error is None and (event == "error" or chunk.get("object") == "error"):
        error = chunk
    return {"error": error} if error else {}
