"""Who used it: one row for each model, provider, route, user or service, and what it wasted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from miharu.analysis.waste import NO_WASTE, Wasted, wasted
from miharu.call import Status
from miharu.dashboard.address.view import FILTERS, Breakdown, View
from miharu.dashboard.call.rows import split_route
from miharu.dashboard.charts.colors import Palette, maker, palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.scores import NO_SCORES, ScoresOf, scores_of
from miharu.dashboard.panels.sparks import Spark, sparks_by
from miharu.dashboard.panels.tables import Column, usd
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together, top
from miharu.stores.base import Dimension, Group, Latency, ScoreSum, Totals
from miharu.wording.names import UNKNOWN, provider_name

__all__ = (
    "IN_A_FILE",
    "MOST",
    "GroupRow",
    "GroupRows",
    "columns",
    "dimension",
    "leaders",
    "rows_by",
)

MOST = 200
"""Rows of a table. There may be ten thousand routes, more than a person reads."""
IN_A_FILE = 10_000
"""Rows of a table in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    key: str | None
    name: str
    method: str
    """The HTTP method of a route."""
    note: str
    css: str
    link: str | None
    """Where the page shows this only; ``None`` where no filter can say it."""
    totals: Totals
    latency: Latency
    share: float
    """Percent of all cost; of all calls where nothing has a cost."""
    spark: Spark = ("", "")
    wasted: Wasted = NO_WASTE
    score: ScoreSum | None = None
    """Of the scores that the table shows."""

    @property
    def each(self) -> int | None:
        """Nano-dollars per call with a price; ``None`` where there is none."""
        priced = self.totals.calls - self.totals.unpriced
        return round(self.totals.cost_nanousd / priced) if priced and self.totals.cost_nanousd else None

    @property
    def cached(self) -> float | None:
        """Percent of the prompt tokens that came from a cache."""
        tokens = self.totals.prompt_tokens
        return 100 * self.totals.cached_tokens / tokens if tokens and self.totals.cached_tokens else None

    @property
    def failing(self) -> float | None:
        """Percent of the calls that ended in an error."""
        return 100 * self.totals.errors / self.totals.calls if self.totals.calls else None

    @property
    def speed(self) -> float | None:
        """Output tokens per second of the whole call."""
        tokens, ms = self.totals.completion_tokens, self.totals.duration_ms
        return 1000 * tokens / ms if tokens and ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRows:
    """Some of the rows, most expensive first."""

    rows: list[GroupRow]
    whole: int
    """How many there are in all."""
    first: int = 1
    """The place of the first of these, most expensive first."""
    size: int = MOST
    """Rows of a page."""
    since: int | None = None
    """From when on calls were looked through, where that is later than what the page says."""
    scores: ScoresOf = NO_SCORES

    @property
    def more(self) -> int:
        """How many rows are not among these."""
        return self.whole - len(self.rows)


def dimension(by: Breakdown) -> Dimension:
    """The store's name of the dimension."""
    return FILTERS[by]  # type: ignore[return-value]


async def rows_by(
    view: View,
    site: Site,
    by: Breakdown,
    page: str,
    *,
    waste: bool = False,
    most: int = MOST,
    number: int = 1,
) -> GroupRows:
    """A page of rows, the most expensive first. A row leads to that page with itself as the filter."""
    reached = await within_reach(view, site, dimension(by))
    query = reached.query(site.clock())
    async with together() as ask:
        first = ask(
            top, site.store, query, dimension(by), most, (number - 1) * most, errors=view.group_errors
        )
        totals = ask(site.store.totals, query)
        colors = ask(palette, site)
    keys = tuple(group.key for group in first.value.groups)
    async with together() as ask:
        lines = ask(sparks_by, reached, site, dimension(by), keys)
        failed = ask(_ended, reached, site, "error", by, keys if waste else ())
        left = ask(_ended, reached, site, "cancelled", by, keys if waste else ())
        scores = ask(scores_of, reached, site, dimension(by), keys)
    made = _rows(view, first.value.groups, by, page=page, colors=colors.value, whole=totals.value)
    return GroupRows(
        rows=[
            replace(
                row,
                spark=lines.value.get(row.key, ("", "")),
                wasted=wasted(row.totals, failed.value.get(row.key), left.value.get(row.key)),
                score=scores.value.sums.get(row.key),
            )
            for row in made
        ],
        whole=first.value.whole,
        first=(number - 1) * most + 1,
        size=most,
        since=reached.since if reached != view else None,
        scores=scores.value,
    )


