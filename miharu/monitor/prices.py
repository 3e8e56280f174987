"""The prices of a process."""

from collections.abc import Mapping

from miharu._guard import swallowed
from miharu.config import Config
from miharu.pricing.base import Prices
from miharu.pricing.updates import Updates

__all__ = ("prices_of",)


def prices_of(config: Config, updates: Updates | None = None) -> Prices | None:
    """Prices of the host's own, the built-in ones, or the one on top of the other."""
    own = config.prices
    if own is not None and not isinstance(own, Mapping):
        return own
    built_in = _built_in_prices(updates)
    if not own:
        return built_in
    from miharu.pricing.own import OwnPrices

    return OwnPrices(own, built_in)


def _built_in_prices(updates: Updates | None) -> Prices | None:
    try:
        from miharu.pricing.genai import GenaiPrices
        from miharu.pricing.plans.planned import PlannedPrices

        prices = PlannedPrices(GenaiPrices())
        if updates is not None:
            updates.start()
    except Exception:  # noqa: BLE001 - a call without a price is better than none
        swallowed("loading the prices")
        return None
    return prices
