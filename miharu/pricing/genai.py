"""Prices from genai-prices: 47 providers, tiers, dates and service tiers, kept by its own community.

It is imported by the recorder, with the first call that no kept plan prices. What it does not know has no
price; a wrong one would be worse, so a call that used anything without a published price has none at all: a
service tier, a web search, a minute of sound.

A price follows from the names, the place and the terms (``matching/``), from fees, from what was used
(``billing/``) and from the moment, and from nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from miharu.call import Call, Cost
from miharu.pricing._library import import_prices
from miharu.pricing.billing.bill import Bill, Quantities, Used, bill_of, without_sound
from miharu.pricing.billing.cover import covers, has_price
from miharu.pricing.billing.fees import are_known, billable
from miharu.pricing.billing.unbilled import is_refusal, unbilled
from miharu.pricing.matching.conditions import are_published, conditions_of, is_own
from miharu.pricing.matching.names import candidates, is_plainly, lookups
from miharu.pricing.matching.places import STANDARD, factor_of

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider

__all__ = ("Found", "GenaiPrices", "Quote")

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

_PROPRIETARY = {"openai", "anthropic", "google", "x-ai", "aws"}
"""Whose models no other host serves for free: behind an unknown host, a proxy say, the name is enough."""

_NANO = Decimal(10**9)


class Found(NamedTuple):
    """An entry of the list."""

    source: str
    """A ``cost_source``."""
    provider: "Provider"
    model: "ModelInfo"
    name: str
    """By which it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What was used of one model, and what that costs by the list."""

    source: str
    """A ``cost_source``."""
    provider: "Provider"
    model: "ModelInfo"
    name: str
    """By which it was found."""
    price: "ModelPrice"
    conditions: Mapping[str, str]
    factor: Decimal
    """The factor on the list's price for the place where the call was answered."""
    quantities: Quantities
    at: datetime

    @property
    def is_empty(self) -> bool:
        """Whether the list knows the model and no price of it."""
        return not any(value is not None for value in vars(self.price).values())

    def total(self) -> Decimal | None:
        """US dollars; ``None`` where the counts contradict each other."""
        if self.is_empty:
            return Decimal(0)
        try:
            found = self.model.calc_price(
                self.quantities,
                self.provider,
                genai_request_timestamp=self.at,
                price_context=self.conditions,
            )
        except (ValueError, LookupError):
            return None
        return found.total_price * self.factor


