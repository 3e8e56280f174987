"""miharu itself as metric families: the process that answers, the store, and the budgets."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from miharu._budget import BudgetState
from miharu._version import __version__

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from miharu.monitor.figures import Stats

__all__ = ("budgets", "process", "store")

_BUDGETS = 100
_COUNTERS: Mapping[str, tuple[str, str]] = {
    "captured": ("captured", "Calls that this process has recognised."),
    "written": ("written", "Calls that this process has stored."),
    "dropped": ("dropped", "Calls, spans and scores that were lost, and calls whose content was."),
    "shed": ("shed", "Of those that were dropped, calls that were kept without their content."),
    "refused": ("refused", "Calls that were not sent, because a budget was used up."),
    "failures": ("errors", "Failures of miharu's own; none of them reached the program."),
}
_GAUGES: Mapping[str, tuple[str, str]] = {
    "queue_depth": ("queue_depth", "Calls that wait in memory."),
    "spooled": ("spooled", "Calls that wait in a file, because the store does not take them."),
}


def process(stats: "Stats") -> Iterator["Metric"]:
    """The process that answers, since its start; its number tells it from others that share the store."""
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    pid = (str(os.getpid()),)
    values: Mapping[str, object] = {**stats}
    for make, figures in ((CounterMetricFamily, _COUNTERS), (GaugeMetricFamily, _GAUGES)):
        for name, (figure, text) in figures.items():
            family = make(f"miharu_process_{name}", text, labels=("pid",))
            family.add_metric(pid, float(str(values[figure])))
            yield family
    if stats["last_write"] is not None:
        family = GaugeMetricFamily(
            "miharu_process_last_write_timestamp_seconds",
            "When this process last stored something.",
            labels=("pid",),
        )
        family.add_metric(pid, stats["last_write"])
        yield family


def store(size: int | None) -> Iterator["Metric"]:
    """The version, and how large the store is where that is known."""
    from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily

    yield InfoMetricFamily("miharu", "The miharu that answers.", value={"version": __version__})
    if size is not None:
        yield GaugeMetricFamily("miharu_store_bytes", "Bytes of the store on disk.", value=size)


def budgets(states: Sequence[BudgetState]) -> Iterator["Metric"]:
    """The budgets in their present period; of very many, those that are used up most."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    shown = sorted(states, key=lambda state: -state.share)[:_BUDGETS]
    for name, text, values in (
        ("limit_dollars", "What calls may cost in the period.", [one.limit_usd for one in shown]),
        ("spent_dollars", "What calls have cost in the period.", [one.spent_usd for one in shown]),
    ):
        family = GaugeMetricFamily(f"miharu_budget_{name}", text, labels=("budget", "key", "per"))
        for labels, value in {
            (one.name, one.key or "", one.per): value for one, value in zip(shown, values, strict=True)
        }.items():
            family.add_metric(labels, value)
        yield family
