"""What the overview draws: spend over time, latency, routes, usage, and the small lines in the cards."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.dashboard.charts import Chart, Line, Series, heat, percentile, spark, stack
from miharu.dashboard.colors import OTHER, Palette, palette
from miharu.dashboard.format import compact, count, duration, duration_axis, money, money_axis
from miharu.dashboard.page import Site
from miharu.dashboard.query import Measure, View, steps
from miharu.dashboard.usage import usage
from miharu.stores.base import Point, Totals

__all__ = ("Table", "drawings", "measured")

_STACKED = 5
_UNITS: Mapping[Measure, str] = {"cost": "$", "tokens": "tokens", "requests": "calls"}

Grid = Mapping[str | None, Sequence[Totals]]


@dataclass(frozen=True, slots=True)
class Table:
    """A chart in words and figures."""

    head: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]


def measured(totals: Totals, measure: Measure) -> int:
    if measure == "cost":
        return totals.cost_nanousd
    return totals.calls if measure == "requests" else totals.prompt_tokens + totals.completion_tokens


async def drawings(view: View, site: Site) -> dict[str, Any]:
    """Charts, tables and lines as of now."""
    store, now = site.store, site.clock()
    query, previous, step = view.query(now), view.previous(now), view.range.step
    times = steps(query, step)
    colors = await palette(site)
    grid = _grid(times, step, await store.series(query, step, by="model"))
    before = _grid(times, step, await store.series(previous, step), shift=view.range.length)
    counts = _counts(times, step, await store.durations(query, step))
    latency_chart, latency_table = _latency(view, times, counts)
    spend_chart, spend_table = _spend(view, times, grid, before.get(None, ()), colors)
    by = grid if view.by == "model" else _grid(times, step, await store.series(query, step, by=view.by))
    return {
        "spend": spend_chart,
        "spend_table": spend_table,
        "latency": latency_chart,
        "latency_table": latency_table,
        "overall": await store.latency(query),
        "sum": await store.totals(query),
        "sparks": _sparks(grid, counts),
        **await usage(view, site, colors, {k: spark(_values(v, view.measure)) for k, v in by.items()}),
    }


def _grid(
    times: Sequence[int], step: int, points: Sequence[Point], shift: int = 0
) -> dict[str | None, list[Totals]]:
    """Points as one list for each key, a place for each step."""
    place = {t: i for i, t in enumerate(times)}
    grid: dict[str | None, list[Totals]] = defaultdict(lambda: [Totals()] * len(times))
    for point in points:
        if (i := place.get((point.t + shift) // step * step)) is not None:
            grid[point.key][i] = point.totals
    return dict(grid)


def _counts(
    times: Sequence[int], step: int, durations: Sequence[tuple[int, int, int]]
) -> list[dict[int, int]]:
    place = {t: i for i, t in enumerate(times)}
    counts: list[dict[int, int]] = [{} for _ in times]
    for t, ms, calls in durations:
        if (i := place.get(t // step * step)) is not None:
            counts[i][ms] = counts[i].get(ms, 0) + calls
    return counts


def _values(row: Sequence[Totals], measure: Measure) -> list[int]:
    return [measured(totals, measure) for totals in row]


def _spend(
    view: View, times: Sequence[int], grid: Grid, before: Sequence[Totals], colors: Palette
) -> tuple[Chart, Table]:
    values = {key: _values(row, view.measure) for key, row in grid.items()}
    ranked = sorted(
        (key for key in values if any(values[key])), key=lambda key: (-sum(values[key]), key or "")
    )
    # A single model left over is shown as itself.
    shown = ranked if len(ranked) <= _STACKED + 1 else ranked[:_STACKED]
    series = [Series(key or "unknown model", colors.model(key), values[key]) for key in shown]
    if rest := ranked[len(shown) :]:
        together = [sum(column) for column in zip(*(values[key] for key in rest), strict=True)]
        series.append(Series(f"{len(rest)} others", OTHER, together))
    previous = _values(before, view.measure)
    drawn = stack(
        times,
        series,
        previous if any(previous) else None,
        unit=_UNITS[view.measure],
        tick=view.range.tick,
        label=money_axis if view.measure == "cost" else compact,
    )
    say = money if view.measure == "cost" else count
    table = Table(
        ("Total", *(one.name for one in series), *(["Previous"] if any(previous) else [])),
        [
            (
                t,
                [
                    say(sum(one.values[i] for one in series)),
                    *(say(one.values[i]) for one in series),
                    *([say(previous[i])] if any(previous) else []),
                ],
            )
            for i, t in enumerate(times)
        ],
    )
    return drawn, table


def _latency(view: View, times: Sequence[int], counts: Sequence[Mapping[int, int]]) -> tuple[Chart, Table]:
    p50, p95 = ([percentile(column, share) for column in counts] for share in (0.5, 0.95))
    drawn = heat(
        times,
        counts,
        [Line("p50", "p50", p50), Line("p95", "p95", p95)],
        tick=view.range.tick,
        label=duration_axis,
    )
    rows = [
        (t, [f"{sum(counts[i].values()):,}", duration(p50[i]), duration(p95[i])]) for i, t in enumerate(times)
    ]
    return drawn, Table(("Successful calls", "p50", "p95"), rows)


def _sparks(grid: Grid, counts: Sequence[Mapping[int, int]]) -> dict[str, tuple[str, str]]:
    columns = list(zip(*grid.values(), strict=True))

    def summed(measure: Measure) -> list[int]:
        return [sum(measured(totals, measure) for totals in column) for column in columns]

    calls, errors = summed("requests"), [sum(totals.errors for totals in column) for column in columns]
    return {
        "cost": spark(summed("cost")),
        "requests": spark(calls),
        "tokens": spark(summed("tokens")),
        "latency": spark([percentile(column, 0.95) for column in counts]),
        "errors": spark([e / c if c else None for e, c in zip(errors, calls, strict=True)]),
    }
