"""What a model reads of a request, as bytes in the order in which it reads it, for every wire format.

Providers put what is fixed first: the schema of the answer, the tools, what the system says, then the
conversation (https://platform.openai.com/docs/guides/prompt-caching,
https://docs.claude.com/en/docs/build-with-claude/prompt-caching). Nothing is parsed beyond where each part
begins and ends: the same message has the same bytes whenever an SDK sends it.
"""

import re
from functools import cache
from typing import Any

from miharu.wire.large import LONGEST, without_binaries

__all__ = ("prompt_of",)

_PARTS = (
    "prompt_cache_key",  # of OpenAI: another key is another cache
    *("response_format", "text", "generationConfig", "toolConfig", "tool_config", "tools", "functions"),
    *("system", "systemInstruction", "system_instruction", "instructions", "preamble"),
    *("chat_history", "messages", "contents", "input", "prompt", "message"),
)
_ELSEWHERE = ("previous_response_id", "conversation", "cachedContent", "cached_content")
"""Where one of these is set, a part of the prompt lies with the provider."""
_MARKS = (
    (b'"cache_control"', re.compile(rb'"cache_control"\s*:\s*\{[^{}]*\}')),
    (b'{"cachePoint"', re.compile(rb'\{"cachePoint"\s*:\s*\{[^{}]*\}\s*\}')),
)
"""Marks that say where to cache. They move on with a conversation, and are not part of the prompt."""


def prompt_of(body: bytes) -> bytes | None:
    """The prompt; ``None`` where there is none, or not all of it."""
    import msgspec

    try:
        slim = without_binaries(body)
        if len(slim) > LONGEST:
            return None
        parts = _decoder().decode(slim)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if any(bytes(getattr(parts, name)) not in {b"", b"null"} for name in _ELSEWHERE):
        return None
    whole = b"\n".join(raw for name in _PARTS if (raw := bytes(getattr(parts, name))))
    for name, mark in _MARKS:
        whole = _without(whole, name, mark)
    return whole or None


def _without(text: bytes, name: bytes, mark: re.Pattern[bytes]) -> bytes:
    """The text without the marks that begin with that name, and the commas before them.

    A pattern that begins with the space before a mark would try each space of a long row of them.
    """
    pieces, at, found = list[bytes](), 0, text.find(name)
    while found >= 0:
        match = mark.match(text, found)
        if match is not None:
            pieces.append(text[at:found].rstrip().removesuffix(b","))
            at = match.end()
        found = text.find(name, found + len(name) if match is None else at)
    return b"".join((*pieces, text[at:])) if pieces else text


@cache
def _decoder() -> Any:
    import msgspec

    fields = [(name, msgspec.Raw, msgspec.field(default=msgspec.Raw(b""))) for name in (*_PARTS, *_ELSEWHERE)]
    return msgspec.json.Decoder(msgspec.defstruct("Parts", fields))
