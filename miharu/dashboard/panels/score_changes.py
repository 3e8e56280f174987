"""The scores of two periods: the mean of each name, and of one of them beside each model, route or user."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.groups import dimension
from miharu.dashboard.panels.scores import shown_name
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together
from miharu.stores.base import ScoreSum
from miharu.wording.numbers import UNKNOWN, rating_change

__all__ = ("ScoreChange", "ScoreChanges", "score_changes")

_MOST = 6
"""Names: those with the most scores. Each is a question for either period."""


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """Scores of one name, before and after."""

    name: str
    before: ScoreSum | None
    after: ScoreSum | None

    @property
    def change(self) -> str:
        if self.before is None or self.after is None:
            return UNKNOWN
        return rating_change(self.before.mean, self.after.mean)


@dataclass(frozen=True, slots=True)
class ScoreChanges:
    """Each name, those with the most scores first, and of one of them the scores by key."""

    names: Sequence[ScoreChange] = ()
    more: int = 0
    """Names that are not among these."""
    shown: str = ""
    by_key: Mapping[str | None, ScoreChange] = field(default_factory=dict)


async def score_changes(view: View, site: Site, other: Window, keys: Sequence[str | None]) -> ScoreChanges:
    """The scores of the view and of the other period; of these keys those of the name that is shown."""
    now = site.clock()
    reached = await within_reach(view, site, dimension(view.by))
    periods = [[one.during(other.start, other.end), one.query(now)] for one in (view, reached)]
    async with together() as ask:
        numbers = [ask(site.store.score_names, query) for query in periods[0]]
    counted = Counter(numbers[0].value) + Counter(numbers[1].value)
    names = dict(counted.most_common())
    shown = shown_name(view, names)
    if shown is None:
        return ScoreChanges()
    most = list(names)[:_MOST]
    listed = most if shown in most else [*most[:-1], shown]
    async with together() as ask:
        means = [[ask(site.store.score_sums, query, name) for query in periods[0]] for name in listed]
        by_key = [
            ask(site.store.score_sums, query, shown, dimension(view.by), tuple(keys)) for query in periods[1]
        ]
    sides = [{one.key: one for one in side.value} for side in by_key]
    return ScoreChanges(
        names=[
            ScoreChange(name, *(next(iter(side.value), None) for side in both))
            for name, both in zip(listed, means, strict=True)
        ],
        more=len(names) - len(listed),
        shown=shown,
        by_key={key: ScoreChange(shown, *(side.get(key) for side in sides)) for key in keys},
    )
