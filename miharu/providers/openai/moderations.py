"""OpenAI Moderations (https://platform.openai.com/docs/api-reference/moderations), free of charge.

Mistral's, at ``/moderations`` and ``/chat/moderations``, are not, and carry a usage.
"""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, is_meant, reading_of

__all__ = ("OpenAIModerations",)


class OpenAIModerations:
    """Reads ``POST …/moderations``."""

    api = "openai.moderations"
    rules = (Rule("/moderations"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="input", answered="results"):
            return None
        return reading_of(wire, answer_of(wire), stream=False)
