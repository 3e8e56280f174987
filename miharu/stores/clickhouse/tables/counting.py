"""Counters of all calls that there ever were: added to by the engine as it takes rows, and never taken from.

A call that changes comes as two rows of one insert, what it was and what it is. Only what became more is
added, so no number ever becomes less, and neither pruning nor retention touches it.
"""

from collections.abc import Iterator, Mapping

from miharu.stores.base import Counted, Tally, TimedCalls, Timing, Totals
from miharu.stores.buckets import middle_of
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.tables.measures import SIGNED, UNTIMED
from miharu.stores.ever import COUNTED, KEPT_BY

__all__ = ("COUNTERS", "counters", "views")

_TIMED_BY = ("model", "provider", "route", "service")
_KEY = "LowCardinality(String)"
COUNTERS: Mapping[str, tuple[Mapping[str, str], int]] = {
    "miharu_ever_sums": (
        {**dict.fromkeys(KEPT_BY, _KEY), **dict.fromkeys(COUNTED, "Int64")},
        len(KEPT_BY),
    ),
    "miharu_ever_times": (
        {**dict.fromkeys((*_TIMED_BY, "timing"), _KEY), "bucket": "Int64", "calls": "Int64"},
        len(_TIMED_BY) + 2,
    ),
}
"""The columns of each table of counters, and how many of the first are its key."""
_BUCKETS: Mapping[Timing, str] = {"duration_ms": "duration_bucket", "ttft_ms": "arrayJoin(first_bucket)"}


def views(calls: str, suffix: str, where: str) -> Iterator[str]:
    """What makes the views that count.

    Args:
        calls: The table that takes the rows.
        suffix: What is added to the names of the tables of counters.
        where: What stands behind the name of a view.
    """
    keys = ", ".join(KEPT_BY)
    more = ", ".join(f"greatest(toInt64(0), {SIGNED[name]}) AS more_{name}" for name in COUNTED)
    sums = ", ".join(f"sum(more_{name}) AS {name}" for name in COUNTED)
    yield (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS miharu_count_sums{where} TO miharu_ever_sums{suffix} AS "
        f"SELECT {keys}, {sums} FROM (SELECT id, {keys}, {more} FROM {calls} GROUP BY id, {keys}) "
        f"GROUP BY {keys}"
    )
    keys = ", ".join(_TIMED_BY)
    for timing, bucket in _BUCKETS.items():
        yield (
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS miharu_count_{timing}{where} "
            f"TO miharu_ever_times{suffix} AS "
            f"SELECT {keys}, '{timing}' AS timing, bucket, sum(more) AS calls FROM ("
            f"SELECT id, {keys}, {bucket} AS bucket, greatest(toInt64(0), sum(sign)) AS more "
            f"FROM {calls} WHERE status = 'success' GROUP BY id, {keys}, bucket) GROUP BY {keys}, bucket"
        )


def counters(database: Database) -> Counted:
    keys, sums = ", ".join(KEPT_BY), ", ".join(f"sum({name})" for name in COUNTED)
    tallies = database.query(
        f"SELECT {keys}, {sums} FROM miharu_ever_sums GROUP BY {keys} HAVING sum(calls) > 0 ORDER BY {keys}"
    )
    keys = ", ".join((*_TIMED_BY, "timing"))
    times = database.query(
        f"SELECT {keys}, arraySort(groupArray((bucket, number))) FROM (SELECT {keys}, bucket, "
        f"sum(calls) AS number FROM miharu_ever_times WHERE bucket <> {UNTIMED} GROUP BY {keys}, bucket "
        "HAVING number > 0) "
        f"GROUP BY {keys} ORDER BY {keys}"
    )
    size = len(KEPT_BY)
    return Counted(
        sums=[
            Tally(
                **{name: value or None for name, value in zip(KEPT_BY, row[:size], strict=True)},  # type: ignore[arg-type] # its status is one
                totals=Totals(**dict(zip(COUNTED, row[size:], strict=True))),
            )
            for row in tallies
        ],
        times=[
            TimedCalls(
                **{name: value or None for name, value in zip(_TIMED_BY, row[:-2], strict=True)},
                of=row[-2],
                counts=[(middle_of(bucket), calls) for bucket, calls in row[-1]],
            )
            for row in times
        ],
    )
