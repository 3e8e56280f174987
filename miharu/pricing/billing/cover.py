"""Whether everything that was used has a price of its own kind: by direction, modality and lifetime."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from miharu.pricing.billing.bill import Quantities

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ("covers", "has_price")

_MODALITIES = ("audio", "image", "video")
_WITHOUT = {"output_reasoning_tokens", "cache_text_read_tokens"}
"""Parts of the output and of the cache that need no price of their own."""
_SHORTEST = {"cache_write_5m_tokens", "cache_write_30m_tokens"}
"""The lifetimes that ``cache_write_mtok`` is the price of: five minutes of Claude's, thirty of OpenAI's."""


def has_price(price: "ModelPrice", key: str) -> bool:
    """Whether the list says what that costs."""
    return vars(price).get(key) is not None


def covers(provider: str, model: str, price: "ModelPrice", used: Quantities) -> bool:
    """Whether each quantity has a price.

    Args:
        provider: Whose list it is.
        model: The name of the model there.
        price: Its prices.
        used: What was used, by unit.
    """
    from genai_prices.data_units import unit_data

    fees = [unit for unit, count in used.items() if count and not _is_token(unit)]
    for unit in fees:
        if unit == "input_audio_seconds":
            continue  # its twin is there as well, and is the one that is priced
        if unit not in unit_data or not has_price(price, unit_data[unit]["price_key"]):
            return False
    by_token = has_price(price, "input_mtok") or has_price(price, "output_mtok")
    if (fees or has_price(price, "requests_kcount")) and not by_token:
        return True  # tokens are told, and not paid
    if not (fees or used.get("input_tokens") or used.get("output_tokens")):
        return False  # the answer does not say what was used
    tokens = {unit: count for unit, count in used.items() if count and _is_token(unit)}
    needed = _needed(provider, model, price, tokens)
    return all(has_price(price, _key(unit)) for unit in needed) and not _is_ambiguous(price, tokens)


def _is_token(unit: str) -> bool:
    return unit.endswith("_tokens") and not unit.startswith("unknown")


def _needed(provider: str, model: str, price: "ModelPrice", used: Quantities) -> Iterator[str]:
    """The kinds of tokens that need a price of their own."""
    for unit in used:
        modality = next((each for each in _MODALITIES if f"_{each}_" in unit), None)
        if unit in _WITHOUT or unit in _SHORTEST:
            continue
        if modality is None or not _costs_the_same(provider, model, price, unit, modality):
            yield unit


def _costs_the_same(provider: str, model: str, price: "ModelPrice", unit: str, modality: str) -> bool:
    """Whether tokens of that modality are paid as those of text, where the list does not tell them apart."""
    if unit.startswith("output_"):
        # a model that only speaks has the price of its speech as the price of its output
        return modality == "audio" and "tts" in model
    return not has_price(price, f"input_{modality}_mtok") and (
        unit.startswith("cache_") or _costs_like_text(provider, price, modality)
    )


def _is_ambiguous(price: "ModelPrice", used: Quantities) -> bool:
    """Whether what was read from a cache may be of two modalities with different prices."""
    cached = used.get("cache_read_tokens")
    split = sum(used.get(f"cache_{kind}_read_tokens", 0) for kind in ("text", *_MODALITIES))
    apart = (
        used.get(f"input_{kind}_tokens") and has_price(price, f"input_{kind}_mtok") for kind in _MODALITIES
    )
    return bool(cached) and split != cached and any(apart)


def _key(unit: str) -> str:
    """The name of a price for tokens of that kind."""
    return unit.removesuffix("tokens") + "mtok"


def _costs_like_text(provider: str, price: "ModelPrice", modality: str) -> bool:
    """Whether input of that kind is paid as text where the list has no price of its own for it.

    Pictures and films are, unless the list tells the one from text and not the other. Sound is at Google's,
    whose list names it wherever it costs something else (https://ai.google.dev/gemini-api/docs/pricing).
    """
    if modality == "audio":
        return provider == "google"
    return not any(has_price(price, f"input_{other}_mtok") for other in ("image", "video"))
