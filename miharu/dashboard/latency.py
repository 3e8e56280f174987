"""How long calls took and since when: a heat map with its middle and its slow end."""

from typing import Any

from miharu.dashboard.asking import together
from miharu.dashboard.charts import Line, Twin, heat, percentile
from miharu.dashboard.format import duration, duration_axis
from miharu.dashboard.grid import counts_of, times_of
from miharu.dashboard.page import Site
from miharu.dashboard.query import View

__all__ = ("latency", "p50_p95")


async def latency(view: View, site: Site) -> dict[str, Any]:
    """The chart and its twin: of whole calls, or of the time to the first token."""
    now = site.clock()
    window = view.window(now)
    async with together() as ask:
        found = ask(
            site.store.durations,
            view.query(now),
            window.step,
            "ttft_ms" if view.timed == "first" else "duration_ms",
        )
    times, counts = times_of(window), counts_of(window, found.value)
    p50, p95 = ([percentile(column, share) for column in counts] for share in (0.5, 0.95))
    chart = heat(
        times,
        counts,
        [Line("p50", "p50", p50), Line("p95", "p95", p95)],
        tick=window.tick,
        label=duration_axis,
    )
    rows = [
        (t, [f"{sum(counts[i].values()):,}", duration(p50[i]), duration(p95[i])]) for i, t in enumerate(times)
    ]
    return {
        "latency": chart,
        "latency_twin": Twin(("Calls", "p50", "p95"), rows),
        "overall": p50_p95(found.value),
    }


def p50_p95(durations: Any) -> tuple[int | None, int | None]:
    """Of all steps together."""
    counts: dict[int, int] = {}
    for _, ms, calls in durations:
        counts[ms] = counts.get(ms, 0) + calls
    return percentile(counts, 0.5), percentile(counts, 0.95)
