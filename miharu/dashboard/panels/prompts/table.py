"""A row for each prompt: what it cost, how it went, and which of its versions was called when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.prompts.strip import Segment, segments, spans_of, step_of
from miharu.dashboard.panels.scores import NO_SCORES, ScoresOf, scores_of
from miharu.dashboard.panels.tables import Column, usd
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together, top
from miharu.stores.base import Group, Latency, Query, ScoreSum, Totals, Versions
from miharu.wording.names import UNKNOWN

__all__ = ("IN_A_FILE", "MOST", "PromptRow", "PromptRows", "columns", "rows")

MOST = 50
IN_A_FILE = 1000
_MANY, _FEW_EACH = 10, 15
"""From how many versions on, and with how few calls of each, something is said to vary."""
_OF_ONE, _ONCE = 20, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRow:
    key: str | None
    link: str | None
    """Opens the row, or closes it; ``None`` for calls without a fixed part."""
    is_open: bool
    totals: Totals
    latency: Latency
    versions: int | None = None
    """``None`` where they are not known."""
    newest: str | None = None
    """The version that was first called last."""
    changed: int | None = None
    """When that was, to the step, Unix milliseconds; ``None`` where there is no other version."""
    strip: Sequence[Segment] = ()
    score: ScoreSum | None = None
    """Of the scores that the table shows."""

    @property
    def name(self) -> str:
        return self.key or UNKNOWN["prompt"]

    @property
    def each(self) -> int | None:
        """Nano-dollars per call with a price; ``None`` where there is none."""
        priced = self.totals.calls - self.totals.unpriced
        return round(self.totals.cost_nanousd / priced) if priced and self.totals.cost_nanousd else None

    @property
    def tokens(self) -> int | None:
        """Per call; ``None`` where none were reported."""
        tokens = self.totals.prompt_tokens + self.totals.completion_tokens
        return round(tokens / self.totals.calls) if tokens and self.totals.calls else None

    @property
    def failing(self) -> float:
        """Percent of the calls that ended in an error."""
        return 100 * self.totals.errors / self.totals.calls if self.totals.calls else 0.0

    @property
    def varies(self) -> bool:
        """Whether its fixed part has something in it that is not fixed."""
        many = self.versions is not None and self.versions >= _MANY
        return self.key == "varies" or (many and self.totals.calls < _FEW_EACH * (self.versions or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRows:
    """Some of the rows, most expensive first."""

    rows: Sequence[PromptRow]
    whole: int
    first: int
    size: int
    once: bool
    """Whether most prompts were called about once: something varies, and none has a name."""
    named: bool
    """Whether any call has a prompt."""
    scores: ScoresOf = NO_SCORES


async def rows(view: View, site: Site, *, most: int = MOST, number: int = 1) -> PromptRows:
    """A page of rows, the most expensive first."""
    reached = await within_reach(view, site, "prompt_name")
    now = site.clock()
    query, window = reached.query(now), view.window(now)
    async with together() as ask:
        first = ask(
            top, site.store, query, "prompt_name", most, (number - 1) * most, errors=view.group_errors
        )
        totals = ask(site.store.totals, query)
    names = tuple(group.key for group in first.value.groups if group.key)
    async with together() as ask:
        versions = ask(_versions, site, query, names, step_of(window))
        scores = ask(scores_of, reached, site, "prompt_name", tuple(g.key for g in first.value.groups))
    made = [
        replace(
            _row(view, group, versions.value.get(group.key or ""), window),
            score=scores.value.sums.get(group.key),
        )
        for group in first.value.groups
    ]
    return PromptRows(
        rows=made,
        whole=first.value.whole,
        first=(number - 1) * most + 1,
        size=most,
        once=first.value.whole >= _OF_ONE and totals.value.calls < _ONCE * first.value.whole,
        named=bool(names) or number > 1,
        scores=scores.value,
    )


async def _versions(site: Site, query: Query, names: Sequence[str], step: int) -> Mapping[str, Versions]:
    """By the name of the prompt, where they are known."""
    if not names or not hasattr(site.store, "versions"):
        return {}
    return {one.name: one for one in await site.store.versions(query, names, step)}


def _row(view: View, group: Group, found: Versions | None, window: Window) -> PromptRow:
    """A row, with its versions where they are known."""
    spans = [] if found is None else spans_of(found)
    is_open = group.key is not None and group.key in {view.sel, view.prompt}
    return PromptRow(
        key=group.key,
        link=view.link("prompts", sel=None if is_open else group.key) if group.key else None,
        is_open=is_open,
        totals=group.totals,
        latency=group.latency,
        versions=None if found is None else found.number,
        newest=spans[0].version if spans else None,
        changed=spans[0].first if len(spans) > 1 else None,
        strip=() if found is None else segments(found, window, step_of(window)),
    )


def columns() -> list[Column[PromptRow]]:
    """What the table shows, and a file of it holds."""
    return [
        Column("prompt", "Prompt", lambda row: row.key or row.name),
        Column("versions", "Versions", lambda row: row.versions),
        Column("newest", "Newest version", lambda row: row.newest),
        Column("changed", "Changed", lambda row: row.changed),
        Column("calls", "Calls", lambda row: row.totals.calls),
        Column("tokens", "Tokens", lambda row: row.tokens, "Of a call, input and output."),
        Column("p95_ms", "p95", lambda row: row.latency.p95_ms, "19 of 20 calls were quicker."),
        Column("errors_percent", "Errors", lambda row: row.failing),
        Column("score", "Score", lambda row: row.score.mean if row.score else None),
        Column("scored", "Scored", lambda row: row.score.number if row.score else None),
        Column("each_usd", "Per call", lambda row: usd(row.each), "Of the calls with a price."),
        Column("cost_usd", "Cost", lambda row: usd(row.totals.cost_nanousd)),
    ]
