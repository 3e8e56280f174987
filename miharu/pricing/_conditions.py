"""What a price depends on beside model and date: service tiers, batches, speed; and whether a list has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from miharu.call import Call

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

__all__ = ("are_published", "conditions_of", "has_price", "is_own")

_STANDARD_TIERS = {
    *("default", "auto", "standard", "standard_only", "on_demand"),
    "1",  # Vertex may write its enum as a number; this is ON_DEMAND
}
_TIERS = {
    # Vertex's traffic types (https://cloud.google.com/vertex-ai/generative-ai/docs/flex-paygo)
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}


def conditions_of(call: Call, raw: Mapping[str, Any]) -> dict[str, str] | None:
    """What a price may depend on beside model and date; ``None`` for a service tier that has no price."""
    conditions = {}
    tier = (call.service_tier or "default").lower()
    if tier == "batch":
        conditions["processing"] = "batch"
    elif tier not in _STANDARD_TIERS:
        conditions["service_tier"] = _TIERS.get(tier, tier)
    if (speed := str(raw.get("speed") or "standard")) != "standard":
        conditions["speed"] = speed  # Anthropic's fast mode
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


def has_price(price: "ModelPrice", key: str) -> bool:
    """Whether the list says what that costs."""
    return vars(price).get(key) is not None
