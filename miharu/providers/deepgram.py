"""Deepgram's speech (https://developers.deepgram.com/reference/text-to-speech/speak-request).

The answer is audio, which has no end of its own, and states no usage: characters are billed.
"""

from miharu.providers._json import text
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of

__all__ = ("DeepgramSpeak",)


class DeepgramSpeak:
    """Reads ``POST https://api.deepgram.com/v1/speak``."""

    api = "deepgram.speak"
    rules = (Rule("/v1/speak", host="api.deepgram.com"),)

    def read(self, wire: Wire) -> Reading | None:
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=wire.end == "eof",
            error_type=text(wire.answered.get("err_code")) or kind,
            error_message=text(wire.answered.get("err_msg")) or message,
            response_id=wire.headers.get("dg-request-id"),
        )
