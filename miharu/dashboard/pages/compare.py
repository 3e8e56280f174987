"""Two periods side by side: what moved, and why, in money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Literal

from miharu.analysis.cost_changes import EFFECTS, USUAL, CostChange, Effect, Weights, cost_changes, summed
from miharu.dashboard.address.view import AGAINST, View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.call.rows import split_route
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.bridge import Reason, bridge, reasons
from miharu.dashboard.panels.differences import differences, relative
from miharu.dashboard.panels.groups import MOST, dimension
from miharu.dashboard.panels.score_changes import ScoreChange, ScoreChanges, score_changes
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.since import flagged
from miharu.dashboard.panels.spend import spend
from miharu.dashboard.panels.tables import Column, Sheet, Value, sheet, usd
from miharu.dashboard.queries.list_prices import list_prices
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together
from miharu.stores.base import Totals
from miharu.wording.names import UNKNOWN, provider_name

__all__ = ("SCREEN", "file", "moves", "other_window")

_ROWS = 40
_USERS = 40
"""Of each side: the calls of most users are read one by one."""
OTHERS = "\0others"
"""Stands for all that are not among the most expensive; no key holds a NUL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """One row: a kind of calls whose cost changed."""

    name: str
    method: str
    css: str
    move: CostChange
    reasons: Sequence[Reason]
    link: str | None
    score: ScoreChange | None = None
    """Of the scores that the table shows."""


def other_window(view: View, now: int) -> Window:
    """The period that this one is compared with; never one that overlaps it by itself."""
    window = view.window(now)
    if view.other_start is not None and view.other_end is not None:
        return Window.between(view.other_start, view.other_end, view.zone)
    shift = AGAINST[view.against][1]
    if shift < window.length:
        return window.moved(*window.earlier)
    return window.moved(window.start - shift, window.end - shift)


async def moves(view: View, site: Site) -> list[CostChange]:
    """Why the cost of each kind of calls changed, the largest change first."""
    now = site.clock()
    other = other_window(view, now)
    view = await within_reach(view, site, dimension(view.by))
    queries = (view.during(other.start, other.end), view.query(now))
    async with together() as ask:
        most = _USERS if view.by == "user" else MOST
        tops = [ask(site.store.ranks, query, dimension(view.by), most) for query in queries]
        wholes = [ask(site.store.totals, query) for query in queries]
    # What moved much costs much on one side or the other; of thousands the rest is one kind.
    keys = tuple(dict.fromkeys(key for ranks in tops for key in ranks.value.keys))
    async with together() as ask:
        groups = [
            ask(site.store.groups, query, dimension(view.by), None, keys, timed=False) for query in queries
        ]
    sides = [{group.key: group.totals for group in side.value} for side in groups]
    if any(ranks.value.whole > len(ranks.value.keys) for ranks in tops):
        for side, whole in zip(sides, wholes, strict=True):
            side[OTHERS] = _rest(whole.value, side.values())
    return cost_changes(
        sides[0], sides[1], await _weights({*keys}, other.start) if view.by == "model" else {}
    )


def _rest(whole: Totals, shown: Iterable[Totals]) -> Totals:
    """The sums of what is not shown."""
    shown = list(shown)
    return Totals(
        **{
            name: getattr(whole, name) - sum(getattr(totals, name) for totals in shown)
            for name in Totals.__slots__
        }
    )


async def _weights(models: set[str | None], at: int) -> dict[str | None, Weights]:
    """What the price list asks for the tokens of each model, as of then."""
    prices = await list_prices()
    if prices is None:
        return {}
    from miharu.pricing.explain import list_price

    found: dict[str | None, Weights] = {}
    for model in models:
        listed = list_price(prices, model, None, at) if model else None
        if listed and listed.input:
            plain = Fraction(listed.input)
            cached = Fraction(listed.cached) if listed.cached is not None else plain * USUAL.cached
            output = Fraction(listed.output) if listed.output is not None else plain * USUAL.output
            found[model] = Weights(plain, cached, output)
    return found


