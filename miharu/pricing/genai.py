"""Prices from genai-prices: 47 providers, tiers, dates and service tiers, kept by its own community.

It is imported by the worker, at the first call. What it does not know has no price; a wrong one would be
worse, so a call that used anything without a published price has none at all: a service tier, a web search,
a minute of sound.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from miharu.call import Call, Cost
from miharu.pricing._conditions import are_published, conditions_of, has_price, is_own
from miharu.pricing._measures import is_regional, measures_of, raw_of, tokens_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

__all__ = ("GenaiPrices",)

_PROVIDERS = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "aws.bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "moonshot_ai": "moonshotai",
    "github_copilot": "github-copilot",
}
"""OpenTelemetry's names to those of genai-prices, where they differ."""

_PROPRIETARY = {"openai", "anthropic", "google", "x-ai"}
"""Whose models nobody else serves for free: behind an unknown host, a proxy say, the name is enough."""

_SEARCHING = re.compile(r"-search-(?:preview|api)")
"""OpenAI's chat models that search for each request, at a fee that no price list has."""
_REGION = re.compile(r"(?:(?:us|eu|apac|jp|au|ca|global)\.)?anthropic\.(.+?)(?:-v\d+(?::\d+)?)?\Z")
_NANO = Decimal(10**9)


class GenaiPrices:
    """The built-in prices."""

    def __init__(self) -> None:
        """Load the prices, half a second's work: for the worker's thread."""
        from genai_prices.data_snapshot import get_snapshot

        self._snapshot = get_snapshot()
        self.version = f"genai-prices {version('genai-prices')}"

    def cost(self, call: Call) -> Cost | None:
        """The cost by usage, model, date and service tier; rounded half-even to a nano-dollar, once."""
        for model in dict.fromkeys((call.model, call.request_model)):
            found = self.find(call.provider, model, call.request_model) if model else None
            if found is None:
                continue
            source, (provider, info) = found
            if model != call.model and _is_free(info):
                continue  # a router was asked for something free, and took something else
            total = _total(provider, info, call)
            if total is None:
                return None
            nano = (total * _NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
            return Cost(cost_nanousd=int(nano), cost_source=source, price_version=self.version)
        return None

    def find(
        self, provider: str | None, model: str, asked: str | None
    ) -> "tuple[str, tuple[Provider, ModelInfo]] | None":
        """Whose prices they are (a ``cost_source``), and the entry of the list."""
        known = _PROVIDERS.get(provider, provider) if provider else None
        if known == "huggingface" and asked and ":" in asked:
            # its router, told whom to ask: "openai/gpt-oss-120b:cerebras"
            known = f"huggingface_{asked.rpartition(':')[2]}"
        for name in _names(known, model):
            maker = "openai" if known is None and name.startswith("text-embedding-") else known
            try:
                found = self._snapshot.find_provider_model(name, None, maker, None)
            except LookupError:
                continue
            if provider is not None:
                return "genai-prices", found
            return ("genai-prices:model", found) if found[0].id in _PROPRIETARY else None
        return None


def _names(provider: str | None, model: str) -> Iterator[str]:
    """Ways to look a model up, the most exact first."""
    if provider is not None:
        yield model
    if provider in {None, "google"}:
        yield model.rpartition("/")[2]  # models/…, google/…, publishers/google/models/…
    if provider is None and (claude := _REGION.match(model.rpartition("/")[2])):
        yield claude.group(1)  # Bedrock's name, behind a proxy
    if provider and provider.startswith("huggingface_"):
        yield model.rpartition(":")[0]


def _total(provider: "Provider", model: "ModelInfo", call: Call) -> Decimal | None:
    """US dollars; ``None`` where not everything that was used has a published price."""
    at = datetime.fromtimestamp(call.timestamp / 1000, UTC)
    raw = raw_of(call.usage)
    conditions = conditions_of(call, raw)
    if conditions is None or not are_published(provider, model, conditions, at):
        return None
    price = model.get_prices(at, conditions)
    if not any(value is not None for value in vars(price).values()):
        # an empty list means two things: free of charge, or nobody knows
        return Decimal(0) if _is_free(model) and call.outcome.status == "success" else None
    measures = measures_of(raw)
    by_time = "audio_seconds" in measures and has_price(price, "audio_hours")
    tokens = tokens_of(call.usage, raw, sound_by_time=by_time)
    resold = not is_own(provider, model)  # the fees of one provider are not those of whoever resells it
    if (
        (resold and measures)
        or is_regional(raw)
        or _SEARCHING.search(model.id)
        or not _covers(price, tokens, measures)
    ):
        return None
    try:
        return model.calc_price(
            {**tokens, **measures}, provider, genai_request_timestamp=at, price_context=conditions
        ).total_price
    except (ValueError, LookupError):  # counts that contradict each other
        return None


def _covers(price: "ModelPrice", tokens: Mapping[str, int], measures: Mapping[str, float]) -> bool:
    """Whether everything that was used has a price."""
    from genai_prices.data_units import unit_data

    for unit in measures.keys() - {"input_audio_seconds"}:  # its twin is there as well, and is the one priced
        if unit not in unit_data or not has_price(price, unit_data[unit]["price_key"]):
            return False
    if not (measures or tokens["input_tokens"] or tokens["output_tokens"]):
        return False  # nobody said what was used
    if measures and not (has_price(price, "input_mtok") or has_price(price, "output_mtok")):
        return True  # tokens are told, and not paid
    return (not tokens["input_tokens"] or has_price(price, "input_mtok")) and (
        not tokens["output_tokens"] or has_price(price, "output_mtok")
    )


def _is_free(model: "ModelInfo") -> bool:
    """OpenRouter's free variants, and OpenAI's moderation ("free of charge", genai-prices)."""
    return model.id.endswith(":free") or model.id == "moderation"
