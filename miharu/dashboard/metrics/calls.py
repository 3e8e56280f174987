"""Calls, tokens, cost, errors and durations as metric families."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from miharu.dashboard.metrics.series import ERROR_TYPES, LABELS, NONE, OTHER, SETS, LabelSets, among
from miharu.stores.base import Counted, Tally, TimedCalls, Timing

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ("families",)

_NANO = 10**9
_COUNTERS: Mapping[str, tuple[str, str]] = {
    "miharu_input_tokens": ("prompt_tokens", "Tokens sent, those read from or written to a cache included."),
    "miharu_output_tokens": ("completion_tokens", "Tokens received, those of reasoning included."),
    "miharu_cached_tokens": ("cached_tokens", "Of the tokens sent, those read from a cache."),
    "miharu_cache_write_tokens": ("cache_write_tokens", "Of the tokens sent, those written to a cache."),
    "miharu_reasoning_tokens": ("reasoning_tokens", "Of the tokens received, those of reasoning."),
    "miharu_retries": ("retries", "Calls that were the second or a later attempt of one logical call."),
    "miharu_unpriced_calls": ("unpriced", "Calls whose price is not known: in no cost, and not free."),
}
_TIMES: Mapping[str, tuple[Timing, str, tuple[float, ...]]] = {
    "miharu_call_duration_seconds": (
        "duration_ms",
        "From the request to the last byte of the answer, of successful calls.",
        (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300),
    ),
    "miharu_time_to_first_token_seconds": (
        "ttft_ms",
        "From the request to the first token, of successful streams.",
        (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30),
    ),
}


def families(counters: Counted, most: int = SETS) -> Iterator["Metric"]:
    """One family after the other.

    Args:
        counters: Of the store.
        most: How many sets of labels are named; all others share the labels ``other``.
    """
    from prometheus_client.metrics_core import GaugeMetricFamily

    series = LabelSets([*counters.sums, *counters.times], most)
    counter = partial(_counter, counters.sums, series)
    yield counter("miharu_calls", "Calls, each attempt one.", _calls, by=("status", lambda one: one.status))
    yield _errors(counters.sums, series)
    yield counter("miharu_cost_dollars", "US dollars, of calls with a known price.", _dollars)
    for name, (measure, text) in _COUNTERS.items():
        yield counter(name, text, _sum_of(measure))
    for name, (of, text, edges) in _TIMES.items():
        times = [one for one in counters.times if one.of == of]
        yield _histogram(times, series, name, text, edges)
    text = "Sets of model, provider, route and service; those that are not named share the labels 'other'."
    sets = GaugeMetricFamily("miharu_label_sets", text, labels=("named",))
    sets.add_metric(("yes",), series.named)
    sets.add_metric(("no",), series.unnamed)
    yield sets


def _counter(
    tallies: Iterable[Tally],
    series: LabelSets,
    name: str,
    text: str,
    value: Callable[[Tally], int],
    *,
    by: tuple[str, Callable[[Tally], str]] | None = None,
) -> "Metric":
    from prometheus_client.metrics_core import CounterMetricFamily

    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for one in tallies:
        sums[*series.labels(one), *((by[1](one),) if by else ())] += value(one)
    family = CounterMetricFamily(name, text, labels=(*LABELS, *((by[0],) if by else ())))
    for labels, number in sorted(sums.items()):
        family.add_metric(labels, number / _NANO if value is _dollars else number)
    return family


def _errors(tallies: Iterable[Tally], series: LabelSets) -> "Metric":
    failed = [one for one in tallies if one.status == "error"]
    named = among({one.error_type or NONE for one in failed}, ERROR_TYPES)

    def error_type(one: Tally) -> str:
        return kind if (kind := one.error_type or NONE) in named else OTHER

    text = "Calls that failed, by the kind of error."
    return _counter(failed, series, "miharu_errors", text, _calls, by=("error_type", error_type))


def _histogram(
    times: Iterable[TimedCalls], series: LabelSets, name: str, text: str, edges: Sequence[float]
) -> "Metric":
    from prometheus_client.metrics_core import HistogramMetricFamily

    counts: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * (len(edges) + 1))
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for one in times:
        labels = series.labels(one)
        for ms, calls in one.counts:
            counts[labels][bisect_left(edges, ms / 1000)] += calls
            sums[labels] += ms * calls
    family = HistogramMetricFamily(name, text, labels=LABELS)
    names = (*(str(float(edge)) for edge in edges), "+Inf")
    for labels, places in sorted(counts.items()):
        buckets = [(name, float(below)) for name, below in zip(names, accumulate(places), strict=True)]
        family.add_metric(labels, buckets=buckets, sum_value=sums[labels] / 1000)
    return family


def _calls(one: Tally) -> int:
    return one.totals.calls


def _dollars(one: Tally) -> int:
    return one.totals.cost_nanousd


def _sum_of(measure: str) -> Callable[[Tally], int]:
    return lambda one: int(getattr(one.totals, measure))
