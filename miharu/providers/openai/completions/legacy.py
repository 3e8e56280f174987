"""OpenAI's legacy Completions (https://platform.openai.com/docs/api-reference/completions).

Mistral's ``/fim/completions`` is asked the same way, and answers with messages.
"""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import is_meant
from miharu.providers.openai.completions._choices import read_choices

__all__ = ("OpenAICompletions",)


class OpenAICompletions:
    """Reads ``POST …/completions`` that is not a chat."""

    api = "openai.completions"
    rules = (Rule("/completions"),)

    def read(self, wire: Wire) -> Reading | None:
        if wire.path.rstrip("/").endswith("/chat/completions"):
            return None
        if not is_meant(wire, asked="prompt", answered="choices"):
            return None
        return read_choices(wire)
