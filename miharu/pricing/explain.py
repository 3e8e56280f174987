"""A cost, line by line: which kind of token, how many, at which price, by whose list.

A line is what the list would charge if everything else were free; together they are the cost, to the last
digit, or there is no explanation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from miharu.call import Call
from miharu.pricing.billing.bill import bill_of
from miharu.pricing.genai import GenaiPrices, Quote

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ("Explanation", "ListPrice", "PricedLine", "explain", "list_price")

_NAMES = {
    "input_tokens": "Input",
    "output_tokens": "Output",
    "cache_read_tokens": "Read from cache",
    "cache_write_tokens": "Written to cache",
    "cache_write_5m_tokens": "Written to cache for five minutes",
    "cache_write_1h_tokens": "Written to cache for an hour",
    "input_text_tokens": "Text in",
    "output_text_tokens": "Text out",
    "input_audio_tokens": "Sound in",
    "output_audio_tokens": "Sound out",
    "input_image_tokens": "Images in",
    "output_image_tokens": "Images out",
    "input_video_tokens": "Video in",
    "output_video_tokens": "Video out",
    "output_reasoning_tokens": "Reasoning",
    "input_characters": "Characters",
    "audio_seconds": "Seconds of sound",
    "input_audio_seconds": "Seconds of sound in",
    "output_audio_seconds": "Seconds of sound out",
    "input_document_pages": "Pages",
    "input_annotated_document_pages": "Annotated pages",
    "rerank_searches": "Searches",
    "web_searches": "Web searches",
    "storage_searches": "File searches",
    "code_executions": "Code runs",
    "requests": "Requests",
}
_PER = {1_000_000: "million", 1000: "thousand", 3600: "hour", 1_000_000_000: "billion"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """One kind of what a call used, with its price."""

    kind: str
    count: Decimal
    price: Decimal
    """US dollars."""
    per: str
    """The unit of the price: ``million``, ``thousand``, ``hour``."""
    nanousd: Decimal
    """The cost of the line, before the sum is rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How the list in use makes up a cost."""

    lines: tuple[PricedLine, ...]
    nanousd: int
    source: str
    """Who keeps the list, and its version."""
    provider: str
    model: str
    """As the list names them."""
    page: str | None
    """Where the provider publishes its prices."""
    comment: str | None
    """What the list's keepers say of these prices, often when they looked."""
    place: str | None = None
    """What the place where it was answered does to the price."""
    at: datetime
    """The moment whose prices are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """What a model costs by the list, in US dollars a million tokens; ``None`` where the list has none."""

    input: Decimal | None
    output: Decimal | None
    cached: Decimal | None
    source: str
    page: str | None


def explain(prices: GenaiPrices, call: Call) -> Explanation | None:
    """What the call costs by the list, in lines; ``None`` where the list does not say, or not so simply."""
    cost, bill = prices.cost(call), bill_of(call)
    if cost is None or bill is None or not cost.cost_source.startswith("genai-prices"):
        return None
    quotes = prices.quotes(call, bill)
    try:
        lines = tuple(line for quote in quotes for line in _lines(quote, of=_name(quote, quotes[0])))
    except (ValueError, LookupError):
        return None
    total = sum((line.nanousd for line in lines), Decimal(0))
    if int(total.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)) != cost.cost_nanousd:
        return None  # a minimum charge, say: no sum of lines
    first = quotes[0]
    place = f"{first.factor.normalize():f} times the list's price, for where it was answered"
    return Explanation(
        lines=lines,
        nanousd=cost.cost_nanousd,
        source=cost.price_version or cost.cost_source,
        provider=first.provider.name,
        model=first.model.name or first.model.id,
        page=next(iter(first.provider.pricing_urls or ()), None),
        comment=first.model.price_comments,
        place=None if first.factor == 1 else place,
        at=first.at,
    )


def _name(quote: Quote, first: Quote) -> str:
    return "" if quote.model is first.model else f", {quote.model.name or quote.model.id}"


def list_price(prices: GenaiPrices, model: str, provider: str | None, at_ms: int) -> ListPrice | None:
    """The standard prices of a model at that moment."""
    found = prices.find(provider, model, model)
    if found is None:
        return None
    owner, info = found.provider, found.model
    price = info.get_prices(datetime.fromtimestamp(at_ms / 1000, UTC))
    return ListPrice(
        input=_base(price, "input_mtok"),
        output=_base(price, "output_mtok"),
        cached=_base(price, "cache_read_mtok"),
        source=prices.version,
        page=next(iter(owner.pricing_urls or ()), None),
    )


def _base(price: "ModelPrice", key: str) -> Decimal | None:
    value = vars(price).get(key)
    return getattr(value, "base", value)


def _lines(quote: Quote, of: str) -> Iterator[PricedLine]:
    from genai_prices.data_units import unit_data
    from genai_prices.types import ModelPrice

    price, usage = quote.price, quote.quantities
    units = {unit["price_key"]: (name, unit) for name, unit in unit_data.items()}
    keys = [key for key, value in vars(price).items() if value is not None and key in units]
    free = dict.fromkeys(keys, Decimal(0))
    for key in keys:
        name, unit = units[key]
        count = ModelPrice(**{**free, key: Decimal(unit["per"])}).calc_price(usage)["total_price"]
        if not count:
            continue
        alone = ModelPrice(**{**free, key: vars(price)[key]}).calc_price(usage)["total_price"]
        dollars = alone * quote.factor
        yield PricedLine(
            kind=_NAMES.get(name, name.replace("_", " ").capitalize()) + of,
            count=count,
            price=dollars * unit["per"] / count,
            per=_PER.get(unit["per"], str(unit["per"])),
            nanousd=dollars.scaleb(9),
        )
