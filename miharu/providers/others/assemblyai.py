"""AssemblyAI's transcripts (https://www.assemblyai.com/docs/api-reference/transcripts/submit).

A transcript goes on after its answer, which says ``queued``; a later ``GET`` that finds it ended completes
the call, and says how many seconds of sound were heard.
"""

from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, text

__all__ = ("AssemblyAITranscripts",)

_HOST = ".assemblyai.com"
_ENDED = {"completed", "error"}


class AssemblyAITranscripts:
    """Reads ``POST …/v2/transcript`` and ``GET …/v2/transcript/{id}``."""

    api = "assemblyai.transcripts"
    rules = (Rule("/v2/transcript", host=_HOST), Rule("/v2/transcript", host=_HOST, method="GET"))

    def read(self, wire: Wire) -> Reading | None:
        answered, status = wire.answered, text(wire.answered.get("status"))
        ends = wire.method == "GET"
        if ends and (status not in _ENDED or wire.status != 200):
            return None
        kind, message = error_of(answered, wire.status)
        if status == "error":
            kind, message = "error", text(answered.get("error"))
        seconds = count(answered, "audio_duration")
        used = stated(
            audio_duration=seconds,
            audio_channels=count(answered, "audio_channels"),
            multichannel=answered.get("multichannel") or None,
        )
        return Reading(
            terminated=bool(answered),
            usage=used if seconds is not None else stated(),
            quantities={"input_audio_seconds": float(seconds)} if seconds else {},
            model=_model(answered.get("speech_model_used") or answered.get("speech_model")),
            request_model=_model(wire.asked.get("speech_models") or wire.asked.get("speech_model")),
            error_type=kind,
            error_message=message,
            finish_reason=status,
            response_id=text(answered.get("id")),
            opens=not ends and status not in _ENDED,
            completes=ends,
        )


def _model(named: object) -> str | None:
    """The model's name; a list names what to fall back on behind the first."""
    first = named[0] if isinstance(named, list) and named else named
    return text(first)
