"""OpenAI Chat Completions (https://platform.openai.com/docs/api-reference/chat), on whatever host.

A stream carries usage only with ``stream_options.include_usage``, in a chunk of its own or with choices.
"""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._choices import read_choices
from miharu.providers.openai._common import is_meant, requested_model

__all__ = ("OpenAIChat",)


class OpenAIChat:
    """Reads ``POST …/chat/completions``, and what is the same under another name."""

    api = "openai.chat"
    rules = (
        Rule("/chat/completions"),
        Rule("/agents/completions", host=".mistral.ai"),  # https://docs.mistral.ai/api/endpoint/agents
    )

    def read(self, wire: Wire) -> Reading | None:
        # A list of messages for a model, posted to such a path, is a call even where the answer is none
        messages = wire.asked.get("messages")
        if not (isinstance(messages, list) and requested_model(wire)) and not is_meant(
            wire, asked="messages", answered="choices"
        ):
            return None
        return read_choices(wire)
