"""OpenAI Chat Completions (https://platform.openai.com/docs/api-reference/chat), on any host.

A stream carries usage only with ``stream_options.include_usage``, in a chunk of its own or with choices.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_in_messages
from miharu.providers.openai._common import is_meant, requested_model
from miharu.providers.openai.completions._choices import read_choices

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("OpenAIChat",)

_STORED_PROMPT = re.compile(r"/prompts/[^/]+/completions/?\Z")


class OpenAIChat:
    """Reads ``POST …/chat/completions``, and what is the same under another name."""

    api = "openai.chat"
    rules = (
        Rule("/chat/completions"),
        Rule("/agents/completions", host=".mistral.ai"),  # https://docs.mistral.ai/api/endpoint/agents
        Rule("/completions"),  # of a prompt that a gateway keeps
    )

    def read(self, wire: Wire) -> Reading | None:
        if not wire.path.rstrip("/").endswith(("/chat/completions", "/agents/completions")):
            return read_choices(wire) if _is_stored_prompt(wire) else None
        # A list of messages for a model, posted to such a path, is a call even where the answer is none
        messages = wire.asked.get("messages")
        if not (isinstance(messages, list) and requested_model(wire)) and not is_meant(
            wire, asked="messages", answered="choices"
        ):
            return None
        return read_choices(wire)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.openai.completions._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_in_messages(request)


def _is_stored_prompt(wire: Wire) -> bool:
    """Whether a gateway was asked by the name of a prompt that it keeps, and answered as a chat.

    Portkey (https://portkey.ai/docs/api-reference/inference-api/prompts/prompt-completion).
    """
    if not _STORED_PROMPT.search(wire.path):
        return False
    of_portkey = ".portkey.ai" in f".{wire.host}" or any(
        name.lower().startswith("x-portkey-") for name in wire.request_headers
    )
    return of_portkey or b'"chat.completion' in wire.body[:4096]
