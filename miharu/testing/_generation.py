"""What the fake model says: a prompt of any format becomes a generation."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from miharu.testing.tokens import PromptCache, count_tokens, reasoning_tokens

_SENTENCES = (
    "The short answer is yes, with one condition.",
    "It depends on how often the data changes.",
    "Start with the smallest thing that can work, and measure it.",
    "Three points matter here: cost, latency and trust.",
    "Most of the time goes into waiting for the network.",
    "A cache in front of it would answer nine questions out of ten.",
    "Write the test first; it tells you what you meant.",
    "The second paragraph says the opposite of the first.",
    "In the end both sides agreed to meet again in spring.",
    "You can try it on your own machine in a minute.",
    "The numbers look better than last week.",
    "Nothing in the text speaks against it.",
)
_KNOWN_AS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "o3": "o3-2025-04-16",
    "o4-mini": "o4-mini-2025-04-16",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-opus-4-5": "claude-opus-4-5-20251101",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the model may call."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request of any format."""

    model: str
    text: str
    """Everything that was said, for the cache and for the choice of an answer."""
    question: str
    """The last text that was said."""
    tokens: int
    tools: Sequence[Tool] = ()
    """The functions it must choose from now; empty where it should answer in words."""
    schema: Mapping[str, Any] | None = None
    """What its JSON must look like, where JSON was asked for."""
    limit: int | None = None
    effort: str | None = None
    thinks: int | None = None
    """Tokens that it thinks, where that does not follow from model and effort."""
    caches: bool = True
    """Whether its beginning is read from the cache, and kept there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What the model has generated."""

    model: str
    """The model's name in the answer: the dated name of an alias."""
    text: str
    tool: str | None
    """The tool to call; ``text`` holds its arguments then."""
    cut: bool
    """Whether the limit of tokens cut it off."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int


def generate(
    prompt: Prompt, cache: PromptCache, answer: "str | Callable[[str], str] | None" = None
) -> Generation:
    """Answer: the same prompt gets the same words."""
    tool = prompt.tools[0] if prompt.tools else None
    if tool is not None:
        text = json.dumps(example(tool.schema))
    elif prompt.schema is not None:
        text = json.dumps(example(prompt.schema))
    elif answer is None:
        text = _sentences(prompt.text)
    else:
        text = answer(prompt.question) if callable(answer) else answer
    reasoning = prompt.thinks
    if reasoning is None:
        reasoning = reasoning_tokens(prompt.model, prompt.effort)
    limit = prompt.limit
    if limit is not None:
        reasoning = min(reasoning, limit)
    fits = len(text) if limit is None else (limit - reasoning) * 4
    cut = fits < len(text)
    text = text[:fits]
    return Generation(
        model=_KNOWN_AS.get(prompt.model, prompt.model),
        text=text,
        tool=tool.name if tool else None,
        cut=cut,
        prompt_tokens=prompt.tokens,
        completion_tokens=reasoning + count_tokens(text) + (count_tokens(tool.name) if tool else 0),
        cached_tokens=min(cache.hit(prompt.model, prompt.text), prompt.tokens) if prompt.caches else 0,
        reasoning_tokens=reasoning,
    )


def pieces(text: str) -> list[str]:
    """The text in words, as a stream brings it; joined they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)


def example(schema: Mapping[str, Any]) -> Any:
    """A value that fits a JSON schema of the simple kind that tools have."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for branch in ("anyOf", "oneOf"):
        if schema.get(branch):
            return example(schema[branch][0])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(part) for name, part in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [example(schema.get("items") or {"type": "string"})]
    return {"string": "example", "integer": 7, "number": 1.5, "boolean": True}.get(kind)


def _sentences(prompt: str) -> str:
    seed = crc32(prompt.encode())
    return " ".join(_SENTENCES[(seed >> shift) % len(_SENTENCES)] for shift in range(0, 4 + seed % 20, 4))
