"""How long calls took: percentiles and heat maps, from counts of durations in buckets.

Only calls that succeeded count: a refusal is quick, and a user who leaves is no measure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, text

from miharu.conditions.matching import leaves_out
from miharu.stores.base import By, ByTag, Latency, Query, Timing
from miharu.stores.buckets import middle_of, percentiles
from miharu.stores.narrowing import possible
from miharu.stores.rollups import HISTOGRAMS, WIDTH
from miharu.stores.sql.less_users import less_users
from miharu.stores.sql.snapshot import frequent_among
from miharu.stores.sql.source import Engine, Steps, divided, source

__all__ = ("durations", "latencies", "latency", "of_users", "of_values")

_TIMINGS: Mapping[Timing, tuple[int, str]] = {
    "duration_ms": (0, "duration_bucket"),
    "ttft_ms": (1, "ttft_bucket"),
}
_WHOLE: tuple[Timing, ...] = ("duration_ms",)
_LANES = tuple(f"n{place}" for place in range(WIDTH))
_NONE = "''"
_IMPLIED = frozenset({"status", "error_type"})
"""What all calls in a histogram have in common."""


def latency(connection: Connection, engine: Engine, query: Query) -> Latency:
    return latencies(connection, engine, query)[None]


def latencies(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By | None = None,
    among: Sequence[str] | None = None,
) -> Mapping[str | None, Latency]:
    """The latency for each value; of a value that has none it is empty, and of all users it is not kept."""
    if by == "user_id":
        return defaultdict(Latency)
    if isinstance(by, ByTag) and among is not None:
        among = [key for key in among if key]  # those that have none are in no table by it
    if by in {"status", "error_type"}:
        key = "success" if by == "status" else None  # that is how all that are counted have ended
        return defaultdict(Latency, {key: latency(connection, engine, query)})
    found = _worked_out(_counts(connection, engine, query, _TIMINGS, by=by, among=among))
    if isinstance(by, ByTag):
        found.pop(None, None)
    return found


def of_values(
    connection: Connection, engine: Engine, query: Query, by: ByTag, values: Sequence[str]
) -> Mapping[str | None, Latency]:
    """How long whole calls with some values of a tag took."""
    some = [value for value in values if value]
    return _worked_out(_counts(connection, engine, query, _WHOLE, by=by, among=some))


def of_users(
    connection: Connection, engine: Engine, query: Query, users: Sequence[str]
) -> Mapping[str | None, Latency]:
    """How long whole calls of some users took: of those with many calls from sums of their own."""
    if query.user_id is not None or query.tag is not None:
        return _worked_out(_counts(connection, engine, query, _WHOLE, by="user_id", among=users))
    frequent = frequent_among(connection, users)
    since: dict[int | None, list[str]] = {}
    for user in users:
        since.setdefault(frequent.get(user), []).append(user)
    found: dict[str | None, Latency] = defaultdict(Latency)
    for moment, some in since.items():
        found |= _worked_out(
            _counts(
                connection,
                engine,
                query,
                _WHOLE,
                by="user_id",
                among=some,
                frequent=moment is not None,
                since=moment or 0,
            )
        )
    return found


def _worked_out(counts: Mapping[tuple[str, int, int], Mapping[int, int]]) -> dict[str | None, Latency]:
    found: dict[str | None, Latency] = defaultdict(Latency)
    for key in {key for key, _, _ in counts}:
        p50, p95 = percentiles(counts.get((key, 0, 0), {}), (0.5, 0.95))
        (first,) = percentiles(counts.get((key, 0, 1), {}), (0.5,))
        found[key or None] = Latency(p50_ms=p50, p95_ms=p95, ttft_p50_ms=first)
    return found


def durations(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    step_ms: int,
    of: Timing = "duration_ms",
    offset_ms: int = 0,
) -> Sequence[tuple[int, int, int]]:
    counts = _counts(connection, engine, query, (of,), steps=Steps(step_ms, offset_ms))
    return [
        (step, middle_of(bucket), calls)
        for (_, step, _), histogram in sorted(counts.items())
        for bucket, calls in sorted(histogram.items())
    ]


_Counts = Mapping[tuple[str, int, int], Mapping[int, int]]


def _less(counts: _Counts, taken_off: Iterable[_Counts]) -> _Counts:
    """The counts that are left."""
    left = {key: Counter(histogram) for key, histogram in counts.items()}
    for others in taken_off:
        for key, histogram in others.items():
            left.setdefault(key, Counter()).subtract(histogram)
    return {key: +histogram for key, histogram in left.items() if +histogram}


def _counts(
    connection: Connection,
    engine: Engine,
    query: Query,
    timings: Collection[Timing],
    *,
    by: By | None = None,
    among: Sequence[str] | None = None,
    steps: Steps | None = None,
    frequent: bool | None = None,
    since: int = 0,
) -> Mapping[tuple[str, int, int], Mapping[int, int]]:
    """Calls by bucket, for each (key, step, timing)."""
    if query.status not in {None, "success"} or query.error_type is not None or among == []:
        return {}
    possible(query)
    if leaves_out(query.conditions, status="success", error_type=""):
        return {}
    every, others = less_users(connection, engine, query, by)
    if others:
        of = partial(_counts, connection, engine, timings=timings, by=by, among=among, steps=steps)
        return _less(of(every), map(of, others))
    found = source(
        connection,
        engine,
        query,
        HISTOGRAMS,
        by=by,
        among=among,
        steps=steps,
        ignoring=_IMPLIED,
        frequent=frequent,
        since=since,
        signed=True,
    )
    wanted = [_TIMINGS[name] for name in timings]
    numbers = ", ".join(str(number) for number, _ in wanted)
    parts = divided(engine, by, steps)
    of_folded, of_raw = (
        "".join(f"{expressions[place]} AS {name}, " for name, expressions in parts.items())
        for place in (0, 1)
    )
    less = ", ".join(f"-{lane} AS {lane}" for lane in _LANES)
    blocks = [
        f"SELECT {of_folded}timing, block AS first, {lanes} {part} AND timing IN ({numbers})"
        for lanes, pieces in ((", ".join(_LANES), found.folded), (less, found.less))
        for _, part in pieces
    ]
    columns = ", ".join(column for _, column in wanted)
    either = " ".join(f"WHEN {number} THEN {column}" for number, column in wanted)
    buckets = [  # each call is read once for both of its times
        f"SELECT {''.join(f'{name}, ' for name in parts)}column1 AS timing, "
        f"CASE column1 {either} END AS first, 1 AS n0 "
        f"FROM (SELECT {of_raw}{columns} {part} AND status = 'success') AS timed "
        f"CROSS JOIN (VALUES {', '.join(f'({number})' for number, _ in wanted)}) AS timings"
        for part in found.raw
    ]
    counted: dict[tuple[str, int, int], dict[int, int]] = defaultdict(dict)
    heads = (*parts, "timing", "first")
    for sources, lanes in ((blocks, _LANES), (buckets, _LANES[:1])):
        if not sources:
            continue
        statement = (
            f"SELECT {'key' if by else _NONE}, {'step' if steps else 0}, timing, first, "
            f"{', '.join(f'CAST(sum({lane}) AS BIGINT)' for lane in lanes)} "
            f"FROM ({' UNION ALL '.join(sources)}) AS parts WHERE first IS NOT NULL "
            f"GROUP BY {', '.join(heads)}"
        )
        for row in connection.execute(text(statement), found.values).all():
            histogram, start = counted[row[:3]], row[3] * len(lanes)
            for bucket, calls in enumerate(row[4:], start):
                if calls:
                    histogram[bucket] = histogram.get(bucket, 0) + calls
    return counted
