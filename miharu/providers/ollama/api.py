"""Ollama's own API (https://docs.ollama.com/api), plain and streamed.

A stream is NDJSON, and the default. Its last object says ``done`` and counts tokens; its count of the prompt
may be missing where that was cached. Any backend may have an ``/api/chat``: away from ollama.com, both the
request and the response need the shape.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside, fixed_in_messages
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, dumps, mapping, text
from miharu.wire.streams import answers

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("OllamaChat", "OllamaEmbed", "OllamaGenerate")

_PORT = ":11434"
_COUNTS = (
    "prompt_eval_count",
    "prompt_eval_cached_count",
    "eval_count",
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
)


class OllamaChat:
    """Reads ``POST …/api/chat``."""

    api = "ollama.chat"
    rules = (Rule("/api/chat"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _is_meant(wire, asked=["messages"], answered=["model", "message", "done"]):
            return None
        return _read(wire, _has_message)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.ollama._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_in_messages(request)


class OllamaGenerate:
    """Reads ``POST …/api/generate``."""

    api = "ollama.generate"
    rules = (Rule("/api/generate"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _is_meant(wire, asked=["prompt"], answered=["model", "response", "done"]):
            return None
        return _read(wire, lambda chunk: bool(chunk.get("response") or chunk.get("thinking")))

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "system")


class OllamaEmbed:
    """Reads ``POST …/api/embed``, and the older ``POST …/api/embeddings``, which counts nothing."""

    api = "ollama.embed"
    rules = (Rule("/api/embed"), Rule("/api/embeddings"))

    def read(self, wire: Wire) -> Reading | None:
        legacy = wire.path.rstrip("/").endswith("/api/embeddings")
        if not _is_meant(
            wire,
            asked=["prompt" if legacy else "input"],
            answered=["embedding"] if legacy else ["model", "embeddings"],
        ):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=_usage(wire.answered),
            model=text(wire.answered.get("model")),
            request_model=text(wire.asked.get("model")),
            error_type=kind,
            error_message=message,
        )


def _is_meant(wire: Wire, *, asked: list[str], answered: list[str]) -> bool:
    if wire.provider == "ollama":
        return True
    if not text(wire.asked.get("model")) or not any(field in wire.asked for field in asked):
        return False
    # who asked, or Ollama's own port, says enough; else there has to be a response with the shape
    agent = wire.request_headers.get("user-agent", "")
    if wire.host.endswith(_PORT) or agent.startswith("ollama-python"):
        return True
    if wire.status is None or wire.status >= 400 or not wire.body:
        return False
    return all(f'"{field}"'.encode() in wire.body for field in answered)


def _read(wire: Wire, has_content: Callable[[Mapping[str, Any]], bool]) -> Reading:
    is_stream = wire.asked.get("stream") is not False
    usage, terminated, ttft = Usage(), False, None
    model = finish = kind = message = None
    for answer in answers(wire):
        chunk = answer.value
        model = text(chunk.get("model")) or model
        if ttft is None and is_stream and has_content(chunk):
            ttft = wire.ms_at(answer.end)
        if chunk.get("done") is True:
            usage, finish, terminated = _usage(chunk), text(chunk.get("done_reason")), True
        if chunk.get("error"):
            kind, message = error_of(chunk, wire.status)
            if kind is None and wire.status == 200:
                kind = "error"  # a bare sentence, in the middle of a stream
    return Reading(
        terminated=terminated,
        usage=usage,
        model=model,
        request_model=text(wire.asked.get("model")),
        stream=is_stream,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
    )


def _has_message(chunk: Mapping[str, Any]) -> bool:
    message = mapping(chunk.get("message"))
    return any(message.get(name) for name in ("content", "thinking", "tool_calls", "images"))


def _usage(answered: Mapping[str, Any]) -> Usage:
    """The normal form; its prompt count includes what came from the cache (https://docs.ollama.com/api/usage)."""
    raw = {name: answered[name] for name in _COUNTS if name in answered}
    if not raw:
        return Usage()
    return Usage(
        prompt_tokens=count(raw, "prompt_eval_count"),
        completion_tokens=count(raw, "eval_count"),
        cached_tokens=count(raw, "prompt_eval_cached_count"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )
