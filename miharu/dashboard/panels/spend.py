"""What was spent, when and on which model; the window before as a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from miharu.dashboard.address.view import Measure, View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.charts.colors import OTHER, Palette, by_name, palette
from miharu.dashboard.charts.grid import Grid, sums_in
from miharu.dashboard.charts.plot import Chart, Twin
from miharu.dashboard.charts.stack import Series, stack
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Totals
from miharu.wording.names import UNKNOWN
from miharu.wording.numbers import compact, count, money, money_axis

__all__ = ("Legend", "measured", "spend", "spend_over_time")

_STACKED = 5
_ROUTES = ("s3c", "s3", "s3b", "s4c", "s4", "s4b")
_UNITS: Mapping[Measure, str] = {"cost": "$", "tokens": "tokens", "requests": "calls"}


@dataclass(frozen=True, slots=True)
class Legend:
    """A colour of the chart, and the sum of it."""

    name: str
    css: str
    text: str
    link: str | None


def measured(totals: Totals, measure: Measure) -> int:
    if measure == "cost":
        return totals.cost_nanousd
    return totals.calls if measure == "requests" else totals.prompt_tokens + totals.completion_tokens


async def spend(
    view: View, site: Site, other: Window | None = None, by: Literal["model", "route"] = "model"
) -> dict[str, Any]:
    """The chart, its twin and its legend; the line is the window before, or another one."""
    now = site.clock()
    window = view.window(now)
    query = view.during(other.start, other.end) if other else view.previous(now)
    async with together() as ask:
        points = ask(spend_over_time, view, site, by)
        earlier = ask(sums_in, site.store, window, query, shift=window.start - query.start)
        colors = ask(palette, site)
        totals = ask(site.store.totals, view.query(now))
    chart, twin, legend = _spend(
        view, window, points.value, before=earlier.value.get(None, ()), by=by, colors=colors.value
    )
    return {"spend": chart, "spend_twin": twin, "legend": legend, "sum": totals.value}


async def spend_over_time(view: View, site: Site, by: Literal["model", "route"] = "model") -> Grid:
    """Totals by model or route, step by step."""
    now = site.clock()
    window = view.window(now)
    return await sums_in(site.store, window, view.query(now), by)


def _spend(
    view: View,
    window: Window,
    grid: Grid,
    *,
    before: Sequence[Totals],
    by: Literal["model", "route"],
    colors: Palette,
) -> tuple[Chart, Twin, list[Legend]]:
    times, measure = window.times, view.measure
    values = {key: [measured(totals, measure) for totals in row] for key, row in grid.items()}
    ranked = sorted(
        (key for key in values if any(values[key])), key=lambda key: (-sum(values[key]), key or "")
    )
    # A single model left over is shown as itself.
    shown = ranked if len(ranked) <= _STACKED + 1 else ranked[:_STACKED]
    routes = by_name((key or "" for key in shown), _ROUTES)
    css = [colors.model(key) if by == "model" else routes[key or ""] for key in shown]
    series = [Series(key or UNKNOWN[by], color, values[key]) for key, color in zip(shown, css, strict=False)]
    if rest := ranked[len(shown) :]:
        together_ = [sum(column) for column in zip(*(values[key] for key in rest), strict=True)]
        series.append(Series(f"{len(rest)} others", OTHER, together_))
    previous = [measured(totals, measure) for totals in before]
    chart = stack(
        window.edges,
        series,
        previous if any(previous) else None,
        unit=_UNITS[measure],
        ticks=window.ticks,
        label=money_axis if measure == "cost" else compact,
    )
    say = money if measure == "cost" else count
    summed = money if measure == "cost" else compact
    legend = [
        Legend(
            one.name,
            one.css,
            summed(sum(one.values)),
            view.to("" if by == "model" else "routes", **{by: key}) if key else None,
        )
        for one, key in zip(series, [*shown, None], strict=False)
    ]
    rows = [
        (
            t,
            [
                say(sum(one.values[i] for one in series)),
                *(say(one.values[i]) for one in series),
                *([say(previous[i])] if any(previous) else []),
            ],
        )
        for i, t in enumerate(times)
    ]
    head = ("Total", *(one.name for one in series), *(["Previous"] if any(previous) else []))
    return chart, Twin(head, rows), legend
