"""Where a monitor's calls go: the store, its prices and exporters. To be made on the worker's thread."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from miharu import _guard, plugins
from miharu.config import NOWHERE, Config
from miharu.pricing.base import Prices
from miharu.recorder.pipeline import Outlet

if TYPE_CHECKING:
    from miharu.pricing.updates import Updates
    from miharu.stores.base import Store

__all__ = ("outlet_for",)


def outlet_for(
    config: Config, store_point: plugins.Point, *, read_only: bool, updates: "Updates | None" = None
) -> Outlet:
    """Import what it takes, half a second's work; nothing is open yet."""
    store: Callable[..., Store] = store_point.load()
    make = partial(store, config.database, read_only=read_only)
    if config.tag_sums:  # a store of somebody else's has to know of it only where it is asked for
        make = partial(make, tag_sums=config.tag_sums)
    if read_only:
        return Outlet(make)
    points = () if config.database == NOWHERE else plugins.installed("miharu.exporters")
    exporters = [exporter() for _, exporter in plugins.load(points)]
    return Outlet(make, _prices(config, updates), [*config.exporters, *exporters])


def _prices(config: Config, updates: "Updates | None") -> Prices | None:
    """Prices of the host's own, the built-in ones, or the one on top of the other."""
    own = config.prices
    if own is not None and not isinstance(own, Mapping):
        return own
    built_in = _built_in_prices(updates)
    if not own:
        return built_in
    from miharu.pricing.own import OwnPrices

    return OwnPrices(own, built_in)


def _built_in_prices(updates: "Updates | None") -> Prices | None:
    try:
        from miharu.pricing.genai import GenaiPrices
        from miharu.pricing.plans import PlannedPrices

        prices = PlannedPrices(GenaiPrices())
        if updates is not None:
            updates.start()
    except Exception:  # noqa: BLE001 - a call without a price is better than none
        _guard.swallowed("loading the prices")
        return None
    return prices
