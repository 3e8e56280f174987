"""When calls failed: how many, or which share, step by step."""

from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.charts.grid import sums_in
from miharu.dashboard.charts.plot import Twin
from miharu.dashboard.charts.stack import Series, stack
from miharu.dashboard.http.page import Site
from miharu.wording.numbers import compact, count, percent

__all__ = ("errors_over_time",)


async def errors_over_time(view: View, site: Site) -> dict[str, Any]:
    """The chart and its twin."""
    now = site.clock()
    window = view.window(now)
    grid = await sums_in(site.store, window, view.query(now))
    steps = grid.get(None, ())
    failed, calls = [one.errors for one in steps], [one.calls for one in steps]
    in_shares = view.failed == "rate"
    values = failed
    if in_shares:
        values = [round(10_000 * one / of) if of else 0 for one, of in zip(failed, calls, strict=True)]
    chart = stack(
        window.edges,
        [Series("failed", "lost", values)] if any(values) else [],
        None,
        unit="%" if in_shares else "calls",
        ticks=window.ticks,
        label=(lambda share: f"{share / 100:g}%") if in_shares else compact,
    )
    rows = [
        (t, [count(failed[i]), count(calls[i]), percent(failed[i], calls[i])])
        for i, t in enumerate(window.times)
        if i < len(steps)
    ]
    return {
        "failing": chart,
        "failing_twin": Twin(("Failed", "Calls", "Share"), rows),
        "failing_sum": (sum(failed), sum(calls)),
    }
