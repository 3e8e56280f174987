"""ElevenLabs (https://elevenlabs.io/docs/api-reference): speech, dialogue, transcripts, sound, music, voices.

What is paid are credits: the ``character-cost`` header says how many. Transcripts are paid by the second of
sound, which the answer states.
"""

import re
from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import asked_of, items
from miharu.providers.openai._errors import error_of
from miharu.wire.json import mapping, text

__all__ = ("ElevenLabs",)

_PATH = re.compile(
    r"/v1/(?:text-to-speech/[^/]+|text-to-dialogue|speech-to-text|speech-to-speech/[^/]+|sound-generation"
    r"|audio-isolation|forced-alignment|music|text-to-voice)"
    r"(?:/(?:stream|with-timestamps|stream/with-timestamps|detailed|detailed/stream|create-previews|design"
    r"|video-to-music|stem-separation|[^/]+/remix|[^/]+/stream))?/?\Z"
)
_AUDIO = ("audio/", "video/", "application/octet-stream", "multipart/", "application/zip")


class ElevenLabs:
    """Reads what generates or hears something at ``api.elevenlabs.io``."""

    api = "elevenlabs"
    rules = (Rule(host=".elevenlabs.io"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _PATH.fullmatch(wire.path):
            return None
        answered = wire.answered
        kind, message = _error(answered, wire.status)
        sound = wire.headers.get("content-type", "").startswith(_AUDIO)
        usage, quantities = _used(wire) if kind is None and message is None else (Usage(), {})
        return Reading(
            terminated=wire.end == "eof" if sound or not answered else True,
            usage=usage,
            quantities=quantities,
            request_model=text(asked_of(wire).get("model_id")) or text(answered.get("model_id")),
            stream="/stream" in wire.path,
            ttft_ms=wire.ms_at(0) if sound and "/stream" in wire.path else None,
            error_type=kind,
            error_message=message,
            response_id=text(answered.get("transcription_id")),
        )


def _used(wire: Wire) -> tuple[Usage, dict[str, float]]:
    """Credits where they are stated, else seconds of sound, else the characters that were asked for."""
    paid = _number(wire.headers.get("character-cost"))
    seconds = wire.answered.get("audio_duration_secs")
    seconds = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
    said = _characters(wire.asked)
    if paid is None and seconds is None and not said:
        return Usage(), {}
    usage = stated(character_cost=paid, audio_duration_secs=seconds, input_characters=said or None)
    if seconds:
        return usage, {"input_audio_seconds": seconds}
    return usage, {"elevenlabs_credits": paid} if paid else {"input_characters": float(said)}


def _characters(asked: Mapping[str, Any]) -> int:
    lines = [text(mapping(line).get("text")) for line in items(asked.get("inputs"))]
    return sum(map(len, filter(None, [text(asked.get("text")), text(asked.get("prompt")), *lines])))


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 2**53 else None


def _error(answered: Mapping[str, Any], status: int | None) -> tuple[str | None, str | None]:
    """The ``detail`` is an object with a status and a message, or FastAPI's list."""
    detail = mapping(answered.get("detail"))
    if status is not None and status >= 400 and detail:
        return text(detail.get("status")) or text(detail.get("code")), text(detail.get("message"))
    return error_of(answered, status)
