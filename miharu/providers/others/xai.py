"""xAI's voices (https://docs.x.ai/developers/model-capabilities/audio): speech and transcripts.

Speech is audio, and its characters are billed; a transcript states its seconds.
"""

from miharu.call import Usage
from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import asked_of
from miharu.providers.openai._errors import error_of
from miharu.providers.openai._usage import stated_cost
from miharu.wire.json import dumps, text

__all__ = ("XAISpeech", "XAITranscripts")

_HOST = "api.x.ai"


class XAISpeech:
    """Reads ``POST https://api.x.ai/v1/tts``."""

    api = "xai.speech"
    rules = (Rule("/v1/tts", host=_HOST),)

    def read(self, wire: Wire) -> Reading | None:
        kind, message = error_of(wire.answered, wire.status)
        said = len(text(wire.asked.get("text")) or "") if wire.status == 200 else 0
        return Reading(
            terminated=wire.end == "eof",
            usage=Usage(usage_raw=dumps({"input_characters": said}) if said else None),
            quantities={"input_characters": float(said)} if said else {},
            request_model=text(wire.asked.get("model")),
            error_type=kind,
            error_message=message,
            stated_cost_usd=stated_cost(wire.answered.get("usage"), wire.headers),
        )


class XAITranscripts:
    """Reads ``POST https://api.x.ai/v1/stt``."""

    api = "xai.transcripts"
    rules = (Rule("/v1/stt", host=_HOST),)

    def read(self, wire: Wire) -> Reading | None:
        kind, message = error_of(wire.answered, wire.status)
        seconds = wire.answered.get("duration")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**53:
            seconds = None
        return Reading(
            terminated=bool(wire.answered),
            usage=stated(duration=seconds, usage=wire.answered.get("usage")),
            quantities={"input_audio_seconds": seconds} if seconds else {},
            model=text(wire.answered.get("model")),
            request_model=text(asked_of(wire).get("model")),
            error_type=kind,
            error_message=message,
            stated_cost_usd=stated_cost(wire.answered.get("usage"), wire.headers),
        )
