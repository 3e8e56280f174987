"""OpenAI Chat Completions (https://platform.openai.com/docs/api-reference/chat), on whatever host.

A stream carries usage only with ``stream_options.include_usage``, in a chunk of its own or with choices.
"""

from typing import Any

from miharu.providers._json import mapping
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._choices import read_choices
from miharu.providers.openai._common import is_meant

__all__ = ("OpenAIChat",)

_CONTENT = (
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "images",
)


class OpenAIChat:
    """Reads ``POST …/chat/completions``."""

    api = "openai.chat"
    rules = (Rule("/chat/completions"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="messages", answered="choices"):
            return None
        return read_choices(wire, _has_content)


def _has_content(choice: dict[str, Any]) -> bool:
    delta = mapping(choice.get("delta"))
    return any(delta.get(name) for name in _CONTENT)
