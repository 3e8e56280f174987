"""How good the answers were: the scores of one name over time, and beside each model, route or user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.charts.grid import scores_in
from miharu.dashboard.charts.mean import mean_chart
from miharu.dashboard.charts.plot import Twin
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import By, ScoreSum
from miharu.wording.numbers import count, rating

__all__ = ("NO_SCORES", "ScoresOf", "lowest_first", "scores", "scores_of", "shown_name")

_TABS = 6
"""Names that can be chosen from: those with the most scores."""


@dataclass(frozen=True, slots=True)
class ScoresOf:
    """The scores of a table: of one name, by the keys of its rows."""

    name: str = ""
    sums: Mapping[str | None, ScoreSum] = field(default_factory=dict)
    all: ScoreSum | None = None
    """Of all calls, those in other rows included."""


NO_SCORES = ScoresOf()


def shown_name(view: View, names: Mapping[str, int]) -> str | None:
    """The name that is asked for, or the one with the most scores; ``None`` where there are none."""
    return view.score if view.score in names else next(iter(names), None)


def lowest_first(view: View, name: str) -> str:
    """The calls with the lowest scores of that name."""
    return view.to("calls", sort=f"score:{name}")


async def scores_of(view: View, site: Site, by: By, keys: Sequence[str | None]) -> ScoresOf:
    """What is said of each of these keys; nothing where there are no scores."""
    query = view.query(site.clock())
    names = await site.store.score_names(query)
    name = shown_name(view, names)
    if name is None or not keys:
        return NO_SCORES
    async with together() as ask:
        found = ask(site.store.score_sums, query, name, by, tuple(keys))
        whole = ask(site.store.score_sums, query, name)
    return ScoresOf(name, {one.key: one for one in found.value}, next(iter(whole.value), None))


async def scores(view: View, site: Site) -> dict[str, Any]:
    """The card of the overview; ``None`` where no call of the range has a score."""
    now = site.clock()
    query, window = view.query(now), view.window(now)
    names = await site.store.score_names(query)
    name = shown_name(view, names)
    if name is None:
        return {"score": None}
    async with together() as ask:
        whole = ask(site.store.score_sums, query, name)
        before = ask(site.store.score_sums, view.previous(now), name)
        steps = ask(scores_in, site.store, window, query, name)
    rows = [
        (t, [count(one.number) if one else "0", rating(one.mean if one else None)])
        for t, one in zip(window.times, steps.value, strict=True)
    ]
    tabs = list(names)[:_TABS]
    return {
        "score": next(iter(whole.value), None),
        "score_before": next(iter(before.value), None),
        "score_name": name,
        "score_names": tabs if name in tabs else [*tabs[:-1], name],
        "score_chart": mean_chart(window.edges, steps.value, name=name, ticks=window.ticks),
        "score_twin": Twin(("Scored", "Mean"), rows),
        "score_lowest": lowest_first(view, name),
    }