async def _compared(view: View, site: Site) -> Mapping[str, Any]:
    now = site.clock()
    window, other = view.window(now), other_window(view, now)
    query, earlier = view.query(now), view.during(other.start, other.end)
    async with together() as ask:
        moved = ask(moves, view, site)
        totals = ask(site.store.totals, query)
        before = ask(site.store.totals, earlier)
        latency = ask(site.store.latency, query)
        latency_before = ask(site.store.latency, earlier)
        chart = ask(spend, view, site, other)
        marks = ask(flagged, view, site, "compare")
        colors = ask(palette, site)
    some = [move for move in moved.value if move.change or move.before.calls or move.after.calls]
    scores = await score_changes(view, site, other, _keys(some[:_ROWS]))
    lines = [_line(move, view, colors.value, scores) for move in some]
    start, end = before.value.cost_nanousd, totals.value.cost_nanousd
    return {
        **chart.value,
        **marks.value,
        "other": other,
        "lines": lines[:_ROWS],
        "scores": scores,
        "lines_more": max(0, len(lines) - _ROWS),
        "bridge": bridge(start, end, summed(moved.value)),
        "before": before.value,
        "after": totals.value,
        "change": end - start,
        "relative": relative(start, end) if start else "",
        "figures": differences(before.value, totals.value, latency_before.value, latency.value),
        "against": {
            name: words for name, (words, shift) in AGAINST.items() if not shift or shift >= window.length
        },
        "uneven": other.length != window.length,
    }


def _keys(moved: Sequence[CostChange]) -> tuple[str | None, ...]:
    return tuple(move.key for move in moved if move.key != OTHERS)


def _line(move: CostChange, view: View, colors: Palette, scores: ScoreChanges) -> ComparedLine:
    name, method, css = _named(move, view), "", ""
    if move.key is not None and move.key != OTHERS:
        if view.by == "route":
            method, name = split_route(move.key)
        elif view.by == "provider":
            name = provider_name(move.key)
    if view.by in {"model", "provider"}:
        css = colors.model(move.key) if view.by == "model" else colors.provider(move.key)
    return ComparedLine(
        name=name,
        method=method,
        css=css,
        move=move,
        reasons=reasons(move),
        link=view.link("compare", **{view.by: move.key}) if move.key and move.key != OTHERS else None,
        score=scores.by_key.get(move.key),
    )


SCREEN = Screen(
    path="compare",
    template="pages/compare.html",
    panels=(Panel(path="compare-periods", template="panels/compare.html", facts=_compared),),
)


def _named(move: CostChange, view: View) -> str:
    return "all others" if move.key == OTHERS else move.key or UNKNOWN[view.by]


def _effect(effect: Effect, move: CostChange) -> Value:
    return usd(move.effects[effect])


def _columns(view: View, scores: ScoreChanges) -> list[Column[CostChange]]:
    def scored(side: Literal["before", "after"], figure: str, move: CostChange) -> Value:
        found = getattr(scores.by_key.get(move.key), side, None)
        return getattr(found, figure, None)

    return [
        Column(view.by, "", lambda move: _named(move, view)),
        Column("calls_before", "", lambda move: move.before.calls),
        Column("calls_now", "", lambda move: move.after.calls),
        Column("cost_before_usd", "", lambda move: usd(move.before.cost_nanousd)),
        Column("cost_now_usd", "", lambda move: usd(move.after.cost_nanousd)),
        Column("change_usd", "", lambda move: usd(move.change)),
        *(Column(f"{effect}_usd", "", partial(_effect, effect)) for effect in EFFECTS),
        Column("unpriced_before", "", lambda move: move.before.unpriced),
        Column("unpriced_now", "", lambda move: move.after.unpriced),
        Column("score_before", "", partial(scored, "before", "mean")),
        Column("scored_before", "", partial(scored, "before", "number")),
        Column("score_now", "", partial(scored, "after", "mean")),
        Column("scored_now", "", partial(scored, "after", "number")),
    ]


async def file(view: View, site: Site) -> Sheet:
    moved = await moves(view, site)
    scores = await score_changes(view, site, other_window(view, site.clock()), _keys(moved))
    return sheet("compare", _columns(view, scores), moved)
