"""What models cost, compiled once into whole numbers for each token, so that most calls need no list.

A plan (``plan.py``) knows the moment at which the list changes, and the length of a prompt from which another
price holds. It is checked against the long way when it is made. All that does not fit goes the long way:
fees, sizes, prices by the hour, unknown kinds of usage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from miharu.call import Call, Cost
from miharu.pricing.billing.bill import bill_of
from miharu.pricing.billing.tokens import TOKENS
from miharu.pricing.genai import GenaiPrices, Quote
from miharu.pricing.plans.plan import FINE, NAMES, Key, Plan, key_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

__all__ = ("PlannedPrices",)

_MOST_PLANS = 2048
_TO_FINE = Decimal(10**9 * FINE)
_FOR_EVER = 1 << 62

_INPUT = ("cached_tokens", "cache_write_tokens", "audio_input_tokens", "image_input_tokens")
_OUTPUT = ("reasoning_tokens", "audio_output_tokens", "image_output_tokens")
_WRITTEN = ("cache_write_5m_tokens", "cache_write_1h_tokens")


class PlannedPrices:
    """The built-in prices by plans, where there is one."""

    def __init__(self, prices: GenaiPrices) -> None:
        self._prices = prices
        self._snapshot = prices.snapshot
        self._plans: dict[Key, Plan | None] = {}

    @property
    def plans(self) -> dict[Key, Plan]:
        """The plans that were made."""
        return {key: plan for key, plan in self._plans.items() if plan is not None}

    def cost(self, call: Call) -> Cost | None:
        """The cost of the call, the same as ``GenaiPrices`` gives."""
        key = key_of(call)
        if key is None:
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
        if plan is None or not plan.holds(call):
            return self._prices.cost(call)
        return plan.cost(call.usage)


def _compiled(prices: GenaiPrices, call: Call) -> Plan | None:
    """The plan for calls like this one; ``None`` where they have to go the long way."""
    expected, quote = prices.cost(call), _only_quote(prices, call)
    if expected is None or quote is None or expected.price_version != prices.version:
        return None
    window = _window(quote.model, quote.at)
    below = min(_thresholds(quote), default=_FOR_EVER)
    rates = _rates(quote, [name for name in NAMES if getattr(call.usage, name)], below)
    if window is None or rates is None:
        return None
    plan = Plan(tuple(rates), quote.source, prices.version, *window, below)
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
    counted = {TOKENS[name]: count for name in NAMES if (count := getattr(call.usage, name))}
    paid = {unit: count for unit, count in quotes[0].quantities.items() if count}
    return quotes[0] if paid == counted else None


def _rates(quote: Quote, used: Sequence[str], below: int) -> list[tuple[str, int]] | None:
    """The price of one more token of each kind; ``None`` where that is not constant."""
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
