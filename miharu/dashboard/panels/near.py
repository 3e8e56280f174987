"""What is offered where nothing was found: the same question with a value that there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.near_values import NearValue, near_values
from miharu.conditions.counts import within
from miharu.conditions.fields import ERRORS
from miharu.conditions.writing import write_condition
from miharu.dashboard.address.view import FILTERS, View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.lookback import since_when
from miharu.stores.base import By, Query

__all__ = ("Offer", "offers")


@dataclass(frozen=True, slots=True)
class Offer:
    """A sentence, and where the calls are that it speaks of."""

    sentence: str
    text: str
    """The condition, as it is typed."""
    link: str


async def offers(view: View, site: Site) -> Sequence[Offer]:
    """Of each value that nothing has; to be asked for where nothing was found."""
    counted = [one for one in view.conditions if one.field == ERRORS.column]
    if counted and not within(counted, 0) and not within(counted, 1):
        text = write_condition(counted[0])
        sentence = (
            "A single call fails once or not at all. Users with so many errors (and models, routes, …):"
        )
        return [Offer(sentence, text, view.to("users"))]
    now = site.clock()
    window = view.window(now)

    async def reach(query: Query, by: By) -> Query:
        since = await since_when(query, window, site, by)
        return query if since is None else replace(query, start=max(since, query.start))

    return [
        Offer(one.sentence, write_condition(one.instead), view.to("calls", **_changes(view, one)))
        for one in await near_values(site.store, view.query(now), reach)
    ]


def _changes(view: View, near: NearValue) -> dict[str, Any]:
    """What changes in a view, so that it asks for what there is."""
    if near.asked in view.conditions:
        others = tuple(one for one in view.conditions if one != near.asked)
        return {"conditions": (*others, near.instead)}
    name = next(name for name, column in FILTERS.items() if column == near.asked.field)
    return {name: None, "conditions": (*view.conditions, near.instead)}
