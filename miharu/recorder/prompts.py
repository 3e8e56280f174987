"""What a model reads of a request, as bytes in the order in which it reads it, whatever the wire format.

Providers put what is fixed first: the schema of the answer, the tools, what the system says, then the
conversation (https://platform.openai.com/docs/guides/prompt-caching,
https://docs.claude.com/en/docs/build-with-claude/prompt-caching). Nothing is parsed beyond where each part
begins and ends: the same message has the same bytes whenever an SDK sends it.
"""

import re
from functools import cache
from typing import Any

from miharu.providers._large import without_binaries

__all__ = ("prompt_of",)

_PARTS = (
    "prompt_cache_key",  # of OpenAI: another key is another cache
    *("response_format", "text", "generationConfig", "toolConfig", "tool_config", "tools", "functions"),
    *("system", "systemInstruction", "system_instruction", "instructions", "preamble"),
    *("chat_history", "messages", "contents", "input", "prompt", "message"),
)
_ELSEWHERE = ("previous_response_id", "conversation", "cachedContent", "cached_content")
"""Where one of these is set, a part of the prompt lies with the provider."""
_MARKS = re.compile(
    rb',?\s*"cache_control"\s*:\s*\{[^{}]*\}|,?\s*\{\s*"cachePoint"\s*:\s*\{[^{}]*\}\s*\}', re.DOTALL
)
"""Marks that say where to cache. They move on with a conversation, and are no part of the prompt."""


def prompt_of(body: bytes) -> bytes | None:
    """The prompt; ``None`` where there is none, or not all of it."""
    import msgspec

    try:
        parts = _decoder().decode(without_binaries(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if any(bytes(getattr(parts, name)) not in {b"", b"null"} for name in _ELSEWHERE):
        return None
    whole = b"\n".join(raw for name in _PARTS if (raw := bytes(getattr(parts, name))))
    if b"cache_control" in whole or b"cachePoint" in whole:
        whole = _MARKS.sub(b"", whole)
    return whole or None


@cache
def _decoder() -> Any:
    import msgspec

    fields = [(name, msgspec.Raw, msgspec.field(default=msgspec.Raw(b""))) for name in (*_PARTS, *_ELSEWHERE)]
    return msgspec.json.Decoder(msgspec.defstruct("Parts", fields))
