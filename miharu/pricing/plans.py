"""What models cost, compiled once into whole numbers for each token, so that most calls need no list.

A plan holds for calls of the same names, place, terms and kind of usage: the same fields of the usage object
with the same words in them, and something above zero in the same ones. It knows the moment at which the list
changes, and the length of a prompt from which another price holds. It is checked against the long way when it
is made. Whatever does not fit goes the long way: fees, sizes, prices by the hour, unknown kinds of usage.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from miharu.call import Call, Cost, Usage
from miharu.pricing._bill import TOKENS, bill_of
from miharu.pricing.genai import GenaiPrices, Quote

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

__all__ = ("PlannedPrices",)

_MOST_PLANS = 2048
_FINE = 10**6
"""Rates are in millionths of a nano-dollar, so that the finest price of the list, with a surcharge of ten
percent, is a whole number as well."""
_TO_FINE = Decimal(10**9 * _FINE)
_FOR_EVER = 1 << 62

_NUMBER = re.compile(r'(?<=":)[1-9][0-9]*(?=[,}])')
_UNFAMILIAR = re.compile(r'":\s|[\\\[]|":-?[0-9]+[.0-9eE]')
"""Blanks, escapes, lists, and numbers that are not whole."""
_NAMES = tuple(TOKENS)
_INPUT = ("cached_tokens", "cache_write_tokens", "audio_input_tokens", "image_input_tokens")
_OUTPUT = ("reasoning_tokens", "audio_output_tokens", "image_output_tokens")
_WRITTEN = ("cache_write_5m_tokens", "cache_write_1h_tokens")

_counts_of: Callable[[Usage], "Counts"] = attrgetter(*_NAMES)

Key = tuple[object, ...]
Counts = tuple[int | None, ...]
"""Of the fields of usage that are paid, in the order of ``TOKENS``."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a token costs, by the field of usage that counts it."""

    rates: tuple[tuple[str, int], ...]
    """In millionths of a nano-dollar."""
    source: str
    version: str
    since: int
    """Unix milliseconds; ``until`` is the first moment at which it does not hold any more."""
    until: int
    below: int
    """It holds for prompts of fewer tokens than that."""

    def cost(self, usage: Usage) -> Cost:
        """Rounded half-even to a nano-dollar, once."""
        whole, rest = divmod(sum(getattr(usage, name) * rate for name, rate in self.rates), _FINE)
        up = rest * 2 > _FINE or (rest * 2 == _FINE and whole & 1)
        return Cost(cost_nanousd=whole + up, cost_source=self.source, price_version=self.version)


class PlannedPrices:
    """The built-in prices by plans, where there is one."""

    def __init__(self, prices: GenaiPrices) -> None:
        self._prices = prices
        self._snapshot = prices.snapshot
        self._plans: dict[Key, _Plan | None] = {}

    def cost(self, call: Call) -> Cost | None:
        """The same as the long way would say."""
        counts = _counts_of(call.usage)
        key = _key(call, counts)
        if key is None or not _is_consistent(counts):
            return self._prices.cost(call)
        if self._prices.snapshot is not self._snapshot:
            self._snapshot = self._prices.snapshot
            self._plans.clear()
        if key in self._plans:
            plan = self._plans[key]
        else:
            plan = _compiled(self._prices, call)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        if plan is None or not plan.since <= call.timestamp < plan.until or (counts[0] or 0) >= plan.below:
            return self._prices.cost(call)
        return plan.cost(call.usage)


def _key(call: Call, counts: Counts) -> Key | None:
    """All that a price depends on beside the moment and the counts; ``None`` of an unfamiliar usage."""
    shape = _NUMBER.sub("1", call.usage.usage_raw or "")
    if _UNFAMILIAR.search(shape):
        return None
    kinds = tuple([None if count is None else count > 0 for count in counts])
    names = (call.api, call.provider, call.host, call.model, call.request_model)
    return (*names, call.service_tier, call.finish_reason == "refusal", call.outcome.status, shape, kinds)


