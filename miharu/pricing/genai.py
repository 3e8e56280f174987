"""Prices from genai-prices: 47 providers, tiers, dates and service tiers, kept by its own community.

It is imported by the worker, at the first call. What it does not know has no price; a wrong one would be
worse, so a service tier without a published price has none either.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from miharu.call import Call, Cost, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

__all__ = ("GenaiPrices",)

_PROVIDERS = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "aws.bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "moonshot_ai": "moonshotai",
}
"""OpenTelemetry's names to those of genai-prices, where they differ."""

_PROPRIETARY = {"openai", "anthropic", "google", "x-ai"}
"""Whose models nobody else serves for free: behind an unknown host, a proxy say, the name is enough."""

_STANDARD_TIERS = {None, "default", "auto", "standard", "standard_only", "on_demand"}

_UNITS = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "audio_input_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
    "image_input_tokens": "input_image_tokens",
    "image_output_tokens": "output_image_tokens",
}


class GenaiPrices:
    """The built-in prices."""

    def __init__(self) -> None:
        """Load the prices, half a second's work: for the worker's thread."""
        from genai_prices.data_snapshot import get_snapshot

        self._snapshot = get_snapshot()
        self._version = f"genai-prices {version('genai-prices')}"

    def cost(self, call: Call) -> Cost | None:
        """The cost by usage, model, date and service tier; rounded half-even to a nano-dollar, once."""
        if not (call.usage.prompt_tokens or call.usage.completion_tokens):
            return None
        for model in dict.fromkeys((call.model, call.request_model)):
            found = self._find(call.provider, model) if model else None
            if found is None:
                continue
            source, (provider, info) = found
            price = _price(provider, info, call)
            if price is None:
                return None
            try:
                total = price.calc_price(_usage(call.usage))["total_price"]
            except (ValueError, LookupError):  # counts that contradict each other
                return None
            nano = (total * Decimal(10**9)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
            return Cost(cost_nanousd=int(nano), cost_source=source, price_version=self._version)
        return None

    def _find(self, provider: str | None, model: str) -> "tuple[str, tuple[Provider, ModelInfo]] | None":
        snapshot = self._snapshot
        try:
            if provider is not None:
                known = _PROVIDERS.get(provider, provider)
                return "genai-prices", snapshot.find_provider_model(model, None, known, None)
            name = model.rpartition("/")[2]
            maker = "openai" if name.startswith("text-embedding-") else None
            by_name = snapshot.find_provider_model(name, None, maker, None)
        except LookupError:
            return None
        return ("genai-prices:model", by_name) if by_name[0].id in _PROPRIETARY else None


def _price(provider: "Provider", model: "ModelInfo", call: Call) -> "ModelPrice | None":
    """The price list that holds for the call, or ``None`` where its service tier has no published price."""
    at = datetime.fromtimestamp(call.timestamp / 1000, UTC)
    tier = call.service_tier
    if tier in _STANDARD_TIERS:
        price = model.get_prices(at)
    else:
        published = any(
            variant.when.get("service_tier") == tier
            and (variant.constraint is None or variant.constraint.active(at))
            for variant in model.price_variants or ()
        )
        if not published or model not in provider.models:
            return None  # the tier of one provider is not the tier of whoever resells its models
        price = model.get_prices(at, {"service_tier": str(tier)})
    return price if any(value is not None for value in vars(price).values()) else None


def _usage(usage: Usage) -> dict[str, int]:
    counts = {unit: getattr(usage, name) for name, unit in _UNITS.items()}
    counts["input_tokens"] = counts["input_tokens"] or 0
    counts["output_tokens"] = counts["output_tokens"] or 0
    return {unit: value for unit, value in counts.items() if value is not None}
