"""What the filter form offers: the values that occur in the window."""

from collections.abc import Mapping, Sequence
from functools import partial

from miharu.dashboard.address.view import FILTERS, View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.cache import kept
from miharu.dashboard.queries.together import together
from miharu.stores.base import Dimension, Query, Questions

__all__ = ("OFFERED", "choices")

_DIMENSIONS: Mapping[str, Dimension] = {
    "model": "model",
    "provider": "provider",
    "route": "route",
    "user": "user_id",
    "service": "service",
    "prompt": "prompt_name",
}
OFFERED = tuple(_DIMENSIONS)
_MOST = 100


async def choices(view: View, site: Site) -> dict[str, Sequence[str]]:
    """Values of each filter, most expensive first; the one that is set is always among them."""
    window = view.window(site.clock())
    everything = Query(start=window.start, end=window.end)
    found = await kept(site, everything, partial(_occurring, site.store, everything))
    offered: dict[str, Sequence[str]] = {}
    for name in FILTERS:
        if name == "status":  # of which there are three, whatever was called
            continue
        keys = found.get(name, ())
        chosen = view.filters.get(name)
        if keys or chosen:
            offered[name] = keys if chosen is None or chosen in keys else [chosen, *keys]
    return offered


async def _occurring(store: Questions, query: Query) -> Mapping[str, Sequence[str]]:
    async with together() as ask:
        found = {name: ask(store.ranks, query, dimension) for name, dimension in _DIMENSIONS.items()}
    offered = {name: [key for key in answer.value.keys if key][:_MOST] for name, answer in found.items()}
    return {name: keys for name, keys in offered.items() if keys}
