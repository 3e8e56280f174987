"""How the fake provider counts, so that a test can say beforehand what a call will have used.

A token is four characters, rounded up per text. A chat prompt is the sum over its messages, 4 more for
each, 85 for each image, the JSON of its tools, and 3 at the end; other prompts are their texts alone.
A completion is its text, or the name and arguments of its tool call, plus what the model "thought":
``REASONING`` by effort, for models named ``o1``, ``o3`` and so on, and for ``gpt-5`` and later.

The longest prefix of at least 1,024 tokens that an earlier prompt had too is cached, in steps of 128.
"""

import re
from hashlib import blake2b

__all__ = (
    "PER_IMAGE",
    "PER_MESSAGE",
    "PER_PROMPT",
    "REASONING",
    "PromptCache",
    "count_tokens",
    "reasoning_tokens",
)

PER_MESSAGE, PER_PROMPT, PER_IMAGE = 4, 3, 85
REASONING = {"none": 0, "minimal": 0, "low": 64, "medium": 128, "high": 256, "xhigh": 512}

_REASONING_MODEL = re.compile(r"o\d|gpt-([5-9]|\d\d)(?!.*chat)")
_STEP, _SHORTEST = 128, 1024


def count_tokens(text: str) -> int:
    """Tokens of one text."""
    return -(-len(text) // 4)


def reasoning_tokens(model: str, effort: str | None) -> int:
    """Tokens that a model thinks before it answers; 0 where it does not."""
    return REASONING.get(effort or "medium", 0) if _REASONING_MODEL.match(model) else 0


class PromptCache:
    """Remembers the prefixes of prompts, as providers do."""

    def __init__(self, bound: int = 50_000) -> None:
        self._seen: set[bytes] = set()
        self._bound = bound

    def hit(self, model: str, prompt: str) -> int:
        """Tokens of the longest known prefix; from now on the whole prompt is known."""
        if len(self._seen) > self._bound:
            self._seen.clear()
        digest, cached = blake2b(model.encode(), digest_size=16), 0
        for tokens in range(_STEP, len(prompt) // 4 + 1, _STEP):
            digest.update(prompt[(tokens - _STEP) * 4 : tokens * 4].encode())
            key = digest.digest()
            if key in self._seen:
                cached = tokens
            self._seen.add(key)
        return cached if cached >= _SHORTEST else 0
