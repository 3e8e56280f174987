"""How long calls took and since when: a heat map with its middle and its slow end."""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.charts.grid import counts_in
from miharu.dashboard.charts.heat import heat
from miharu.dashboard.charts.plot import ChartLine, Twin, percentile
from miharu.dashboard.http.page import Site
from miharu.wording.numbers import duration, duration_axis

__all__ = ("latency", "p50_p95")


async def latency(view: View, site: Site) -> dict[str, Any]:
    """The chart and its twin: of whole calls, or of the time to the first token."""
    now = site.clock()
    window = view.window(now)
    times = window.times
    counts = await counts_in(
        site.store, window, view.query(now), "ttft_ms" if view.timed == "first" else "duration_ms"
    )
    p50, p95 = ([percentile(column, share) for column in counts] for share in (0.5, 0.95))
    chart = heat(
        window.edges,
        counts,
        [ChartLine("p50", "p50", p50), ChartLine("p95", "p95", p95)],
        ticks=window.ticks,
        label=duration_axis,
    )
    rows = [
        (t, [f"{sum(counts[i].values()):,}", duration(p50[i]), duration(p95[i])]) for i, t in enumerate(times)
    ]
    return {
        "latency": chart,
        "latency_twin": Twin(("Calls", "p50", "p95"), rows),
        "overall": p50_p95(counts),
    }


def p50_p95(steps: Sequence[Mapping[int, int]]) -> tuple[int | None, int | None]:
    """The median and the 95th percentile of all steps together."""
    counts: dict[int, int] = {}
    for step in steps:
        for ms, calls in step.items():
            counts[ms] = counts.get(ms, 0) + calls
    return percentile(counts, 0.5), percentile(counts, 0.95)
