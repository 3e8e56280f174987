"""How long calls took: percentiles and heat maps, from counts of durations in buckets.

Only calls that succeeded count: a refusal is quick, and a user who leaves is no measure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter

from sqlalchemy import Connection, text

from miharu.stores.base import Dimension, Latency, Query, Timing
from miharu.stores.buckets import middle_of
from miharu.stores.rollups import HISTOGRAMS, WIDTH
from miharu.stores.sql.source import Engine, divided, source

__all__ = ("durations", "latencies", "latency", "percentile")

_TIMINGS: Mapping[Timing, tuple[int, str]] = {
    "duration_ms": (0, "duration_bucket"),
    "ttft_ms": (1, "ttft_bucket"),
}
_LANES = tuple(f"n{place}" for place in range(WIDTH))
_NONE = "''"
_ORDER = itemgetter(1, 3)
_IMPLIED = frozenset({"status"})
"""What all calls in a histogram have in common."""


def latency(connection: Connection, engine: Engine, query: Query) -> Latency:
    return latencies(connection, engine, query)[None]


def latencies(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: Dimension | None = None,
    among: Sequence[str] | None = None,
) -> Mapping[str | None, Latency]:
    """The latency for each value; of a value that has none it is empty, and of users it is not kept."""
    if by == "user_id":
        return defaultdict(Latency)
    if by in {"status", "error_type"}:
        key = "success" if by == "status" else None  # that is how all that are counted have ended
        return defaultdict(Latency, {key: latency(connection, engine, query)})
    counted: dict[str | None, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for key, _, timing, bucket, calls in _counts(connection, engine, query, _TIMINGS, by=by, among=among):
        counted[key or None][timing].append((bucket, calls))
    whole, first = (_TIMINGS[name][0] for name in ("duration_ms", "ttft_ms"))
    found: dict[str | None, Latency] = defaultdict(Latency)
    for key, times in counted.items():
        found[key] = Latency(
            p50_ms=percentile(times[whole], 0.5),
            p95_ms=percentile(times[whole], 0.95),
            ttft_p50_ms=percentile(times[first], 0.5),
        )
    return found


def durations(
    connection: Connection, engine: Engine, query: Query, step_ms: int, of: Timing = "duration_ms"
) -> Sequence[tuple[int, int, int]]:
    return [
        (step, middle_of(bucket), calls)
        for _, step, _, bucket, calls in _counts(connection, engine, query, (of,), step_ms=step_ms)
    ]


def percentile(counted: Iterable[tuple[int, int]], q: float) -> int | None:
    """The nearest-rank percentile of buckets given with their counts; ``None`` of nothing."""
    ordered = sorted(counted)
    left = q * sum(n for _, n in ordered)
    for bucket, n in ordered:
        left -= n
        if left <= 1e-9:
            return middle_of(bucket)
    return None


def _counts(
    connection: Connection,
    engine: Engine,
    query: Query,
    timings: Collection[Timing],
    *,
    by: Dimension | None = None,
    among: Sequence[str] | None = None,
    step_ms: int | None = None,
) -> Iterable[tuple[str, int, int, int, int]]:
    """(key, step, timing, bucket, calls), in the order of the step and the bucket."""
    if query.status not in {None, "success"} or query.error_type is not None or among == []:
        return ()
    found = source(
        connection, engine, query, HISTOGRAMS, by=by, among=among, step_ms=step_ms, ignoring=_IMPLIED
    )
    wanted = [_TIMINGS[name] for name in timings]
    numbers = ", ".join(str(number) for number, _ in wanted)
    parts = divided(by, step_ms)
    of_folded, of_raw = (
        "".join(f"{expressions[place]} AS {name}, " for name, expressions in parts.items()) for place in (0, 1)
    )
    counted: dict[tuple[str, int, int, int], int] = defaultdict(int)
    for sources, block, lanes in (
        (
            [
                f"SELECT {of_folded}timing, block, {', '.join(_LANES)} {part} AND timing IN ({numbers})"
                for _, part in found.folded
            ],
            "block",
            _LANES,
        ),
        (
            [
                f"SELECT {of_raw}{number} AS timing, {column} AS bucket, 1 AS calls "
                f"{part} AND status = 'success' AND {column} IS NOT NULL"
                for part in found.raw
                for number, column in wanted
            ],
            "bucket",
            ("calls",),
        ),
    ):
        if sources:
            names = (*parts, "timing", block)
            statement = (
                f"SELECT {'key' if by else _NONE}, {'step' if step_ms else 0}, timing, {block}, "
                f"{', '.join(f'CAST(sum({name}) AS BIGINT)' for name in lanes)} "
                f"FROM ({' UNION ALL '.join(sources)}) AS parts GROUP BY {', '.join(names)}"
            )
            for key, step, timing, first, *counts in connection.execute(text(statement), found.values):
                for bucket, calls in enumerate(counts, start=first * len(lanes)):
                    if calls:
                        counted[key, step, timing, bucket] += calls
    return sorted(((*place, calls) for place, calls in counted.items()), key=_ORDER)
