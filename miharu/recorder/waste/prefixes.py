"""Prompts that begin as an earlier one did, and were not read from the provider's cache.

A prompt is cut into blocks, and each block is known by a hash of everything up to its end: as many as are
known already, so far the two go together. Only hashes are kept, and how many tokens that is follows from the
share of the bytes, so it is an estimate, and doubtful cases are passed over.
"""

import re
from collections import OrderedDict
from hashlib import blake2b

from miharu.call import Call
from miharu.recorder.waste.prompts import prompt_of

__all__ = ("Prefixes",)

BLOCK = 1024
REMEMBERED = 50_000
"""Blocks."""
LONGEST = 4096
"""Blocks of one prompt that are looked at; what comes after counts as not shared."""
LIFETIME_MS = 300_000
"""How long providers keep a prefix at least: 5 minutes since it was read last, some much longer."""
MINIMUM = 1024
"""Tokens; a shorter prefix is not cached (https://platform.openai.com/docs/guides/prompt-caching)."""
_MINIMA = (
    # https://docs.claude.com/en/docs/build-with-claude/prompt-caching, "cache limitations"
    (re.compile(r"opus-4[-.][56]|haiku-4[-.]5"), 4096),
    (re.compile(r"claude.*haiku|opus-4[-.]7|sonnet-4[-.]6"), 2048),
    # https://ai.google.dev/gemini-api/docs/caching
    (re.compile(r"gemini-2"), 2048),
    (re.compile(r"gemini"), 4096),
)
STEP = 128
"""Providers count what they have cached in steps of so many tokens."""
_CLEARLY = 0.2
"""The share by which the estimate may be wrong, so that less than this is not taken for a miss."""
_TOKENS_PER_BYTE = (0.1, 0.5)
"""Of text, in any language. Beyond it, bytes and tokens tell of different things: pictures, or a prompt that
is not all there."""


class Prefixes:
    """Remembers how prompts began, as many blocks as ``REMEMBERED``."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        """Since when a block can be read from a cache, and when it was read last, in Unix milliseconds."""

    def missed(self, call: Call, body: bytes | None) -> int | None:
        """Remember the prompt of a call; the tokens that a cache could have had of it and had not, if any."""
        tokens = call.usage.prompt_tokens or 0
        is_answered = call.outcome.http_status == 200 and call.outcome.status != "error"
        if body is None or not is_answered or (tokens or len(body)) < MINIMUM:
            return None
        prompt = prompt_of(body)
        if prompt is None or len(prompt) < BLOCK:
            return None
        shared = self._look(call, prompt)
        least, most = _TOKENS_PER_BYTE
        if not shared or call.outcome.status != "success" or call.usage.usage_source != "provider":
            return None
        if not least <= tokens / len(prompt) <= most:
            return None
        known = tokens * shared // len(prompt)
        missed = known - (call.usage.cached_tokens or 0)
        if known < _minimum(call.model or "") or missed < max(MINIMUM, known * _CLEARLY):
            return None
        return missed // STEP * STEP

    def _look(self, call: Call, prompt: bytes) -> int:
        """The bytes that were there before, in an unbroken row from the first; all are remembered."""
        seed = "\0".join(map(str, (call.provider, call.host, call.api, call.request_model or call.model)))
        begins = blake2b(seed.encode(), digest_size=8)
        # A prefix can be read from the moment the answer begins.
        available = call.timestamp + (call.duration_ms if call.ttft_ms is None else call.ttft_ms)
        shared, is_unbroken, seen = 0, True, self._seen
        for start in range(0, min(len(prompt) - BLOCK + 1, LONGEST * BLOCK), BLOCK):
            begins.update(prompt[start : start + BLOCK])
            key = begins.digest()
            since, last = seen.pop(key, (available, 0))
            if last and call.timestamp - last > LIFETIME_MS:
                since, last = available, 0
            is_unbroken = is_unbroken and bool(last) and since <= call.timestamp
            shared += BLOCK if is_unbroken else 0
            seen[key] = (since, max(last, available))
        while len(seen) > REMEMBERED:
            seen.popitem(last=False)
        return shared


def _minimum(model: str) -> int:
    return next((tokens for pattern, tokens in _MINIMA if pattern.search(model)), MINIMUM)
