"""What the filter form offers: the values that occur in the range."""

from miharu.dashboard.page import Site
from miharu.dashboard.query import View
from miharu.stores.base import Dimension, Query

__all__ = ("choices",)

_DIMENSIONS: tuple[Dimension, ...] = ("model", "provider", "route")
_MOST = 200


async def choices(view: View, site: Site) -> dict[str, list[str]]:
    """Values of each filter, most expensive first; the one that is set is always among them."""
    query = view.query(site.clock())
    everything = Query(start=query.start, end=query.end)
    offered: dict[str, list[str]] = {}
    for dimension in _DIMENSIONS:
        keys = [group.key for group in await site.store.groups(everything, dimension) if group.key][:_MOST]
        chosen = view.filters.get(dimension)
        offered[dimension] = keys if chosen is None or chosen in keys else [chosen, *keys]
    return offered
