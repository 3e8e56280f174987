"""Cohere's version 1: Chat (https://docs.cohere.com/v1/reference/chat) and Generate, plain and streamed.

A stream is NDJSON, or Server-Sent Events where those were asked for; its last object says ``is_finished`` and
holds the whole response.
"""

from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.cohere._common import FAILED, is_meant, usage_of
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.openai._errors import error_of
from miharu.wire.json import mapping, text
from miharu.wire.streams import answers

__all__ = ("CohereV1Chat", "CohereV1Generate")


class CohereV1Chat:
    """Reads ``POST …/v1/chat``."""

    api = "cohere.v1.chat"
    rules = (Rule("/v1/chat"),)

    def read(self, wire: Wire) -> Reading | None:
        return _read(wire) if is_meant(wire, asked="message", answered=["generation_id"]) else None

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "preamble")


class CohereV1Generate:
    """Reads ``POST …/v1/generate``."""

    api = "cohere.v1.generate"
    rules = (Rule("/v1/generate"),)

    def read(self, wire: Wire) -> Reading | None:
        return _read(wire) if is_meant(wire, asked="prompt", answered=["generations", "meta"]) else None


def _read(wire: Wire) -> Reading:
    """Read a plain answer, or the objects of a stream."""
    usage, terminated, ttft = Usage(), False, None
    response_id = finish = kind = message = None
    for answer in answers(wire):
        chunk, is_streamed = answer.value, "is_finished" in answer.value
        response = mapping(chunk.get("response")) or chunk
        usage = usage_of(response.get("meta")) if response.get("meta") else usage
        response_id = text(response.get("generation_id")) or text(response.get("id")) or response_id
        finish = text(chunk.get("finish_reason")) or _finish(response) or finish
        terminated = chunk.get("is_finished") is True if is_streamed else True
        has_content = is_streamed and (chunk.get("text") or chunk.get("tool_call_delta"))
        if ttft is None and has_content and not terminated:
            ttft = wire.ms_at(answer.end)
        if chunk.get("error") or not is_streamed:
            kind, message = error_of(chunk, wire.status)
    if finish in FAILED:
        kind = finish
    return Reading(
        terminated=terminated,
        usage=usage,
        request_model=text(wire.asked.get("model")),
        stream=wire.asked.get("stream") is True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
        response_id=response_id,
    )


def _finish(response: Mapping[str, Any]) -> str | None:
    generations = response.get("generations")
    first = mapping(generations[0]) if isinstance(generations, list) and generations else {}
    return text(response.get("finish_reason")) or text(first.get("finish_reason"))