def _is_consistent(counts: Counts) -> bool:
    """Whether parts are no more than what they are parts of: there a price is a sum of rates."""
    prompt, completion, read, written, short, long, reasoning, heard, spoken, seen, drawn = (
        count or 0 for count in counts
    )
    return (
        read + written + heard + seen <= prompt
        and reasoning + spoken + drawn <= completion
        and short + long <= written
    )


def _compiled(prices: GenaiPrices, call: Call) -> _Plan | None:
    """The plan for calls like this one; ``None`` where they have to go the long way."""
    expected, quote = prices.cost(call), _only_quote(prices, call)
    if expected is None or quote is None or expected.price_version != prices.version:
        return None
    window = _window(quote.model, quote.at)
    below = min(_thresholds(quote), default=_FOR_EVER)
    rates = _rates(quote, [name for name in _NAMES if getattr(call.usage, name)], below)
    if window is None or rates is None:
        return None
    plan = _Plan(tuple(rates), quote.source, prices.version, *window, below)
    is_right = plan.cost(call.usage) == expected or (call.usage.prompt_tokens or 0) >= below
    return plan if is_right else None


def _only_quote(prices: GenaiPrices, call: Call) -> Quote | None:
    """What is paid for the tokens of one model as they are counted; ``None`` where there is more to it."""
    bill = bill_of(call)
    if bill is None or len(bill.used) != 1 or bill.used[0].requests != 1:
        return None
    quotes = prices.quotes(call, bill)
    if len(quotes) != 1 or quotes[0].is_empty or not quotes[0].quantities.keys() <= set(TOKENS.values()):
        return None
    counted = {TOKENS[name]: count for name in _NAMES if (count := getattr(call.usage, name))}
    paid = {unit: count for unit, count in quotes[0].quantities.items() if count}
    return quotes[0] if paid == counted else None


def _rates(quote: Quote, used: Sequence[str], below: int) -> list[tuple[str, int]] | None:
    """What one more of each costs; ``None`` where that is not the same everywhere."""
    first, second = (_counts(used, below, step) for step in (3, 7))
    base, other = _total(quote, first), _total(quote, second)
    found: list[tuple[str, int]] = []
    for name in used:
        more = _total(quote, {**first, name: first[name] + 1})
        if base is None or more is None:
            return None
        rate = (more - base) * _TO_FINE
        if rate != int(rate):
            return None
        found.append((name, int(rate)))
    for counts, known in ((first, base), (second, other)):
        if known is None or sum(counts[name] * rate for name, rate in found) != known * _TO_FINE:
            return None
    return found


def _total(quote: Quote, counts: dict[str, int]) -> Decimal | None:
    """What other counts would cost by the same quote, in US dollars."""
    nothing = {unit: count for unit, count in quote.quantities.items() if not count}
    used = {TOKENS[name]: count for name, count in counts.items()}
    return replace(quote, quantities={**nothing, **used}).total()


def _counts(used: Sequence[str], below: int, step: int) -> dict[str, int]:
    """Some number of each, no part more than its whole, and below the length at which prices change."""
    counts = {name: step + number for number, name in enumerate(used)}
    if "cache_write_tokens" in counts:
        counts["cache_write_tokens"] = step + sum(counts.get(name, 0) for name in _WRITTEN)
    for whole, parts in (("prompt_tokens", _INPUT), ("completion_tokens", _OUTPUT)):
        if whole in counts:
            counts[whole] = min(below - 2, 11 * step + sum(counts.get(name, 0) for name in parts))
    return counts


def _thresholds(quote: Quote) -> Iterator[int]:
    for price in vars(quote.price).values():
        for tier in getattr(price, "tiers", ()):
            yield tier.start


def _window(model: "ModelInfo", at: datetime) -> tuple[int, int] | None:
    """Between which moments the list says the same of the model; ``None`` where that goes by the hour."""
    since, until = 0, _FOR_EVER
    listed: list[Any] = [
        *(model.prices if isinstance(model.prices, list) else ()),
        *(model.price_variants or ()),
    ]
    for constraint in (entry.constraint for entry in listed if entry.constraint is not None):
        start = getattr(constraint, "start_date", None)
        if start is None:
            return None
        moment = round(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp() * 1000)
        if constraint.active(at):
            since = max(since, moment)
        else:
            until = min(until, moment)
    return since, until
