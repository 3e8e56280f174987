"""The figures above the users, or the values of a tag: how many there are, and how the cost is spread."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.figures import Card, Delta
from miharu.dashboard.panels.who import Kind, grown, ranking
from miharu.dashboard.queries.cache import kept
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query, Totals
from miharu.wording.numbers import UNKNOWN, count, counted, money, money_parts, percent

__all__ = ("who_figures",)

_TOP = 10


@dataclass(frozen=True, slots=True)
class _Spread:
    """Of one period."""

    ranked: Sequence[str]
    """Those with a name, the most expensive first, as many as are looked at."""
    number: int
    """Of all with a name."""
    top: int
    """What the most expensive of them cost, in nano-dollars."""
    median: Totals
    """Of the one in the middle, by cost: half of the others cost as much or less."""
    unnamed: Totals
    whole: Totals

    @property
    def is_complete(self) -> bool:
        return len(self.ranked) == self.number


async def who_figures(view: View, site: Site, kind: Kind) -> tuple[int, Sequence[Card]]:
    """How many have a name, and four figures; none where nobody has one. They may be a minute old."""
    name = ("who", kind.by, view.link("users", **_AS_FIRST), view.zone.name, view.since)
    return await kept(site, name, lambda: _figures(view, site, kind)) or (0, ())


_AS_FIRST = {"sort": None, "match": None, "page": 1, "measure": "cost", "score": None}
"""What makes no difference to the figures."""


async def _figures(view: View, site: Site, kind: Kind) -> tuple[int, Sequence[Card]] | None:
    now = site.clock()
    async with together() as ask:
        asked = ask(_spread, site, view.query(now), kind)
        asked_before = ask(_spread, site, view.previous(now), kind)
    spread, then = asked.value, asked_before.value
    if not spread.number:
        return None
    cards = (_cost(spread, then, kind), _number(spread, then, kind), _median(spread, kind))
    return spread.number, (*cards, *_top(spread, then, kind))


async def _spread(site: Site, query: Query, kind: Kind) -> _Spread:
    async with together() as ask:
        ranks = ask(ranking, site, query, kind)
        whole = ask(site.store.totals, query)
    ranked = [key for key in ranks.value.keys if key is not None]
    are_all = len(ranks.value.keys) == ranks.value.whole
    top, middle = ranked[:_TOP], ranked[len(ranked) // 2 :][:1] if are_all else []
    groups = await site.store.groups(
        query, kind.by, None, (*dict.fromkeys([*top, *middle]), None), timed=False
    )
    sums = {group.key: group.totals for group in groups}
    unnamed = sums.get(None, Totals())
    return _Spread(
        ranked=ranked,
        number=ranks.value.whole - bool(unnamed.calls),
        top=sum(sums[key].cost_nanousd for key in top if key in sums),
        median=next((sums[key] for key in middle if key in sums), Totals()),
        unnamed=unnamed,
        whole=whole.value,
    )


def _word(kind: Kind) -> str:
    return "user" if kind.page == "users" else "value"


def _cost(now: _Spread, before: _Spread, kind: Kind) -> Card:
    value, cents = money_parts(now.whole.cost_nanousd)
    share = percent(now.unnamed.cost_nanousd, now.whole.cost_nanousd)
    notes = [(f"{share} of it with {kind.none}", "")] if now.unnamed.cost_nanousd else []
    if now.whole.unpriced and not now.whole.cost_nanousd:
        value, cents = UNKNOWN, ""
    return Card(
        id="cost",
        label="Cost",
        value=value,
        cents=cents,
        delta=grown(now.whole.cost_nanousd, before.whole.cost_nanousd),
        notes=notes,
    )


def _number(now: _Spread, before: _Spread, kind: Kind) -> Card:
    moved, notes = now.number - before.number, []
    if before.whole.calls and now.is_complete and before.is_complete:
        names, known = set(now.ranked), set(before.ranked)
        notes = [(f"{count(len(names - known))} new", ""), (f"{count(len(known - names))} gone quiet", "")]
    return Card(
        id="number",
        label=f"{_word(kind).capitalize()}s",
        value=count(now.number),
        delta=Delta(moved > 0, count(abs(moved))) if moved and before.whole.calls else None,
        notes=notes,
    )


def _median(now: _Spread, kind: Kind) -> Card:
    is_known = now.median.calls > now.median.unpriced
    return Card(
        id="median",
        label=f"Median {_word(kind)}",
        value=money(now.median.cost_nanousd) if is_known else UNKNOWN,
        notes=[(counted(now.median.calls, "call"), "")] if now.median.calls else [],
    )


def _top(now: _Spread, before: _Spread, kind: Kind) -> Sequence[Card]:
    """Where there are more than these, and a cost."""
    if now.number <= _TOP or not now.whole.cost_nanousd:
        return ()
    share = 100 * now.top / now.whole.cost_nanousd
    delta = None
    if before.number > _TOP and before.whole.cost_nanousd:
        points = round(share - 100 * before.top / before.whole.cost_nanousd)
        delta = Delta(points > 0, counted(abs(points), "point")) if points else None
    return (
        Card(
            id="top",
            label=f"Top {_TOP} {_word(kind)}s",
            value=percent(now.top, now.whole.cost_nanousd).removesuffix("%"),
            unit="%",
            delta=delta,
            notes=[("of the cost", "")],
        ),
    )