async def leaders(view: View, site: Site, by: Breakdown, most: int, *, timed: bool = True) -> list[GroupRow]:
    """The most expensive rows, timed or not; their share is of the whole window."""
    reached = await within_reach(view, site, dimension(by))
    query = reached.query(site.clock())
    async with together() as ask:
        first = ask(top, site.store, query, dimension(by), most, timed=timed)
        totals = ask(site.store.totals, query)
        colors = ask(palette, site)
    return _rows(view, first.value.groups, by, page="", colors=colors.value, whole=totals.value)


async def _ended(
    view: View, site: Site, status: Status, by: Breakdown, keys: Sequence[str | None]
) -> Mapping[str | None, Totals]:
    """The totals of the calls that ended so, if the filters leave some."""
    if not keys or view.status not in {None, status}:
        return {}
    query = replace(view.query(site.clock()), status=status)
    groups = await site.store.groups(query, dimension(by), among=keys)
    return {group.key: group.totals for group in groups}


def _rows(
    view: View,
    groups: Sequence[Group],
    by: Breakdown,
    *,
    page: str,
    colors: Palette,
    whole: Totals,
) -> list[GroupRow]:
    cost, calls = whole.cost_nanousd, whole.calls
    made = []
    for group in groups:
        method, path = split_route(group.key) if by == "route" else ("", "")
        totals = group.totals
        made.append(
            GroupRow(
                key=group.key,
                name=path or _name(group.key, by),
                method=method,
                note=maker(group.key) if by == "model" else "",
                css=_css(group.key, by, colors),
                link=view.to(page, **{by: group.key}) if group.key else None,
                totals=totals,
                latency=group.latency,
                share=100 * totals.cost_nanousd / cost if cost else 100 * totals.calls / (calls or 1),
            )
        )
    return made


def _name(key: str | None, by: Breakdown) -> str:
    if key is None:
        return UNKNOWN[by]
    return provider_name(key) if by == "provider" else key


def _css(key: str | None, by: Breakdown, colors: Palette) -> str:
    if by in {"route", "user", "service"}:
        return ""
    return colors.model(key) if by == "model" else colors.provider(key)


def columns(by: Breakdown) -> list[Column[GroupRow]]:
    """What a table of them shows, and a file of them holds."""
    return [
        Column(by, by.capitalize(), lambda row: row.key or row.name),
        Column("calls", "Calls", lambda row: row.totals.calls),
        Column("input_tokens", "Input", lambda row: row.totals.prompt_tokens or None, "Prompt tokens."),
        Column(
            "output_tokens", "Output", lambda row: row.totals.completion_tokens or None, "Completion tokens."
        ),
        Column("cached_percent", "Cached", lambda row: row.cached, "Share of the input read from a cache."),
        Column("ttft_p50_ms", "First token", lambda row: row.latency.ttft_p50_ms, "Half began sooner."),
        Column("p50_ms", "p50", lambda row: row.latency.p50_ms, "Half of the calls were quicker."),
        Column("p95_ms", "p95", lambda row: row.latency.p95_ms, "19 of 20 calls were quicker."),
        Column("tokens_per_s", "tok/s", lambda row: row.speed, "Output tokens per second of the whole call."),
        Column("errors_percent", "Errors", lambda row: row.failing),
        Column("errors", "Failed", lambda row: row.totals.errors),
        Column("score", "Score", lambda row: row.score.mean if row.score else None),
        Column("scored", "Scored", lambda row: row.score.number if row.score else None),
        Column("unpriced", "Unpriced", lambda row: row.totals.unpriced),
        Column("estimated", "Estimated", lambda row: row.totals.estimated),
        Column(
            "wasted_usd", "Wasted", lambda row: usd(row.wasted.nanousd or None), "Money spent for nothing."
        ),
        Column("each_usd", "Per call", lambda row: usd(row.each), "Of the calls with a price."),
        Column(
            "cost_usd", "Cost", lambda row: usd(row.totals.cost_nanousd) if _has_cost(row.totals) else None
        ),
    ]


def _has_cost(totals: Totals) -> bool:
    return bool(totals.cost_nanousd or not totals.unpriced)
