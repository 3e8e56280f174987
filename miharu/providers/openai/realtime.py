"""OpenAI Realtime (https://platform.openai.com/docs/api-reference/realtime) over WebSockets.

OpenAI speaks it, Azure, and others such as xAI's voice (https://docs.x.ai/docs/guides/voice).

Each response is a call, from ``response.create``, or the end of what the user has said, to ``response.done``.
Each transcript of what the user has said is a call to the model that has written it.

Sources: the types of OpenAI's SDK 3.54 in ``types/realtime``, and of xAI's dialect pydantic-ai 2.68, which is
tested against recordings of it: the usage may stand beside the response, and ``billable_audio_seconds`` in it
is a running total of the conversation.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from miharu.providers._session import SWITCHED, Event, events_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, reading_of
from miharu.providers.openai._usage import usage_of
from miharu.providers.turns import OPENAI_REALTIME, XAI_VOICE
from miharu.wire.json import mapping, text

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("OpenAIRealtime",)

_TRANSCRIPT = "conversation.item.input_audio_transcription."
_ENDED = {"completed", "cancelled", "incomplete", "failed"}
_OF_THE_SESSION = ("session", "item", "audio", "content_index", "previous_item_id")
"""How the name of a parameter begins that ``response.create`` does not have."""


class OpenAIRealtime:
    """Reads the responses and the transcripts of a session at ``…/realtime``."""

    api = "openai.realtime"
    rules = (
        Rule("/realtime", host="api.x.ai", method="WEBSOCKET", turns=XAI_VOICE),
        Rule("/realtime", method="WEBSOCKET", turns=OPENAI_REALTIME),
    )

    def read(self, wire: Wire) -> Reading | None:
        if wire.status != SWITCHED:
            refused = reading_of(wire, answer_of(wire), request_model=_asked_model(wire), stream=True)
            return refused if wire.provider is not None else None
        seen = _Seen(list(events_of(wire)))
        if wire.provider is None and not seen.is_meant:
            return None
        if seen.transcript is not None:
            # without a usage it is a part of the session's model, which nobody bills
            is_billed = seen.transcript.get("usage") or seen.transcript.get("error")
            return seen.transcribed(seen.transcript) if is_billed else None
        return None if seen.is_of_the_session(wire) else seen.reading(wire)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.openai._realtime_conversation import messages

        return messages(request, answers)


class _Seen:
    """What the messages of a call say."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.session: Mapping[str, Any] = {}
        self.response: Mapping[str, Any] = {}
        self.usage: Mapping[str, Any] = {}
        self.before: Mapping[str, Any] | None = None
        """The usage of the response before this one, where that has to be known."""
        self.error: Mapping[str, Any] | None = None
        self.transcript: Mapping[str, Any] | None = None
        self.is_done = False
        self.ttft_ms: int | None = None
        for event in events:
            self._see(event, text(event.data.get("type")) or "")

    def _see(self, event: Event, kind: str) -> None:
        data = event.data
        if kind.endswith(("session.created", "session.updated")):
            newer = {name: value for name, value in mapping(data.get("session")).items() if value is not None}
            self.session = {**self.session, **newer}
        elif kind == "response.created":
            self.response = self.response or mapping(data.get("response"))
        elif kind == "response.done":
            if self.is_done:
                self.before = self.usage
            self.is_done, self.response = True, mapping(data.get("response"))
            self.usage = mapping(self.response.get("usage")) or mapping(data.get("usage"))
        elif kind.startswith(_TRANSCRIPT):
            self.transcript = data
        elif kind == "error":
            self.error = mapping(data.get("error"))
        elif (not data and b".delta" in event.raw) or kind.endswith(".delta"):
            self.ttft_ms = event.ms if self.ttft_ms is None else self.ttft_ms

    @property
    def is_meant(self) -> bool:
        """Whether it is this format at all, where the host does not tell."""
        ours = self.transcript is not None or self.session.get("object") == "realtime.session"
        return ours or self.response.get("object") == "realtime.response"

    def is_of_the_session(self, wire: Wire) -> bool:
        """Whether an error is about another message than the one that asked for a response."""
        if self.error is None or self.is_done:
            return False
        about, asked = text(self.error.get("event_id")), text(wire.asked.get("event_id"))
        return (about is not None and about != asked) or (
            (text(self.error.get("param")) or "").startswith(_OF_THE_SESSION)
        )

    def reading(self, wire: Wire) -> Reading:
        response, details = self.response, mapping(self.response.get("status_details"))
        status = text(response.get("status"))
        failed = mapping(details.get("error")) if status == "failed" else self.error
        if status == "failed" and not failed:
            failed = {"type": "failed", "message": text(details.get("reason"))}
        return reading_of(
            wire,
            {**response, "error": failed} if failed else response,
            terminated=self.is_done and (status is None or status in _ENDED),
            model=text(self.session.get("model")),
            request_model=text(mapping(wire.asked.get("response")).get("model")) or _asked_model(wire),
            stream=True,
            ttft_ms=self.ttft_ms,
            usage=usage_of(self.usage),
            quantities=self._seconds(),
            finish_reason=text(details.get("reason")) or (status if self.is_done else None),
            is_cancelled=status == "cancelled",
            conversation_id=text(self.session.get("id")),
        )

    def transcribed(self, event: Mapping[str, Any]) -> Reading:
        audio = mapping(mapping(self.session.get("audio")).get("input"))
        settings = mapping(audio.get("transcription")) or mapping(
            self.session.get("input_audio_transcription")
        )
        model = text(settings.get("model")) or text(self.session.get("model"))
        error = mapping(event.get("error"))
        return Reading(
            terminated=True,
            usage=usage_of(event.get("usage")),
            model=model,
            request_model=model,
            stream=True,
            error_type=(text(error.get("type")) or text(error.get("code"))) if error else None,
            error_message=text(error.get("message")) if error else None,
            response_id=text(event.get("item_id")),
            conversation_id=text(self.session.get("id")),
        )

    def _seconds(self) -> dict[str, float]:
        """The seconds of sound that xAI bills for this response; unknown where the total before it is."""
        total = _number(self.usage.get("billable_audio_seconds"))
        if total is None:
            return {}
        before = 0 if self.before is None else _number(self.before.get("billable_audio_seconds"))
        # a response that was cancelled may have no usage, and then the last total is not known
        return (
            {"unknown_audio_seconds": total} if before is None else {"audio_seconds": max(0, total - before)}
        )


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _asked_model(wire: Wire) -> str | None:
    """The model that the address names; at Azure it is the deployment."""
    asked = parse_qs(wire.query)
    return next((asked[name][0] for name in ("model", "deployment") if asked.get(name)), None)