class GenaiPrices:
    """The built-in prices, as the program's ``genai_prices.UpdatePrices`` keeps them, if it uses that."""

    def __init__(self) -> None:
        """Load the prices, a tenth of a second's work: for the recorder's thread."""
        import_prices()
        from genai_prices.data_snapshot import get_snapshot

        self._get_snapshot = get_snapshot
        self._package = f"genai-prices {version('genai-prices')}"
        self._bundled = get_snapshot()

    @property
    def version(self) -> str:
        """The version of the package, and the moment at which newer data was fetched."""
        return self._version_of(self._get_snapshot())

    @property
    def snapshot(self) -> "DataSnapshot":
        """The data in use; another one where newer data was fetched."""
        return self._get_snapshot()

    def cost(self, call: Call) -> Cost | None:
        """The cost by usage, model, date and service tier; rounded half-even to a nano-dollar, once."""
        bill = bill_of(call)
        if bill is None:
            return None
        if (reason := unbilled(call, bill)) is not None:
            return Cost(cost_nanousd=0, cost_source=reason)
        version = self.version  # of the data that the quotes are made of, or newer data makes new ones
        quotes = self.quotes(call, bill)
        if version != self.version:
            return self.cost(call)
        totals = [quote.total() for quote in quotes]
        if not quotes or None in totals:
            return None
        total = sum((each for each in totals if each is not None), Decimal(0))
        nano = (total * _NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        return Cost(cost_nanousd=int(nano), cost_source=quotes[0].source, price_version=version)

    def quotes(self, call: Call, bill: Bill) -> list[Quote]:
        """What each model that was used costs; nothing where not everything that was used has a price."""
        if is_refusal(call):
            return []  # on a host of which it is not known whether it bills them
        found = [self._quote(call, bill, used) for used in bill.used]
        quotes = [quote for quote in found if quote is not None]
        return quotes if len(quotes) == len(found) else []

    def find(self, provider: str | None, model: str, asked: str | None) -> "Found | None":
        """The entry of the list for a model, and whose prices they are."""
        snapshot = self._get_snapshot()
        known = _known(provider)
        if known == "huggingface" and asked and ":" in asked:
            # its router, told whom to ask: "openai/gpt-oss-120b:cerebras"
            known = f"huggingface_{asked.rpartition(':')[2]}"
        for owner, name in lookups(known, model):
            try:
                found = snapshot.find_provider_model(name, None, owner, None)
            except LookupError:
                continue
            if provider is not None:
                return Found("genai-prices", *found, name)
            if found[0].id in _PROPRIETARY and (owner == "aws" or is_plainly(name, found[1])):
                return Found("genai-prices:model", *found, name)
            return None
        return None

    def _quote(self, call: Call, bill: Bill, used: Used) -> Quote | None:
        known = _known(call.provider)
        if known == "azure" and "router" in (call.request_model or ""):
            return None  # its fee for a token depends on which router it is
        answered = bill.terms.get("named_by") != "request"
        own = candidates(known, call.model, call.request_model, answered=answered)
        for name in [used.model] if used.model else own:
            found = self.find(call.provider, name, call.request_model)
            if found is None and known == "aws" and name.startswith("arn:"):
                return None  # a profile, an import or a throughput of the customer's own
            if found is None or (name != call.model and _is_free(found.model)):
                continue  # a router was asked for something free, and took something else
            return _quoted(call, bill, used, found)
        return None

    def _version_of(self, snapshot: "DataSnapshot") -> str:
        if snapshot is self._bundled and not snapshot.from_auto_update:
            return self._package
        return f"{self._package}, data of {snapshot.timestamp.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _quoted(call: Call, bill: Bill, used: Used, found: Found) -> Quote | None:
    provider, info = found.provider, found.model
    at = datetime.fromtimestamp(call.timestamp / 1000, UTC)
    conditions = conditions_of(call.service_tier, bill.terms, bill.raw)
    factor = factor_of(_known(call.provider), call.host, bill.terms, info, found.name)
    if factor is None or not are_published(provider, info, conditions, at):
        return None
    quote = Quote(
        source=found.source,
        provider=provider,
        model=info,
        name=found.name,
        price=info.get_prices(at, conditions),
        conditions=conditions,
        factor=factor,
        quantities=billable(used.quantities, info),
        at=at,
    )
    if quote.is_empty:
        # an empty list means two things: free of charge, or not known
        return quote if _is_free(info) and call.outcome.status == "success" else None
    if "audio_seconds" in quote.quantities and has_price(quote.price, "audio_hours"):
        quote = replace(quote, quantities=without_sound(quote.quantities, used.tokens_beside_sound))
    return quote if _is_complete(quote, bill, used.requests) else None


def _is_complete(quote: Quote, bill: Bill, requests: int) -> bool:
    """Whether the price is of all that was used, under these terms."""
    price, info, quantities = quote.price, quote.model, quote.quantities
    fees = any(count and not unit.endswith("_tokens") for unit, count in quantities.items())
    # the fees of one provider are not those of another that resells it, nor of another place
    if fees and (not is_own(quote.provider, info) or quote.factor != STANDARD):
        return False
    if requests > 1 and any(hasattr(value, "tiers") for value in vars(price).values()):
        return False  # its tokens have the price of the length of each request, which is not told
    known = are_known(quote.name, info, price, bill, quantities)
    return known and covers(quote.provider.id, info.id, price, quantities)


def _known(provider: str | None) -> str | None:
    return _PROVIDERS.get(provider, provider) if provider else None


def _is_free(model: "ModelInfo") -> bool:
    """OpenRouter's free variants, and OpenAI's moderation ("free of charge", genai-prices)."""
    return model.id.endswith(":free") or model.id == "moderation"
