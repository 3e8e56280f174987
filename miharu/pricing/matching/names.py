"""Under which names a model may stand in a list, and whether a name alone says whose model it is."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

__all__ = ("candidates", "is_plainly", "lookups")

_BEDROCK = re.compile(r"(?:[a-z-]+\.)?anthropic\.claude[\w.:-]+\Z")
"""A model's id at Bedrock, with or without a profile's region."""
_ARN = re.compile(
    r"arn:aws[\w-]*:bedrock:[\w-]*:\d*:(?:foundation-model|inference-profile)/(?P<id>[\w.:-]+)\Z"
)
"""The ARNs that name a model; those of applications, imports and provisioned throughput do not."""
_MAKERS = ("openai/", "anthropic/", "google/", "gemini/", "vertex_ai/", "x-ai/", "xai/", "models/", "azure/")
_OPEN = re.compile(r"gpt-?oss|gpt-?[12](?![\w.])|whisper|clip|gemma|t5|grok-[123](?![\d])|\.gguf|ggml|gguf")
"""Models of makers that publish others' weights: served by any provider, at any price or none."""
_VERSION = re.compile(
    r"(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3,4}|\d{2}-\d{2}|\d{2}-\d{4}|latest|preview|exp|default))*\Z"
)


def candidates(provider: str | None, model: str | None, asked: str | None, *, answered: bool) -> list[str]:
    """The names of the model to look for, the surest first.

    Args:
        provider: By the name of the list; ``None`` behind an unknown host.
        model: As the answer names it, else as requested.
        asked: As requested.
        answered: Whether the answer has named one.
    """
    if provider is None:
        return [model] if model and answered else []  # there the name that was asked for may mean any model
    names = (asked, model) if provider == "aws" else (model, asked)  # the address knows its profile
    return [name for name in dict.fromkeys(names) if name]


def lookups(provider: str | None, model: str) -> Iterator[tuple[str | None, str]]:
    """Whose list to look into, and for what, the most exact first."""
    if provider == "aws":
        arn = _ARN.match(model)
        if arn or not model.startswith("arn:"):
            yield provider, arn.group("id") if arn else model
        return
    short = model.rpartition("/")[2]  # models/…, google/…, publishers/google/models/…
    if provider is None:
        if _BEDROCK.match(short):
            yield "aws", short
        elif short.startswith("text-embedding-"):
            yield "openai", short
        else:
            yield None, short
        return
    yield provider, model
    if provider == "google":
        yield provider, short
    if provider.startswith("huggingface_"):
        yield provider, model.rpartition(":")[0]


def is_plainly(name: str, info: "ModelInfo") -> bool:
    """Whether a name says by itself that it is this model and no other: its own name, with a date at most.

    Behind an unknown host a name that only contains one may be any model.
    """
    plain = name.lower()
    for maker in _MAKERS:
        plain = plain.removeprefix(maker)
    if _OPEN.search(plain) or _OPEN.search(info.id):
        return False
    return any(
        plain.startswith(known) and _VERSION.match(plain, len(known))
        for known in {info.id.lower(), *_exact(info.match)}
    )


def _exact(clause: Any) -> Iterator[str]:
    """The names that a rule of the list spells out."""
    for field in ("equals", "starts_with"):
        if value := getattr(clause, field, None):
            yield value.lower().rstrip("-")
    for part in getattr(clause, "or_", ()):
        yield from _exact(part)
