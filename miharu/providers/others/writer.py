"""Writer's chat (https://dev.writer.com/api-reference/completion-api/chat-completion): OpenAI's, elsewhere.

Its streams end without ``[DONE]``, and some of its details have names of their own (``openai/_usage.py``).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_in_messages
from miharu.providers.openai.completions._choices import read_choices

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("WriterChat",)


class WriterChat:
    """Reads ``POST https://api.writer.com/v1/chat``."""

    api = "writer.chat"
    rules = (Rule("/v1/chat", host="api.writer.com"),)

    def read(self, wire: Wire) -> Reading | None:
        return read_choices(wire) if wire.provider == "writer" else None

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.openai.completions._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_in_messages(request)
