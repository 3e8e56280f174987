"""Models whose calls used tokens and have no price, and how to give them one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from miharu.stores.base import Totals

__all__ = ("REMEDY", "Unpriced", "without_price")

REMEDY = 'miharu.init(prices={{"{}": miharu.Price(input=…, output=…)}}), in US dollars a million tokens'
"""With the name of a model: how to give it a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """One model without a price."""

    model: str
    calls: int
    """How many of its calls have no cost."""

    @property
    def remedy(self) -> str:
        """How to give it a price."""
        return REMEDY.format(self.model)


def without_price(
    models: Iterable[tuple[str | None, Totals]], is_listed: Callable[[str], bool]
) -> list[Unpriced]:
    """The models of which tokens are known and no call has a cost, the most used first.

    Args:
        models: Each with its sums.
        is_listed: Whether a list has a price for that model; then it is something else that its calls used.
    """
    found = [
        Unpriced(model=model, calls=totals.unpriced)
        for model, totals in models
        if model
        and totals.unpriced
        and totals.unpriced + totals.errors >= totals.calls
        and not totals.cost_nanousd
        and (totals.prompt_tokens or totals.completion_tokens)
        and not is_listed(model)
    ]
    return sorted(found, key=lambda one: (-one.calls, one.model))
