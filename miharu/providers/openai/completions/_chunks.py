"""The chunks of a streamed answer with choices. A long stream is read from both its ends."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from miharu.providers.base import Reading, Wire
from miharu.providers.openai._common import items, reading_of
from miharu.providers.openai._errors import error_field
from miharu.providers.openai._usage import usages_beside
from miharu.wire import sse
from miharu.wire.json import later, loads, mapping, text

__all__ = ("has_content", "read_chunks", "tools_of")

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


def has_content(choice: dict[str, Any]) -> bool:
    """Whether a choice of a streamed chunk carries generated content, not just its role."""
    delta = mapping(choice.get("delta"))
    return bool(choice.get("text")) or any(delta.get(name) for name in _CONTENT)


_SEARCH_BY_REQUEST = {"openai", "azure.ai.openai", "azure.ai.inference", None}
"""Where ``web_search_options`` costs a fee; Perplexity, say, has it in the price of each request."""
_NAMES = ("model", "id", "service_tier")
_MARKS = (b"error", b"executed_tools", re.compile(rb'usage(?!": ?null)'))
"""What stands in each chunk that adds to what others say, instead of only repeating or replacing it."""
_ENDS = (b"[DONE]", b'"value"')
"""What stands in an event that ends a stream, wherever it comes."""
_FINISH = re.compile(rb'"finish_reason"\s*+:\s*+"')


def read_chunks(wire: Wire, begins: Callable[[dict[str, Any]], bool]) -> Reading:
    """Read a stream.

    Args:
        wire: The exchange.
        begins: Whether content has begun with this choice of a chunk.
    """
    chunks = _Chunks(wire, begins)
    if not chunks.read_ends():
        chunks = _Chunks(wire, begins)
        chunks.read(sse.events(wire.body))
    return chunks.reading()


class _Chunks:
    """What the chunks have said so far.

    The last of each fact holds: usage may stand in any chunk, with or without choices.
    """

    def __init__(self, wire: Wire, begins: Callable[[dict[str, Any]], bool]) -> None:
        self._wire = wire
        self._begins = begins
        self._seen: dict[str, Any] = {}
        self._told: set[str] = set()
        """The names that the last of them has said."""
        self._tools = tools_of(wire, [])
        self._terminated = False
        self._finish: str | None = None
        self._ttft: int | None = None

    def read_ends(self) -> bool:
        """Read the beginning and the end, and between them what is marked; whether that was enough."""
        body, following = self._wire.body, sse.events(self._wire.body)
        for event in following:
            self._add(event)
            if self._ttft is not None:
                break
        between = sse.middle(body, event.end) if self._ttft is not None and self._wire.gap is None else None
        if between is None:
            self.read(following)
            return True
        self.read(sse.marked(body, between, _MARKS))
        self._finish = None
        self.read(sse.events(body, between.stop))
        return self._is_all(between.start, between.stop)

    def _is_all(self, start: int, stop: int) -> bool:
        """Whether nothing of what was passed over holds."""
        body = self._wire.body
        untold = (f'"{name}"'.encode() for name in _NAMES if name not in self._told)
        return (
            all(body.find(name, start, stop) < 0 for name in untold)
            and (self._finish is not None or _FINISH.search(body, start, stop) is None)
            and (self._terminated or all(body.find(sign, start, stop) < 0 for sign in _ENDS))
        )

    def read(self, events: Iterable[sse.Event]) -> None:
        for event in events:
            self._add(event)

    def _add(self, event: sse.Event) -> None:
        if event.data.strip() == b"[DONE]":
            self._terminated = True
            return
        chunk = loads(event.data)
        if not isinstance(chunk, dict):
            return
        choices = [mapping(choice) for choice in items(chunk.get("choices"))]
        told = {name: chunk[name] for name in _NAMES if text(chunk.get(name))}
        self._told = set(told)
        self._seen |= told
        if b"usage" in event.data:  # few chunks have any of these, and a stream has hundreds
            self._seen |= later(self._seen, _usage(chunk, choices)) | usages_beside(chunk)
        if event.name == "error" or b"error" in event.data:
            self._seen |= _error(chunk, choices, event.name)
        if b"executed_tools" in event.data:
            self._tools |= tools_of(self._wire, choices)
        for choice in choices:
            self._finish = text(choice.get("finish_reason")) or self._finish
        if self._ttft is None and (any(map(self._begins, choices)) or text(chunk.get("value"))):
            self._ttft = self._wire.ms_at(event.end)
        if text(chunk.get("value")) and self._wire.end == "eof":
            # Writer's completions: pieces of text, then nothing (https://dev.writer.com/api-reference)
            self._terminated = True

    def reading(self) -> Reading:
        seen, terminated = self._seen, self._terminated
        if not terminated and "error" not in seen and (error := error_field(self._wire.body)):
            seen["error"] = error
        return reading_of(
            self._wire,
            seen,
            terminated=terminated,
            stream=True,
            ttft_ms=self._ttft,
            finish_reason=self._finish,
            quantities=self._tools,
        )


def tools_of(wire: Wire, choices: list[dict[str, Any]]) -> dict[str, float]:
    """Tools that the provider ran, at fees of its own and not always counted in the usage."""
    found: dict[str, float] = {}
    if wire.provider in _SEARCH_BY_REQUEST and wire.asked.get("web_search_options") is not None:
        # https://platform.openai.com/docs/guides/tools-web-search: a fee that no price list has
        found["searching_requests"] = 1
    # Groq's systems of several models (https://console.groq.com/docs/compound)
    if ran := sum(
        [
            len(items(mapping(choice.get(part)).get("executed_tools")))
            for choice in choices
            for part in ("message", "delta")
            if part in choice
        ]
    ):
        found["executed_tools"] = ran
    return found


def _usage(chunk: Mapping[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    """In the chunk; Groq's is at ``x_groq`` unless the request asked for it, Moonshot's in the choice."""
    holders = (chunk, mapping(chunk.get("x_groq")), *choices)
    return next(({"usage": usage} for holder in holders if (usage := mapping(holder.get("usage")))), {})


def _error(chunk: Mapping[str, Any], choices: list[dict[str, Any]], event: str) -> dict[str, Any]:
    """In the chunk, in any shape; in the choice (OpenRouter); as a named event (Groq)."""
    holders = (chunk, mapping(chunk.get("x_groq")), *choices)
    error = next((error for holder in holders if (error := holder.get("error"))), None)
    if error is None and (event == "error" or chunk.get("object") == "error"):
        error = chunk
    return {"error": error} if error else {}
