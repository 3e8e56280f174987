"""A table of one's own prices, on top of the built-in ones."""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from miharu._price import Price
from miharu.call import Call, Cost
from miharu.pricing.base import Prices
from miharu.pricing.billing.bill import Quantities, Used, bill_of
from miharu.pricing.billing.cover import covers
from miharu.pricing.billing.unbilled import unbilled
from miharu.pricing.matching.conditions import conditions_of

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ("SOURCE", "OwnPrices")

SOURCE = "own"
_THOUSAND = Decimal(1000)
_SINGLE = {"per_request": "requests_kcount", "per_search": "web_searches_kcount"}
_TOKENS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
}


class OwnPrices:
    """Looks into the table first: by the model's name, exactly, then by the longest pattern with a ``*``.

    A name may say whose model it is: ``azure.ai.openai/gpt-4o`` is only that provider's, and
    ``llm.internal:8000/qwen3*`` only what that host serves.
    """

    def __init__(self, table: Mapping[str, Price], below: Prices | None) -> None:
        """Prepare.

        Args:
            table: Prices by name.
            below: Whom to ask of what is not in it.
        """
        self._exact = {name.lower(): price for name, price in table.items() if "*" not in name}
        patterns = sorted((name for name in table if "*" in name), key=len, reverse=True)
        self._patterns = [(_pattern(name), table[name]) for name in patterns]
        self._below = below

    def cost(self, call: Call) -> Cost | None:
        """The cost by the table, or what the others say of a model that is not in it."""
        own = self._find(call, (call.model, call.request_model))
        if own is None:
            return self._below.cost(call) if self._below is not None else None
        bill = bill_of(call)
        if bill is None or conditions_of(call.service_tier, bill.terms, bill.raw):
            return None  # the table has one price for a model, which is that of its standard tier
        if (reason := unbilled(call, bill)) is not None:
            return Cost(cost_nanousd=0, cost_source=reason)
        totals = [self._total(call, used, own) for used in bill.used]
        if None in totals:
            return None
        total = sum((each for each in totals if each is not None), Decimal(0))
        nano = total.scaleb(9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        return Cost(cost_nanousd=int(nano), cost_source=SOURCE)

    def _total(self, call: Call, used: Used, own: Price) -> Decimal | None:
        found = self._find(call, (used.model,)) if used.model else own
        if found is None:
            return None
        price, quantities = _listed(found), _counted(used.quantities)
        if not covers("", used.model or call.model or "", price, quantities):
            return None
        try:
            return price.calc_price(quantities)["total_price"]
        except (ValueError, LookupError):  # counts that contradict each other
            return None

    def _find(self, call: Call, models: tuple[str | None, ...]) -> Price | None:
        names = [name.lower() for model in models if model for name in _names(call, model)]
        for name in names:
            if name in self._exact:
                return self._exact[name]
        return next((price for pattern, price in self._patterns if any(map(pattern.fullmatch, names))), None)


def _names(call: Call, model: str) -> Iterator[str]:
    """Ways to name the model, the most exact first."""
    for whose in (call.host, (call.host or "").partition(":")[0], call.provider):
        if whose:
            yield f"{whose}/{model}"
    yield model


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, name.lower().split("*"))))


def _listed(price: Price) -> "ModelPrice":
    """The price in the form of genai-prices' list."""
    from genai_prices.types import ModelPrice

    given = price.amounts()
    if "input" in given:
        given.setdefault("cached_input", given["input"])
        given.setdefault("cache_write", given["input"])
    if "cache_write" in given:
        given.setdefault("cache_write_1h", given["cache_write"])
    tokens = {key: given[name] for name, key in _TOKENS.items() if name in given}
    single = {key: given[name] * _THOUSAND for name, key in _SINGLE.items() if name in given}
    if (
        "input_audio_mtok" in tokens
    ):  # a list with two kinds of input has to tell them apart in its caches, too
        caches = {key: price for key, price in tokens.items() if key.startswith("cache_")}
        tokens |= {key.replace("cache_", "cache_audio_"): price for key, price in caches.items()}
    return ModelPrice(**tokens, **single)


def _counted(quantities: Quantities) -> Quantities:
    """The same with each different query of Google's as one search."""
    counts = {unit: n for unit, n in quantities.items() if unit != "google_search_prompts"}
    queries = counts.pop("google_search_queries", 0)
    return {**counts, "web_searches": queries} if queries else counts
