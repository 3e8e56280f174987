"""OpenAI's decisions (openai's ``types/decision.py``): answers to questions about an input, and a usage."""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, is_meant, reading_of

__all__ = ("OpenAIDecisions",)


class OpenAIDecisions:
    """Reads ``POST …/decisions``."""

    api = "openai.decisions"
    rules = (Rule("/decisions"),)

    def read(self, wire: Wire) -> Reading | None:
        if wire.provider is None and "questions" not in wire.asked:
            return None
        if not is_meant(wire, asked="questions", answered="answers"):
            return None
        return reading_of(wire, answer_of(wire))
