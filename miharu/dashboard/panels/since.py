"""What changed since the newest marker of the range, against as long a time before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.batch import Marker
from miharu.dashboard.address.view import View
from miharu.dashboard.charts.flags import HALF, SMALL, WIDE, flags
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.differences import Figure, differences
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.markers import markers_in
from miharu.dashboard.queries.together import together
from miharu.stores.base import Rated
from miharu.wording.numbers import UNKNOWN, duration_rough, rating_change

__all__ = ("Since", "flagged", "since")

_FIGURES = ("Cost per call", "p95", "Errors")
_SCORES = 3
FEW = 30
"""Calls on a side below which chance explains most changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The card."""

    marker: Marker
    ago: str
    figures: Sequence[Figure]
    few: int
    """Calls of the smaller side, where they are too few to tell."""
    compare: str
    """Where both times are laid side by side."""


async def flagged(view: View, site: Site, page: str) -> dict[str, Any]:
    """The flags on charts of each width, and how many markers there are."""
    window, found = view.window(site.clock()), await markers_in(view, site)

    def link(marker: Marker) -> str:
        return view.link(page, mark=marker.id, start=None, end=None, page=1, before=None)

    return {
        "flags": {
            name: flags(found, window, wide, link)
            for name, wide in (("wide", WIDE), ("half", HALF), ("small", SMALL))
        },
        "marked": len(found),
    }


async def since(view: View, site: Site) -> Since | None:
    """The card; ``None`` where no marker is in the range, or just now."""
    now = site.clock()
    window = view.window(now)
    marker = view.marked or next(iter(await markers_in(view, site)), None)
    end = min(window.end, now + 1)
    if marker is None or marker.timestamp >= end - 1:
        return None
    view = await within_reach(view, site)
    if view.since is not None:
        return None  # only a part of the range is looked through, and none of the time before
    at, length = marker.timestamp, end - marker.timestamp
    after, before = view.during(at, end), view.during(at - length, at)
    async with together() as ask:
        totals, totals_before = (ask(site.store.totals, query) for query in (after, before))
        latency, latency_before = (ask(site.store.latency, query) for query in (after, before))
        rated, rated_before = (ask(site.store.rated, query.start, query.end) for query in (after, before))
    figures = [
        figure
        for figure in differences(totals_before.value, totals.value, latency_before.value, latency.value)
        if figure.name in _FIGURES
    ]
    if not view.filters and not view.conditions:  # scores have no filters of calls
        figures += _scores(rated_before.value, rated.value)
    calls = min(totals.value.calls, totals_before.value.calls)
    return Since(
        marker=marker,
        ago=duration_rough(now - at),
        figures=figures,
        few=calls if calls < FEW else -1,
        compare=view.to("compare", mark=marker.id, start=None, end=None),
    )


def _scores(before: Mapping[str, Rated], after: Mapping[str, Rated]) -> list[Figure]:
    names = [name for name in after if name in before] or list(after)
    return [
        Figure(
            name=name,
            before=f"{before[name].mean:.2f}" if name in before else UNKNOWN,
            after=f"{after[name].mean:.2f}",
            change=rating_change(before[name].mean, after[name].mean) if name in before else "new",
        )
        for name in names[:_SCORES]
    ]
