"""The cost of a call by kind of token, with price, source and date."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from miharu.call import Call
from miharu.dashboard.queries.list_prices import list_prices
from miharu.wording.numbers import money, price

if TYPE_CHECKING:
    from miharu.pricing.explain import Explanation

__all__ = ("CostLine", "Costs", "costs")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    kind: str
    count: str
    price: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    lines: Sequence[CostLine]
    """Empty where the cost cannot be taken apart."""
    source: str
    """Where the cost comes from, and from which day its prices are."""
    page: str | None = None
    """Where those prices are published."""
    comment: str | None = None
    differs: str = ""
    """The cost by today's prices, where that differs."""


_STATED = {
    "provider": "The provider stated this cost itself.",
    "own": "By a price of your own, given to miharu.init(prices=…).",
    "gateway-cache": "{} answered out of its cache, so no provider was asked.",
}
_NOT_BILLED = {
    "refusal": "A refusal before any output is not billed.",
    "provider": "The provider says that it is not billed.",
}
"""What a ``cost_source`` means, by its first and its second part."""


async def costs(call: Call, why: str) -> Costs:
    """The parts; ``why`` says why there is no cost, if there is none."""
    if call.cost is None:
        return Costs(lines=(), source=why)
    source, _, narrow = call.cost.cost_source.partition(":")
    if source in _STATED:
        return Costs(lines=(), source=_STATED[source].format(narrow.capitalize() or "A gateway"))
    if source == "not-billed":
        return Costs(lines=(), source=_NOT_BILLED.get(narrow, "It is not billed."))
    version = call.cost.price_version or source
    guess = ", found by the model's name alone" if narrow == "model" else ""
    plain = Costs(lines=(), source=f"Price from {version}{guess}.")
    found = await _explained(call) if source == "genai-prices" else None
    if found is None:
        return plain
    if found.nanousd != call.cost.cost_nanousd:
        text = f"Recorded by {version}. The list in use, {found.source}, says {money(found.nanousd)}."
        return replace(plain, differs=text)
    place = f", {found.place}" if found.place else ""
    lines = [
        CostLine(
            kind=line.kind,
            count=f"{line.count:,f}",
            price=f"{price(line.price)} a {line.per}",
            cost=money(int(line.nanousd.quantize(Decimal(1)))),
        )
        for line in found.lines
    ]
    return Costs(
        lines=lines,
        source=f"{found.provider}'s price for {found.model} on {found.at.day} {found.at:%B %Y}, "
        f"by {found.source}{guess}{place}.",
        page=found.page,
        comment=found.comment,
    )


async def _explained(call: Call) -> "Explanation | None":
    prices = await list_prices()
    if prices is None:
        return None
    from miharu.pricing.explain import explain

    return explain(prices, call)
