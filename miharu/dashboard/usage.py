"""Who used it: the routes by cost, and the usage table by model, provider or route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.dashboard.colors import Palette, maker, provider_name
from miharu.dashboard.page import Site
from miharu.dashboard.query import Breakdown, View
from miharu.dashboard.rows import split_route
from miharu.stores.base import Group, Latency, Totals

__all__ = ("Route", "Usage", "usage")

_ROUTES = 5
_ROWS = 30
_NONE: Mapping[Breakdown, str] = {
    "model": "unknown model",
    "provider": "unknown provider",
    "route": "outside a request",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    path: str
    link: str | None
    totals: Totals
    latency: Latency
    share: float
    """Percent of the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    name: str
    note: str
    css: str
    link: str | None
    """Where the page shows this only; ``None`` where no filter can say it."""
    totals: Totals
    latency: Latency
    spark: tuple[str, str]
    share: float
    """Percent of all cost; of all calls where nothing has a cost."""


async def usage(
    view: View, site: Site, colors: Palette, sparks: Mapping[str | None, tuple[str, str]]
) -> dict[str, Any]:
    """Everything the two panels show; ``sparks`` are the small lines, by key."""
    query = view.query(site.clock())
    routes = await site.store.groups(query, "route")
    groups = routes if view.by == "route" else await site.store.groups(query, view.by)
    cost = sum(group.totals.cost_nanousd for group in groups)
    calls = sum(group.totals.calls for group in groups)
    table = [
        Usage(
            name=_name(group.key, view.by),
            note=maker(group.key) if view.by == "model" else "",
            css=_css(group.key, view.by, colors),
            link=view.link("", **{view.by: group.key}) if group.key else None,
            totals=group.totals,
            latency=group.latency,
            spark=sparks.get(group.key, ("", "")),
            share=100 * group.totals.cost_nanousd / cost if cost else 100 * group.totals.calls / (calls or 1),
        )
        for group in groups[:_ROWS]
    ]
    return {
        "routes": _routes(routes[:_ROUTES], view),
        "route_count": len(routes),
        "usage": table,
        "usage_more": max(0, len(groups) - _ROWS),
        "share_of": "cost" if cost else "calls",
    }


def _routes(groups: Sequence[Group], view: View) -> list[Route]:
    most = max((group.totals.cost_nanousd for group in groups), default=0)
    busiest = max((group.totals.calls for group in groups), default=0) or 1
    made = []
    for group in groups:
        method, path = split_route(group.key)
        totals = group.totals
        made.append(
            Route(
                method=method,
                path=path or _NONE["route"],
                link=view.link("", route=group.key) if group.key else None,
                totals=totals,
                latency=group.latency,
                share=100 * totals.cost_nanousd / most if most else 100 * totals.calls / busiest,
            )
        )
    return made


def _name(key: str | None, by: Breakdown) -> str:
    if key is None:
        return _NONE[by]
    return provider_name(key) if by == "provider" else key


def _css(key: str | None, by: Breakdown, colors: Palette) -> str:
    if by == "route":
        return ""
    return colors.model(key) if by == "model" else colors.provider(key)
