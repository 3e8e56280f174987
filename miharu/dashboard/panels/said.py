"""Who said the words that are searched for, in how many calls, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.charts.grid import sums_in
from miharu.dashboard.charts.plot import Twin
from miharu.dashboard.charts.stack import Series, stack
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query
from miharu.stores.words import FOUND, Role
from miharu.wording.numbers import compact, count

__all__ = ("said",)

_SPEAKERS: Mapping[Role | None, str] = {
    None: "anyone",
    "user": "user",
    "assistant": "assistant",
    "tool": "tools",
    "system": "system",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    role: Role | None
    label: str
    calls: str
    """In how many calls all the words are theirs; with a plus where not all were looked through."""
    link: str


async def said(view: View, site: Site) -> Mapping[str, Any]:
    """The speakers with their calls, and a chart of the calls that the page lists; nothing without words."""
    if not view.words:
        return {}
    now = site.clock()
    window, query = view.window(now), view.query(now)
    words = Query(start=query.start, end=query.end, words=view.words)
    async with together() as ask:
        steps = ask(sums_in, site.store, window, query)
        found = {role: ask(site.store.totals, replace(query, said_by=role)) for role in _SPEAKERS}
        # without another filter these are the same questions, which are asked once
        everywhere = {role: ask(site.store.totals, replace(words, said_by=role)) for role in _SPEAKERS}
    bounded = {role for role, totals in everywhere.items() if totals.value.calls >= FOUND}
    calls = [totals.calls for totals in steps.value.get(None, ())]
    chart = stack(
        window.edges,
        [Series("calls", "heard", calls)] if any(calls) else [],
        None,
        unit="calls",
        ticks=window.ticks,
        label=compact,
    )
    twin = Twin(("Calls",), [(t, [count(one)]) for t, one in zip(window.times, calls, strict=False)])
    return {
        "speakers": [
            Speaker(
                role,
                label,
                f"{count(found[role].value.calls)}{'+' if role in bounded else ''}",
                view.link("calls", said=role, before=None, sel=None),
            )
            for role, label in _SPEAKERS.items()
        ],
        "looked_through": FOUND if view.said in bounded else None,
        "said_chart": chart if found[None].value.calls else None,
        "said_twin": twin,
    }
