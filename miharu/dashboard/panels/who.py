"""Who it was: a page of the users, or of a tag's values, in any order, each against the time before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from miharu.dashboard.address.ranges import DAY, HOUR
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.charts.grid import sums_in
from miharu.dashboard.charts.spark import spark
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.figures import Delta
from miharu.dashboard.panels.scores import scores_of
from miharu.dashboard.panels.sparks import Spark
from miharu.dashboard.panels.spend import measured
from miharu.dashboard.panels.tables import Column, usd
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together
from miharu.stores.base import By, ByTag, Group, Latency, Query, RankedBy, RankOrder, Ranks, ScoreSum, Totals
from miharu.wording.names import UNKNOWN

__all__ = (
    "SORTS",
    "TIMED",
    "Kind",
    "WhoRow",
    "columns",
    "each",
    "grown",
    "headed",
    "listed",
    "ranking",
    "row_of",
    "rows_of",
)

SHOWN = 20
"""Rows of a page: what is not drawn is not asked for."""
RANKED = 10_000
"""The most expensive, among whom the one in the middle is looked for, and who is new or gone."""
SORTS: Mapping[str, tuple[str, str]] = {
    "": ("All", "most cost first"),
    "moved": ("Moved most", "most money more or less than before, first"),
    "failing": ("Failing", "most errors first"),
    "new": ("New", "no call in the time before; most cost first"),
}
"""Orders with a name: what they are called, and what comes first."""
_COLUMNS: Mapping[str, RankedBy] = {
    "cost_usd": "cost_nanousd",
    "calls": "calls",
    "each_usd": "each",
    "name": "key",
    "errors": "errors",
    "seen": "last",
}
_P95 = "p95_ms"
_TIMED_AT_MOST = 50
"""How many, those that cost most, are put in order by their times: those of all would be too much to read."""
TIMED = 7 * DAY
"""How far back the calls of users are timed: there may be as many durations as there are calls."""
_LOUD = 1.0
"""Growth that is worth a colour: twice as much as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Users, or the values of one tag."""

    page: Literal["users", "tags"]
    by: By
    word: str
    """What one of them is called."""
    none: str
    """What stands for calls that name none."""

    @classmethod
    def of_users(cls) -> "Kind":
        return cls(page="users", by="user_id", word="user", none=UNKNOWN["user"])

    @classmethod
    def of_tag(cls, name: str) -> "Kind":
        return cls(page="tags", by=ByTag(name), word=name, none=f"no {name}")

    def link(self, view: View, key: str | None) -> str | None:
        """The page of one of them."""
        if key is None:
            return None
        if isinstance(self.by, ByTag):
            return view.to("tags", name=self.by.name, tag=f"{self.by.name}={key}")
        return view.to("users", user=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoRow:
    """One of them."""

    key: str | None
    name: str
    link: str | None
    totals: Totals
    share: float
    """Percent of all cost; of all calls where nothing has a cost."""
    before: Totals = field(default_factory=Totals)
    """Of the time before."""
    latency: Latency = field(default_factory=Latency)
    spark: Spark = ("", "")
    seen: tuple[int, bool] | None = None
    """Since when the last call is, and whether that is known to the hour; ``None`` where it is not."""
    score: ScoreSum | None = None
    """Of the scores that the table shows."""

    @property
    def is_new(self) -> bool:
        return self.key is not None and bool(self.totals.calls) and not self.before.calls

    @property
    def grown(self) -> Delta | None:
        """How much the cost changed."""
        return grown(self.totals.cost_nanousd, self.before.cost_nanousd)

    @property
    def each(self) -> int | None:
        return each(self.totals)


def each(totals: Totals) -> int | None:
    """Nano-dollars per call with a price; ``None`` where there is none."""
    priced = totals.calls - totals.unpriced
    return round(totals.cost_nanousd / priced) if priced > 0 and totals.cost_nanousd else None


def grown(now: int | None, before: int | None) -> Delta | None:
    """A change in percent; red only where it became more than twice as much. ``None`` of nothing."""
    if not before or now is None:
        return None
    change = now / before - 1
    if abs(change) < 0.005:
        return Delta(up=True, text="0%")
    text = f"{now / before:.0f} times" if change >= 10 else f"{abs(change):.0%}"
    return Delta(up=change > 0, text=text, bad=change >= _LOUD)


def order_of(view: View, earlier: tuple[int, int]) -> tuple[RankOrder, str]:
    """The order that the address asks for, and its name; what it does not understand is the first of all."""
    wanted = view.sort or ""
    if wanted == "moved":
        return RankOrder(by="moved", against=earlier, matching=view.match), wanted
    if wanted == "new":
        return RankOrder(only_new=True, against=earlier, matching=view.match), wanted
    if wanted == "failing":
        return RankOrder(by="calls", matching=view.match), wanted
    if wanted.removeprefix("-") == _P95:
        return RankOrder(matching=view.match), wanted
    column = _COLUMNS.get(wanted.removeprefix("-"))
    if column is None:
        return RankOrder(matching=view.match), "-cost_usd"
    return RankOrder(by=column, descending=wanted.startswith("-"), matching=view.match), wanted


async def listed(view: View, site: Site, kind: Kind, *, most: int = SHOWN, number: int = 1) -> dict[str, Any]:
    """A page of them, and how many there are."""
    by_errors = (view.sort or "").removeprefix("-") in {"errors", "failing"} or bool(view.group_errors)
    by_errors = by_errors and view.status is None
    narrowest = await within_reach(replace(view, status="error") if by_errors else view, site, kind.by)
    reached = replace(view, since=narrowest.since)
    now = site.clock()
    query = reached.query(now)
    before = reached.previous(now)
    order, sort = order_of(reached, (before.start, before.end))
    order = replace(order, errors=view.group_errors)
    ranked = _failed(query) if sort == "failing" else query
    part = (most, (number - 1) * most)
    by_times = sort.removeprefix("-") == _P95 and most == SHOWN
    async with together() as ask:
        if by_times:
            asked = ask(_by_times, site, query, kind, order, descending=sort.startswith("-"))
        else:
            asked = ask(_ranks, site, ranked, kind, order, part)
        totals = ask(site.store.totals, query)
        totals_before = ask(site.store.totals, before)
    ranks = asked.value
    if by_times:
        ranks = replace(ranks, keys=ranks.keys[part[1] :][: part[0]])
    keys = tuple(ranks.keys)
    async with together() as ask:
        made = ask(rows_of, reached, site, kind, keys, totals.value, drawn=most == SHOWN)
        scores = ask(scores_of, reached, site, kind.by, keys)
    rows = [replace(row, score=scores.value.sums.get(row.key)) for row in made.value]
    return {
        "kind": kind,
        "rows": rows,
        "scores": scores.value,
        "whole": ranks.whole,
        "first": (number - 1) * most + 1,
        "size": most,
        "sort": sort,
        "timed": _TIMED_AT_MOST if by_times and ranks.whole == _TIMED_AT_MOST else None,
        "sum": totals.value,
        "sum_before": totals_before.value,
        "timed_since": _timed_since(query, kind),
        "since": reached.since if reached != view else None,
    }


def _failed(query: Query) -> Query | None:
    return replace(query, status="error") if query.status in {None, "error"} else None


async def ranking(site: Site, query: Query, kind: Kind) -> Ranks:
    """The most expensive: a question that the table and the figures above it share."""
    return await site.store.ranks(query, kind.by, RANKED)


async def _ranks(
    site: Site, query: Query | None, kind: Kind, order: RankOrder, part: tuple[int, int]
) -> Ranks:
    if query is None:  # of calls that ended otherwise none failed
        return Ranks(keys=(), whole=0)
    most, first = part
    if order == RankOrder() and most == SHOWN and first + most <= RANKED:
        ranks = await ranking(site, query, kind)
        return replace(ranks, keys=ranks.keys[first : first + most])
    return await site.store.ranks(query, kind.by, most, first, order=order)


async def _by_times(site: Site, query: Query, kind: Kind, order: RankOrder, *, descending: bool) -> Ranks:
    """Those that cost most, by their p95; what is not known comes last in either direction."""
    ranks = await site.store.ranks(query, kind.by, _TIMED_AT_MOST, 0, order=order)
    times = await site.store.latencies(_timed(query, kind), kind.by, tuple(ranks.keys))
    known = {key: ms for key in ranks.keys if (ms := times.get(key, Latency()).p95_ms) is not None}
    keys = sorted(known, key=lambda key: known[key], reverse=descending)
    return Ranks(keys=(*keys, *(key for key in ranks.keys if key not in known)), whole=len(ranks.keys))


async def rows_of(
    view: View, site: Site, kind: Kind, keys: tuple[str | None, ...], whole: Totals, *, drawn: bool = True
) -> list[WhoRow]:
    """The rows of those keys, in their order; without what is only drawn, for a file of many."""
    now = site.clock()
    query, before = view.query(now), view.previous(now)
    timed = _timed(query, kind)
    async with together() as ask:
        groups = ask(site.store.groups, query, kind.by, None, keys, timed=False)
        earlier = ask(site.store.groups, before, kind.by, None, keys, timed=False)
        grid = ask(sums_in, site.store, view.window(now), query, kind.by, among=keys if drawn else ())
        latencies = ask(site.store.latencies, timed, kind.by, keys if drawn else ())
        hours = ask(_hours, view, site, kind, keys if drawn else ())
    sums = {group.key: group for group in groups.value}
    sums_before = {group.key: group.totals for group in earlier.value}
    made = []
    for key in keys:
        steps = grid.value.get(key, ())
        group = sums.get(key, Group(key=key, totals=Totals(), latency=Latency()))
        made.append(
            replace(
                row_of(view, kind, group, whole),
                before=sums_before.get(key, Totals()),
                latency=latencies.value.get(key, Latency()),
                spark=spark([measured(step, view.measure) for step in steps]) if steps else ("", ""),
                seen=_seen(view.window(now), steps, hours.value.get(key)),
            )
        )
    return made


def _timed_since(query: Query, kind: Kind) -> int | None:
    """From when on calls are timed, where that is later than the beginning."""
    since = query.end - TIMED
    return since if kind.page == "users" and query.start < since else None


def _timed(query: Query, kind: Kind) -> Query:
    return replace(query, start=_timed_since(query, kind) or query.start)


def row_of(view: View, kind: Kind, group: Group, whole: Totals) -> WhoRow:
    """What the sums of one say by themselves."""
    totals = group.totals
    cost, calls = whole.cost_nanousd, whole.calls
    return WhoRow(
        key=group.key,
        name=kind.none if group.key is None else group.key,
        link=kind.link(view, group.key),
        totals=totals,
        share=100 * totals.cost_nanousd / cost if cost else 100 * totals.calls / (calls or 1),
    )


def _seen(window: Window, steps: Sequence[Totals], hour: int | None) -> tuple[int, bool] | None:
    """When the last call began: to the hour where that is known, else to the step of the window."""
    if hour is not None:
        return hour, True
    last = next((t for t, step in reversed([*zip(window.times, steps, strict=False)]) if step.calls), None)
    return None if last is None else (last, window.step <= HOUR)


async def _hours(
    view: View, site: Site, kind: Kind, keys: tuple[str | None, ...]
) -> Mapping[str | None, int]:
    """The last hour with calls of each, within the last day, where the window has longer steps."""
    query = view.query(site.clock())
    if not keys or view.window(site.clock()).step <= HOUR:
        return {}
    recent = replace(query, start=max(query.start, (query.end - DAY) // HOUR * HOUR))
    points = await site.store.series(recent, HOUR, kind.by, keys, measures=("calls",))
    return {point.key: point.t for point in points if point.totals.calls}


def columns(kind: Kind) -> list[Column[WhoRow]]:
    """What a file of them holds."""
    figures: list[Column[WhoRow]] = [
        Column("calls", "Calls", lambda row: row.totals.calls),
        Column("errors", "Failed", lambda row: row.totals.errors),
        Column("input_tokens", "Input", lambda row: row.totals.prompt_tokens or None),
        Column("output_tokens", "Output", lambda row: row.totals.completion_tokens or None),
        Column("unpriced", "Unpriced", lambda row: row.totals.unpriced),
        Column("score", "Score", lambda row: row.score.mean if row.score else None),
        Column("scored", "Scored", lambda row: row.score.number if row.score else None),
        Column("each_usd", "Per call", lambda row: usd(row.each)),
        Column("share_percent", "Share", lambda row: round(row.share, 4)),
        Column("cost_before_usd", "Before", lambda row: usd(row.before.cost_nanousd)),
        Column("cost_usd", "Cost", lambda row: usd(row.totals.cost_nanousd)),
    ]
    name = headed(kind, [column.name for column in figures])
    return [Column(name, kind.word, lambda row: row.key or row.name), *figures]


def headed(kind: Kind, others: Sequence[str]) -> str:
    """The column of their names in a file: a tag may be called like a figure."""
    return f"tag {kind.word}" if kind.word in others else kind.word
