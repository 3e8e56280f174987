"""The figures above the users, or the values of a tag: how many there are, and how the cost is spread."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.figures import Card, Delta
from miharu.dashboard.panels.who import Kind, grown
from miharu.dashboard.queries.cache import kept
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query, RankOrder, Ranks, Totals
from miharu.wording.numbers import UNKNOWN, count, counted, money, money_parts, percent

__all__ = ("who_figures",)

_TOP = 10


@dataclass(frozen=True, slots=True)
class _Spread:
    """Of one period."""

    number: int
    """Of those with a name."""
    top: int
    """What the most expensive of them cost, in nano-dollars."""
    unnamed: Totals
    whole: Totals


async def who_figures(view: View, site: Site, kind: Kind) -> tuple[int, Sequence[Card]]:
    """How many have a name, and four figures; none where nobody has one. They may be a minute old."""
    name = ("who", kind.by, view.link("users", **_AS_FIRST), view.zone.name, view.since)
    return await kept(site, name, lambda: _figures(view, site, kind)) or (0, ())


_AS_FIRST = {"sort": None, "match": None, "page": 1, "measure": "cost", "score": None}
"""What makes no difference to the figures."""


async def _figures(view: View, site: Site, kind: Kind) -> tuple[int, Sequence[Card]] | None:
    now = site.clock()
    query, before = view.query(now), view.previous(now)
    only_new = RankOrder(only_new=True, against=(before.start, before.end))
    async with together() as ask:
        asked = ask(_spread, site, query, kind)
        asked_before = ask(_spread, site, before, kind)
        new = ask(site.store.ranks, query, kind.by, 1, 0, order=only_new)
    spread, then = asked.value, asked_before.value
    if not spread.number:
        return None
    median = await _median(site, query, kind, spread)
    return spread.number, (
        _cost(spread, then, kind),
        _number(spread, then, new.value, kind),
        Card(
            id="median",
            label=f"Median {_word(kind)}",
            value=money(median.cost_nanousd) if median.calls > median.unpriced else UNKNOWN,
            notes=[(counted(median.calls, "call"), "")],
        ),
        *_top(spread, then, kind),
    )


async def _spread(site: Site, query: Query, kind: Kind) -> _Spread:
    async with together() as ask:
        first = ask(site.store.ranks, query, kind.by, _TOP + 1)
        whole = ask(site.store.totals, query)
    keys = (*(key for key in first.value.keys if key is not None), None)
    groups = await site.store.groups(query, kind.by, None, keys, timed=False)
    sums = {group.key: group.totals for group in groups}
    unnamed = sums.get(None, Totals())
    return _Spread(
        number=first.value.whole - bool(unnamed.calls),
        top=sum(sums[key].cost_nanousd for key in keys[:_TOP] if key in sums and key is not None),
        unnamed=unnamed,
        whole=whole.value,
    )


async def _median(site: Site, query: Query, kind: Kind, spread: _Spread) -> Totals:
    """Of the one in the middle, by cost: half of the others cost as much or less."""
    ranks = await site.store.ranks(query, kind.by, 2, spread.number // 2)
    groups = await site.store.groups(query, kind.by, None, tuple(ranks.keys), timed=False)
    sums = {group.key: group.totals for group in groups}
    named = [sums[key] for key in ranks.keys if key is not None and key in sums]
    if len(named) < 2:
        return named[0] if named else Totals()
    # calls without a name have a place among them, too: is it before this one?
    stand_before = (spread.unnamed.cost_nanousd, spread.unnamed.calls) >= (
        named[0].cost_nanousd,
        named[0].calls,
    )
    return named[1] if stand_before and spread.unnamed.calls else named[0]


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


def _number(now: _Spread, before: _Spread, new: Ranks, kind: Kind) -> Card:
    moved, gone = now.number - before.number, before.number + new.whole - now.number
    notes = [(f"{count(new.whole)} new", ""), (f"{count(gone)} gone quiet", "")] if before.whole.calls else []
    return Card(
        id="number",
        label=f"{_word(kind).capitalize()}s",
        value=count(now.number),
        delta=Delta(moved > 0, count(abs(moved))) if moved and before.whole.calls else None,
        notes=notes,
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
