"""What the wire formats of Google share."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from miharu.call import Usage
from miharu.providers.base import Wire
from miharu.providers.openai._errors import error_of as common_error_of
from miharu.wire.json import count, dumps, mapping, text

__all__ = (
    "enum_name",
    "error_of",
    "is_meant",
    "modality_tokens",
    "requested_model",
    "tier_of",
    "total",
    "usage_of",
)

_MODEL = re.compile(r"/([^/]+):\w+/?\Z")

# Numbers come with ``$alt=json;enum-encoding=int``, which the generated clients of Vertex AI ask for
# (https://github.com/googleapis/googleapis: google/cloud/aiplatform/v1/content.proto, usage_metadata.proto).
_ENUMS = {
    "modality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"),
    "trafficType": (
        "TRAFFIC_TYPE_UNSPECIFIED",
        "ON_DEMAND",
        "PROVISIONED_THROUGHPUT",
        "ON_DEMAND_PRIORITY",
        "ON_DEMAND_FLEX",
    ),
    "finishReason": (
        "FINISH_REASON_UNSPECIFIED",
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "MODEL_ARMOR",
    ),
    "blockReason": (
        "BLOCKED_REASON_UNSPECIFIED",
        "SAFETY",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "JAILBREAK",
    ),
}


def enum_name(holder: Mapping[str, Any], field: str) -> str | None:
    """The name of an enum's value, which may come as its number; an unknown number stays one."""
    value = holder.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        return text(value)
    names = _ENUMS[field]
    return names[value] if 0 <= value < len(names) else str(value)


def is_meant(wire: Wire, *, asked: Iterable[str], answered: Iterable[str]) -> bool:
    """Whether this is a call at all. A known host is believed; elsewhere both shapes have to fit.

    Args:
        wire: The exchange.
        asked: Fields of the request; without any of them there is no such call.
        answered: Fields of a response; a success has one of them.
    """
    if wire.provider is not None:
        return True
    if not any(field in wire.asked for field in asked):
        return False
    if wire.status is None or wire.status >= 400 or not wire.body:
        return True
    return any(f'"{field}"'.encode() in wire.body for field in (*answered, "error"))


def requested_model(wire: Wire) -> str | None:
    """The model, which the path names: ``…/models/gemini-2.5-flash:generateContent``."""
    found = _MODEL.search(wire.path)
    return unquote(found.group(1)) or None if found else None


def total(holder: Mapping[str, Any], *fields: str) -> int | None:
    """The sum of those counts that there are."""
    found = [value for field in fields if (value := count(holder, field)) is not None]
    return sum(found) if found else None


def modality_tokens(holder: Mapping[str, Any], modality: str, *fields: str, tokens: str) -> int | None:
    """The tokens of one modality, summed over lists of ``{"modality": …, tokens: …}``."""
    found = [
        number
        for field in fields
        for entry in _list(holder.get(field))
        if isinstance(entry, dict)
        and (enum_name(entry, "modality") or "").upper() == modality
        and (number := count(entry, tokens)) is not None
    ]
    return sum(found) if found else None


def usage_of(raw: Any) -> Usage:
    """The normal form of a ``usageMetadata``.

    ``promptTokenCount`` includes the cached content, but not what tools added to the prompt;
    ``candidatesTokenCount`` excludes the thoughts (https://ai.google.dev/api/generate-content#UsageMetadata).
    """
    if not isinstance(raw, dict) or not raw:
        return Usage()
    # Gemini's embeddings say promptTokenDetails, everything else promptTokensDetails
    inputs = ("promptTokensDetails", "promptTokenDetails", "toolUsePromptTokensDetails")
    outputs = ("candidatesTokensDetails", "responseTokensDetails")
    return Usage(
        prompt_tokens=total(raw, "promptTokenCount", "toolUsePromptTokenCount"),
        # the Live API and its relatives say responseTokenCount
        completion_tokens=total(raw, "candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount"),
        cached_tokens=count(raw, "cachedContentTokenCount"),
        reasoning_tokens=count(raw, "thoughtsTokenCount"),
        audio_input_tokens=modality_tokens(raw, "AUDIO", *inputs, tokens="tokenCount"),
        audio_output_tokens=modality_tokens(raw, "AUDIO", *outputs, tokens="tokenCount"),
        image_input_tokens=modality_tokens(raw, "IMAGE", *inputs, tokens="tokenCount"),
        image_output_tokens=modality_tokens(raw, "IMAGE", *outputs, tokens="tokenCount"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def tier_of(raw: Mapping[str, Any]) -> str | None:
    """The service tier that the usage names: ``serviceTier`` at AI Studio, ``trafficType`` at Vertex AI."""
    return text(raw.get("serviceTier")) or enum_name(raw, "trafficType")


def error_of(answered: Mapping[str, Any], status: int | None) -> tuple[str | None, str | None]:
    """Google's status word and message (``google.rpc.Status``), or what a gateway says in its stead."""
    error = answered.get("error")
    word = text(mapping(error).get("status"))
    if word:
        return word, text(mapping(error).get("message"))
    return common_error_of(answered, status)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
