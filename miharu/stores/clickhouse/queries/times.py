"""How long calls took: percentiles and heat maps, from counts of durations in buckets.

Only calls that succeeded count: a refusal is quick, and a user who leaves is no measure.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from miharu.conditions.matching import leaves_out
from miharu.stores.base import Dimension, Latency, Query, Timing
from miharu.stores.buckets import middle_of, percentiles
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.queries.pieces import Steps, checked, pieces, step_of
from miharu.stores.clickhouse.tables.measures import BUCKETS, UNTIMED
from miharu.stores.narrowing import possible

__all__ = ("durations", "latencies", "latency")

Counts = Mapping[tuple[Timing, str, int], Mapping[int, int]]
"""Calls by bucket, for each timing, key and step."""


def latency(database: Database, query: Query) -> Latency:
    return latencies(database, query)[None]


def latencies(
    database: Database,
    query: Query,
    by: Dimension | None = None,
    among: Sequence[str | None] | None = None,
) -> Mapping[str | None, Latency]:
    """The latency for each value; of a value that has none it is empty, and of users it is not kept."""
    if by == "user_id":
        return defaultdict(Latency)
    if by in {"status", "error_type"}:
        key = "success" if by == "status" else None  # that is how all that are counted have ended
        return defaultdict(Latency, {key: latency(database, query)})
    found: dict[str | None, Latency] = defaultdict(Latency)
    counts = _counts(database, query, ("duration_ms", "ttft_ms"), by=by, among=among)
    for key in {key for _, key, _ in counts}:
        p50, p95 = percentiles(counts.get(("duration_ms", key, 0), {}), (0.5, 0.95))
        (first,) = percentiles(counts.get(("ttft_ms", key, 0), {}), (0.5,))
        found[key or None] = Latency(p50_ms=p50, p95_ms=p95, ttft_p50_ms=first)
    return found


def durations(
    database: Database,
    query: Query,
    step_ms: int,
    of: Timing = "duration_ms",
    offset_ms: int = 0,
) -> Sequence[tuple[int, int, int]]:
    counts = _counts(database, query, (of,), steps=(step_ms, offset_ms))
    return [
        (step, middle_of(bucket), calls)
        for (_, _, step), histogram in sorted(counts.items())
        for bucket, calls in sorted(histogram.items())
    ]


def _counts(
    database: Database,
    query: Query,
    timings: Collection[Timing],
    *,
    by: Dimension | None = None,
    among: Sequence[str | None] | None = None,
    steps: Steps | None = None,
) -> Counts:
    if query.status not in {None, "success"} or query.error_type not in {None, ""} or among == []:
        return {}
    possible(query)
    if leaves_out(query.conditions, status="success", error_type=""):
        return {}
    selects = []
    key = checked(by) if by else "''"
    for condition, time in pieces(query, by, among, steps):
        step = step_of(time, steps) if steps else "toInt64(0)"
        grouped = ", ".join((*(["key"] if by else []), *(["step"] if steps else [])))
        selects.append(
            f"SELECT {key} AS key, {step} AS step, {', '.join(BUCKETS[timing] for timing in timings)} "
            f"FROM llm_calls WHERE {condition} AND status = 'success'"
            + (f" GROUP BY {grouped}" if grouped else "")
        )
    counted: dict[tuple[Timing, str, int], dict[int, int]] = defaultdict(dict)
    for row in database.query(" UNION ALL ".join(selects)):
        for timing, (buckets, numbers) in zip(timings, row[2:], strict=True):
            histogram = counted[timing, row[0], row[1]]
            for bucket, calls in zip(buckets, numbers, strict=True):
                if bucket != UNTIMED:
                    histogram[bucket] = histogram.get(bucket, 0) + calls
    return {
        key: {b: n for b, n in found.items() if n} for key, found in counted.items() if any(found.values())
    }
