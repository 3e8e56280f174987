"""Gemini Live (https://ai.google.dev/api/live) over WebSockets, at AI Studio and Vertex AI.

Each turn of the model is a call, from the end of what the user has said, where that is told, to
``turnComplete``. Its usage is that of the turn, not of the session, as pydantic-ai has measured with several
models (https://github.com/pydantic/pydantic-ai/pull/7269). The first message of the program names the model.

Source of the shapes: ``LiveServerMessage`` and ``LiveClientSetup`` of google-genai 3.4.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.providers._session import SWITCHED, Event, events_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.google._common import error_of, tier_of, usage_of
from miharu.providers.google._grounding import Grounding
from miharu.providers.turns import GEMINI_LIVE
from miharu.wire.json import mapping, text

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("GeminiLive",)

_CONTENT = ("modelTurn", "outputTranscription")
_SIGNS = tuple(f'"{name}"'.encode() for name in _CONTENT)


class GeminiLive:
    """Reads the turns of a session at ``…BidiGenerateContent``."""

    api = "gemini.live"
    rules = (
        Rule("BidiGenerateContent", method="WEBSOCKET", turns=GEMINI_LIVE),
        Rule("BidiGenerateContentConstrained", method="WEBSOCKET", turns=GEMINI_LIVE),
    )

    def read(self, wire: Wire) -> Reading | None:
        if wire.status != SWITCHED:
            kind, message = error_of(wire.answered, wire.status)
            refused = Reading(terminated=False, stream=True, error_type=kind, error_message=message)
            return refused if wire.provider is not None else None
        return _Seen(list(events_of(wire))).reading()

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.google._live_conversation import messages

        return messages(request, answers)


class _Seen:
    """What the messages of a turn say. The last of each fact holds."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.setup: Mapping[str, Any] = {}
        self.session_id: str | None = None
        self.usage: Mapping[str, Any] = {}
        self.is_complete = self.is_interrupted = False
        self.reason: str | None = None
        self.ttft_ms: int | None = None
        self.grounding = Grounding()
        for event in events:
            self._see(event)

    def _see(self, event: Event) -> None:
        data, said = event.data, mapping(event.data.get("serverContent"))
        self.setup = mapping(data.get("setup")) or self.setup
        self.session_id = text(mapping(data.get("setupComplete")).get("sessionId")) or self.session_id
        self.usage = mapping(data.get("usageMetadata")) or self.usage
        self.is_complete = self.is_complete or said.get("turnComplete") is True
        self.is_interrupted = self.is_interrupted or said.get("interrupted") is True
        self.reason = text(said.get("turnCompleteReason")) or self.reason
        self.grounding.add(said.get("groundingMetadata"))
        is_content = any(name in said for name in _CONTENT) or "toolCall" in data
        if is_content or (not data and any(sign in event.raw for sign in _SIGNS)):
            self.ttft_ms = event.ms if self.ttft_ms is None else self.ttft_ms

    def reading(self) -> Reading:
        return Reading(
            terminated=self.is_complete,
            usage=usage_of(self.usage),
            quantities=self.grounding.quantities(self.setup),
            request_model=(text(self.setup.get("model")) or "").rpartition("/")[2] or None,
            stream=True,
            ttft_ms=self.ttft_ms or None,  # nothing has told when the user had ended
            finish_reason=self.reason or self._finish(),
            is_cancelled=self.is_interrupted,
            service_tier=tier_of(self.usage),
            conversation_id=self.session_id,
        )

    def _finish(self) -> str | None:
        if self.is_interrupted:
            return "interrupted"
        return "turn_complete" if self.is_complete else None
