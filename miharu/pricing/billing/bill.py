"""The bill of a call: every quantity that its usage or its reader names, and the terms of its price.

Quantities go by the units of genai-prices (``input_tokens``, ``web_searches``). One without a unit, and
an unknown one, stay in: they have no price, and so the call has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miharu.call import Call, Usage
from miharu.measures import named_in, raw_of
from miharu.pricing.billing.fields import COUNTED, FREE, PART, fields_of, numbers, unknown
from miharu.pricing.billing.iterations import beside, requests
from miharu.pricing.billing.tokens import TOKENS

__all__ = ("Bill", "Quantities", "Used", "bill_of", "without_sound")

_BY_KIND = {
    "promptTokensDetails": "input_{}_tokens",
    "promptTokenDetails": "input_{}_tokens",
    "toolUsePromptTokensDetails": "input_{}_tokens",
    "input_tokens_by_modality": "input_{}_tokens",
    "tool_use_tokens_by_modality": "input_{}_tokens",
    "cacheTokensDetails": "cache_{}_read_tokens",
    "cached_tokens_by_modality": "cache_{}_read_tokens",
    "candidatesTokensDetails": "output_{}_tokens",
    "responseTokensDetails": "output_{}_tokens",
    "output_tokens_by_modality": "output_{}_tokens",
}
"""Google's lists of tokens by modality."""
_SOUND_AND_SIGHT = ("audio", "image", "video")
_MODALITIES = {
    "text": "text",
    "audio": "audio",
    "image": "image",
    "document": "image",
    "video": "video",
    # enum-encoding=int
    "1": "text",
    "2": "image",
    "3": "video",
    "4": "audio",
    "5": "image",
}
_LIFETIMES = tuple(f"cache_write_{lifetime}_tokens" for lifetime in ("5m", "30m", "1h", "12h"))
"""Parts of what was written to a cache, by how long it is kept there."""
_MOST = 2**53

Quantities = Mapping[str, int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used of one model."""

    quantities: Quantities
    model: str | None = None
    """The model, where it is not the call's own."""
    tokens_beside_sound: int | None = None
    """Tokens of the prompt without its sound, where that may be paid by the second."""
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a call is to be paid for."""

    used: tuple[Used, ...]
    """What was used, of the call's own model first."""
    terms: Mapping[str, str]
    """What the reader has found that decides on the price: a location, a latency, a kind of search."""
    raw: Mapping[str, Any]
    """The provider's own usage object."""


def bill_of(call: Call) -> Bill | None:
    """The bill of the call; ``None`` where what it used is not known."""
    raw = raw_of(call.usage)
    named, terms = named_in(raw)
    extra = beside(raw)
    if extra is None or _is_repriced(raw):
        return None
    quantities = {**_tokens(call.usage), **_by_kind(raw), **_measured(call.api, raw, named)}
    if "billed_units" in raw:
        quantities.pop("cache_read_tokens", None)  # Cohere bills what it says, however it came by it
    split = {kind: quantities.get(f"cache_{kind}_read_tokens", 0) for kind in ("text", *_SOUND_AND_SIGHT)}
    if any(split.values()) and sum(split.values()) == quantities.get("cache_read_tokens"):
        # all that was cached is told by its kind, so there is none of those that are not named
        quantities |= {f"cache_{kind}_read_tokens": count for kind, count in split.items()}
    if citations := quantities.get("output_citation_tokens"):
        quantities["output_tokens"] += citations  # Perplexity counts them beside the completion
    if _lifetimes_are_lost(quantities, raw, terms):
        return None
    stated = raw.get("prompt_tokens")
    own = Used(
        quantities=quantities,
        tokens_beside_sound=stated if isinstance(stated, int) else None,
        requests=requests(raw),
    )
    others = (Used(model=model, quantities=_tokens(usage)) for model, usage in extra)
    return Bill(used=(own, *others), terms={str(name): str(term) for name, term in terms.items()}, raw=raw)


def _tokens(usage: Usage) -> dict[str, int | float]:
    counts = {unit: getattr(usage, name) for name, unit in TOKENS.items()}
    counts["input_tokens"] = counts["input_tokens"] or 0
    counts["output_tokens"] = counts["output_tokens"] or 0
    return {unit: value for unit, value in counts.items() if value is not None}


def _by_kind(raw: Mapping[str, Any]) -> dict[str, int | float]:
    """Tokens by modality in Google's lists; an unknown one is a quantity of its own."""
    found: dict[str, int | float] = {}
    for name, pattern in _BY_KIND.items():
        listed = raw.get(name)
        for entry in listed if isinstance(listed, list) else []:
            if not isinstance(entry, dict):
                continue
            modality = str(entry.get("modality")).lower()
            count = entry.get("tokenCount", entry.get("tokens"))
            if isinstance(count, int) and not isinstance(count, bool) and 0 < count < _MOST:
                unit = pattern.format(_MODALITIES.get(modality, f"unknown_{modality}"))
                found[unit] = found.get(unit, 0) + count
    for direction in ("input", "output"):  # all that has no price of its own is text
        found.pop(f"{direction}_text_tokens", None)
    return found


def _measured(api: str, raw: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, int | float]:
    """The quantities that are paid by another measure, or are of an unknown kind."""
    fields = fields_of(api)
    found: dict[str, int | float] = {}
    stated: dict[str, int | float] = {}
    for field, value in numbers(raw) if fields is not None else ():
        meaning = fields.get(field) if fields is not None else None
        if meaning is None and unknown(field):
            found[f"unknown: {field}"] = 1
        elif meaning not in {COUNTED, PART, FREE, None} and 0 < value < _MOST:
            stated[field] = stated.get(field, 0) + value
    # of several fields for one quantity the first of the table holds
    for field, meaning in fields.items() if fields is not None else ():
        if field in stated:
            found.setdefault(meaning, stated[field])
    for unit, value in named.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            found.setdefault(str(unit), value)
    if "input_audio_seconds" in found:
        found["audio_seconds"] = found["input_audio_seconds"]
    return found


def _is_repriced(raw: Mapping[str, Any]) -> bool:
    """Whether Anthropic bills it as if the conversation had been another model's all along."""
    credit = raw.get("fallback_credit")
    status = credit.get("status") if isinstance(credit, dict) else None
    return isinstance(status, dict) and status.get("type") != "not_applied"


def _lifetimes_are_lost(quantities: Quantities, raw: Mapping[str, Any], terms: Mapping[str, Any]) -> bool:
    """Whether tokens were written to a cache for an unknown time, and not all for the shortest one."""
    if not quantities.get("cache_write_tokens") or any(name in quantities for name in _LIFETIMES):
        return False
    parts = raw.get("cache_creation")
    long = parts.get("ephemeral_1h_input_tokens") if isinstance(parts, dict) else None
    return bool(long) or "cache_ttl" in terms


def without_sound(quantities: Quantities, tokens_beside: int | None) -> Quantities:
    """The same where sound is paid by the second, so that its tokens are not paid again.

    Args:
        quantities: What was used.
        tokens_beside: Tokens of the prompt without its sound; ``None`` where that is not told.
    """
    if tokens_beside is None:
        return quantities
    counts = {unit: count for unit, count in quantities.items() if unit != "input_audio_tokens"}
    counts["input_tokens"] = min(counts["input_tokens"], tokens_beside)
    counts["cache_read_tokens"] = min(counts.get("cache_read_tokens", 0), counts["input_tokens"])
    return counts
