"""Gemini (https://ai.google.dev/api/generate-content), plain and streamed, at AI Studio and Vertex AI.

A stream is Server-Sent Events with CRLF, or one JSON array where ``alt=sse`` was not asked for; it has no end
marker: its last chunk carries a ``finishReason``. Usage is cumulative, and stands in nearly every chunk.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.google._common import (
    enum_name,
    error_of,
    is_meant,
    requested_model,
    tier_of,
    usage_of,
)
from miharu.providers.google._grounding import Grounding
from miharu.providers.openai._usage import stated_cost
from miharu.wire.json import later, mapping, text
from miharu.wire.streams import answers, last_value

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("GeminiGenerate", "read_answer")

_STREAM = ":streamGenerateContent"
_NO_CONTENT = {"thought", "thoughtSignature"}
"""Of a part: what is said about the content beside it."""


class GeminiGenerate:
    """Reads ``POST …:generateContent`` and ``POST …:streamGenerateContent``."""

    api = "gemini.generate"
    rules = (Rule(":generateContent"), Rule(_STREAM))

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked=["contents"], answered=["candidates", "promptFeedback", "usageMetadata"]):
            return None
        return read_answer(wire)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.google._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "systemInstruction", "system_instruction")


def read_answer(wire: Wire) -> Reading:
    """What an answer says, plain or streamed."""
    seen = _Seen(wire)
    seen.read()
    if not seen.is_whole and wire.body:
        seen.salvage()
    return seen.reading()


class _Seen:
    """What the chunks of a stream have said so far; a plain answer is a stream of one.

    The last of each fact holds. Usage is not put together from several chunks: one without
    ``candidatesTokenCount`` revises an earlier one.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.is_stream = wire.path.rstrip("/").endswith(_STREAM)
        self.is_whole = False
        self.usage: Mapping[str, Any] = {}
        self.error: Mapping[str, Any] = {}
        self.model: str | None = None
        self.response_id: str | None = None
        self.finish: str | None = None
        self.ttft_ms: int | None = None
        self.grounding = Grounding()

    def read(self) -> None:
        for answer in answers(self.wire):
            chunk, self.is_whole = answer.value, True
            if usage := mapping(chunk.get("usageMetadata")):
                self.usage = later(self.usage, usage)
            self.model = text(chunk.get("modelVersion")) or self.model
            self.response_id = text(chunk.get("responseId")) or self.response_id
            # a blocked prompt has no candidates, and is not an error: it is answered, and may be billed
            self.finish = enum_name(mapping(chunk.get("promptFeedback")), "blockReason") or self.finish
            for candidate in _objects(chunk.get("candidates")):
                self.grounding.add(candidate.get("groundingMetadata"))
                self.finish = enum_name(candidate, "finishReason") or self.finish
                if self.ttft_ms is None and self.is_stream and _has_content(candidate):
                    self.ttft_ms = self.wire.ms_at(answer.end)
            if chunk.get("error") or not self.error:
                self.error = chunk

    def salvage(self) -> None:
        """Find what stands at the end of an answer that is no JSON: its picture was too large to be kept."""
        body = self.wire.body
        self.usage = mapping(last_value(body, "usageMetadata"))
        self.model = text(last_value(body, "modelVersion"))
        self.response_id = text(last_value(body, "responseId"))
        self.grounding.add(last_value(body, "groundingMetadata"))
        self.finish = enum_name({"finishReason": last_value(body, "finishReason")}, "finishReason")
        self.is_whole = bool(self.usage) and body.rstrip().endswith((b"}", b"]"))

    def reading(self) -> Reading:
        kind, message = error_of(self.error, self.wire.status)
        return Reading(
            terminated=self.is_whole and (self.finish is not None or not self.is_stream),
            usage=usage_of(self.usage),
            quantities=self.grounding.quantities(self.wire.asked),
            model=self.model,
            request_model=requested_model(self.wire),
            stream=self.is_stream,
            ttft_ms=self.ttft_ms,
            error_type=kind,
            error_message=message,
            finish_reason=self.finish,
            service_tier=tier_of(self.usage),
            response_id=self.response_id,
            stated_cost_usd=stated_cost(self.usage, self.wire.headers),
        )


def _has_content(candidate: Mapping[str, Any]) -> bool:
    parts = _objects(mapping(candidate.get("content")).get("parts"))
    return any(value for part in parts for name, value in part.items() if name not in _NO_CONTENT)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
