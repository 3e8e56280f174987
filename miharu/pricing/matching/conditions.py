"""What a price depends on beside model and date: service tiers, batches, speed; and whether a list has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

__all__ = ("are_published", "conditions_of", "is_own")

_STANDARD_TIERS = {
    *("default", "auto", "standard", "standard_only", "on_demand"),
    "1",  # Vertex may write its enum as a number; this is ON_DEMAND
}
_TIERS = {
    # Vertex's traffic types (https://cloud.google.com/vertex-ai/generative-ai/docs/flex-paygo)
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}
_TERMS = ("latency", "completion_window")
"""Terms that readers name and that have a price of their own."""


def conditions_of(
    service_tier: str | None, terms: Mapping[str, str], raw: Mapping[str, Any]
) -> dict[str, str]:
    """What a price may depend on beside model and date.

    Args:
        service_tier: As the answer names it.
        terms: What the reader has found beside the usage.
        raw: The provider's own usage object.
    """
    conditions = {term: terms[term] for term in _TERMS if term in terms}
    tier = (service_tier or "default").lower()
    if tier == "batch":
        conditions["processing"] = "batch"
    elif tier not in _STANDARD_TIERS:
        conditions["service_tier"] = _TIERS.get(tier, tier)
    if (speed := str(raw.get("speed") or "standard")) != "standard":
        conditions["speed"] = speed  # Anthropic's fast mode
    # Anthropic in one region, at a surcharge that no price list has
    # (https://docs.claude.com/en/docs/build-with-claude/data-residency)
    if (place := str(raw.get("inference_geo") or "global")) not in {"global", "not_available"}:
        conditions["inference_geo"] = place
    return conditions


def are_published(
    provider: "Provider", model: "ModelInfo", conditions: Mapping[str, str], at: datetime
) -> bool:
    """Whether each condition has a price list. Together they have none: only one at a time is published."""
    if not conditions:
        return True
    if len(conditions) > 1 or not is_own(provider, model):
        return False  # a tier is its provider's alone, too
    return any(
        variant.when == conditions and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def is_own(provider: "Provider", model: "ModelInfo") -> bool:
    """Whether the provider has its own list for that model, and does not resell it at another's."""
    return any(model is own for own in provider.models)
