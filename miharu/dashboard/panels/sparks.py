"""The small lines: one for each key figure, one for each row of a table."""

from collections.abc import Sequence
from typing import Any

from miharu.dashboard.address.view import Measure, View
from miharu.dashboard.charts.grid import counts_in, sums_in
from miharu.dashboard.charts.plot import percentile
from miharu.dashboard.charts.spark import spark
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.spend import measured, spend_over_time
from miharu.dashboard.queries.together import Once, together
from miharu.stores.base import By

__all__ = ("Spark", "sparks", "sparks_by")

Spark = tuple[str, str]
"""The paths of a line and of the area under it."""


async def sparks(view: View, site: Site) -> dict[str, Any]:
    """The small lines of the key figures; two parts of a page show them."""
    if isinstance(site.store, Once):
        return await site.store.worked_out(_sparks, view, site)
    return await _sparks(view, site)


async def _sparks(view: View, site: Site) -> dict[str, Any]:
    now = site.clock()
    window = view.window(now)
    async with together() as ask:
        grid = ask(spend_over_time, view, site)
        durations = ask(counts_in, site.store, window, view.query(now))
    columns = list(zip(*grid.value.values(), strict=True))

    def summed(measure: Measure) -> list[int]:
        return [sum(measured(totals, measure) for totals in column) for column in columns]

    calls, errors = summed("requests"), [sum(totals.errors for totals in column) for column in columns]
    drawn = {
        "cost": spark(summed("cost")),
        "requests": spark(calls),
        "tokens": spark(summed("tokens")),
        "latency": spark([percentile(column, 0.95) for column in durations.value]),
        "errors": spark([e / c if c else None for e, c in zip(errors, calls, strict=True)]),
    }
    return {"sparks": drawn}


async def sparks_by(view: View, site: Site, by: By, keys: Sequence[str | None]) -> dict[str | None, Spark]:
    """The small lines of some values of a dimension."""
    window = view.window(site.clock())
    grid = await sums_in(site.store, window, view.query(site.clock()), by, among=keys)
    values: dict[str | None, Sequence[int]] = {
        key: [measured(totals, view.measure) for totals in row] for key, row in grid.items()
    }
    return {key: spark(row) for key, row in values.items()}
