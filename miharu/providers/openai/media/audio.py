"""OpenAI's audio endpoints (https://platform.openai.com/docs/api-reference/audio), plain and streamed.

Transcriptions and translations are asked with a form and a file, and answered with text and a usage in tokens
or seconds. Speech is asked with text, and answered with sound, or with events that end in a usage.
"""

from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, asked_of, is_meant, reading_of
from miharu.providers.openai._usage import usage_of
from miharu.providers.openai.media._events import note
from miharu.wire import sse
from miharu.wire.json import dumps, loads, mapping, text

__all__ = ("OpenAISpeech", "OpenAITranscriptions")


class OpenAITranscriptions:
    """Reads ``POST …/audio/transcriptions`` and ``POST …/audio/translations``."""

    api = "openai.transcriptions"
    rules = (Rule("/audio/transcriptions"), Rule("/audio/translations"))

    def read(self, wire: Wire) -> Reading | None:
        # where the fields of the form were not kept, the answer alone has to fit
        form_is_lost = not asked_of(wire) and text(wire.answered.get("text"))
        if not form_is_lost and not is_meant(wire, asked="model", answered="text"):
            return None
        if wire.is_event_stream:
            return _stream(wire)
        answer = answer_of(wire)
        usage = usage_of(answer.get("usage"))
        if usage.usage_raw is None and isinstance(answer.get("duration"), int | float):
            # Groq's verbose answer; whisper is paid by the second
            usage = usage_of({"duration": answer["duration"]})
        # asked for plain text or subtitles, the answer has no end of its own
        return reading_of(wire, answer, stream=False, usage=usage, terminated=bool(answer) or _is_whole(wire))


class OpenAISpeech:
    """Reads ``POST …/audio/speech``."""

    api = "openai.speech"
    rules = (Rule("/audio/speech"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="input", answered="audio"):
            binary = wire.headers.get("content-type", "").startswith("audio/")
            if not binary or not text(wire.asked.get("input")):
                return None
        if wire.is_event_stream:
            return _stream(wire)
        answer = answer_of(wire)
        usage = usage_of(answer.get("usage"))
        if usage.usage_raw is None and wire.status == 200:
            usage = _characters(wire.asked)
        return reading_of(wire, answer, stream=False, usage=usage, terminated=bool(answer) or _is_whole(wire))


def _stream(wire: Wire) -> Reading:
    """``transcript.text.*`` or ``speech.audio.*``: the ``done`` event ends it, and has the usage."""
    seen: dict[str, Any] = {}
    terminated, ttft = False, None
    for event in sse.events(wire.body):
        if event.data.strip() == b"[DONE]":
            terminated = True
            continue
        if ttft is not None and b".delta" in event.data[:60]:
            continue  # base64, and nothing of it is needed any more
        data = mapping(loads(event.data))
        kind = text(data.get("type")) or event.name
        if ttft is None and kind.endswith(".delta"):
            ttft = wire.ms_at(event.end)
        # Mistral: transcription.done (https://docs.mistral.ai/capabilities/audio)
        if kind in {"transcript.text.done", "speech.audio.done", "transcription.done"}:
            terminated = True
        note(seen, data, kind)
    return reading_of(wire, seen, terminated=terminated, stream=True, ttft_ms=ttft)


def _is_whole(wire: Wire) -> bool:
    """Whether a body that is no JSON was read to its end, and something was in it."""
    return wire.end == "eof" and bool(wire.body) and "json" not in wire.headers.get("content-type", "")


def _characters(asked: Mapping[str, Any]) -> Usage:
    """Sound has no usage; what is paid is the text that was sent, so we count it, and say so by ``none``."""
    said = text(asked.get("input"))
    return Usage(usage_raw=dumps({"input_characters": len(said)}) if said else None)
