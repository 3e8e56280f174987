"""Counters of all calls that there ever were: from the roll-ups, and from what is kept of those gone."""

from sqlalchemy import Connection, text

from miharu.stores.base import Counted, Query, Tally, TimedCalls, Totals
from miharu.stores.buckets import middle_of
from miharu.stores.ever import COUNTED, KEPT_BY, TIMED_BY, Ever
from miharu.stores.rollups import EVER, HISTOGRAMS, KEYS, MEASURES, SUMS, WIDTH
from miharu.stores.sql.source import Engine, source

__all__ = ("counters", "ever")

_ALL = Query(start=0, end=2**62)
_TIMED = TIMED_BY[:-1]
_LANES = tuple(f"n{place}" for place in range(WIDTH))
_TIMINGS = (("duration_ms", "duration_bucket"), ("ttft_ms", "ttft_bucket"))


def counters(connection: Connection, engine: Engine) -> Counted:
    """Counters for each model, route, provider and service; none of them ever becomes less."""
    found = ever(connection, engine, _ALL, gone=True)
    return Counted(
        sums=[
            Tally(
                **{name: value or None for name, value in zip(KEPT_BY, key, strict=True)},  # type: ignore[arg-type]
                totals=Totals(**dict(zip(COUNTED, numbers, strict=True))),
            )
            for key, numbers in found.sums.items()
        ],
        times=[
            TimedCalls(
                **{name: value or None for name, value in zip(_TIMED, key, strict=True)},
                of=_TIMINGS[timing][0],  # type: ignore[arg-type]
                counts=[(middle_of(bucket), calls) for bucket, calls in sorted(counts.items())],
            )
            for (*key, timing), counts in found.times.items()
        ],
    )


def ever(connection: Connection, engine: Engine, query: Query, *, gone: bool = False) -> Ever:
    """Count the calls of a time.

    Args:
        connection: In the snapshot that is read.
        engine: Whose SQL it is.
        query: The time, and nothing else.
        gone: Whether those are counted too that are not there any more.
    """
    return Ever(_sums(connection, engine, query, gone=gone), _times(connection, engine, query, gone=gone))


def _sums(
    connection: Connection, engine: Engine, query: Query, *, gone: bool
) -> dict[tuple[str, ...], tuple[int, ...]]:
    also = [name for name in KEPT_BY if name != "model"]
    tables = (*SUMS, *(rollup for rollup in EVER if not rollup.histogram))
    found = source(connection, engine, query, tables, by="model", also=also, measures=COUNTED)
    folded = ", ".join((*KEPT_BY, *COUNTED))
    raw = ", ".join(
        (
            *(f"{KEYS[name]} AS {name}" for name in KEPT_BY),
            *(f"{MEASURES[name]} AS {name}" for name in COUNTED),
        )
    )
    parts = [f"SELECT {folded} {part}" for _, part in found.folded]
    parts += [f"SELECT {raw} {part}" for part in found.raw]
    if gone:
        parts.append(f"SELECT {folded} FROM miharu_gone_sums")
    keys, sums = ", ".join(KEPT_BY), ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in COUNTED)
    statement = (
        f"SELECT {keys}, {sums} FROM ({' UNION ALL '.join(parts)}) AS parts "
        f"GROUP BY {keys} HAVING sum(calls) > 0 ORDER BY {keys}"
    )
    rows = connection.execute(text(statement), found.values)
    return {tuple(row[: len(KEPT_BY)]): tuple(row[len(KEPT_BY) :]) for row in rows}


def _times(
    connection: Connection, engine: Engine, query: Query, *, gone: bool
) -> dict[tuple[str | int, ...], dict[int, int]]:
    tables = (*HISTOGRAMS, *(rollup for rollup in EVER if rollup.histogram))
    found = source(connection, engine, query, tables, by="model", also=_TIMED)
    keys = ", ".join(_TIMED)
    single = [
        f"SELECT {', '.join(f'{KEYS[name]} AS {name}' for name in _TIMED)}, {timing} AS timing, "
        f"{column} AS bucket, 1 AS calls {part} AND status = 'success' AND {column} IS NOT NULL"
        for part in found.raw
        for timing, (_, column) in enumerate(_TIMINGS)
    ]
    if gone:
        single.append(f"SELECT {keys}, timing, bucket, calls FROM miharu_gone_times")
    counts: dict[tuple[str | int, ...], dict[int, int]] = {}
    if found.folded:
        blocks = " UNION ALL ".join(
            f"SELECT {keys}, timing, block, {', '.join(_LANES)} {part}" for _, part in found.folded
        )
        lanes = ", ".join(f"CAST(sum({lane}) AS BIGINT)" for lane in _LANES)
        statement = (
            f"SELECT {keys}, timing, block, {lanes} FROM ({blocks}) AS parts GROUP BY {keys}, timing, block"
        )
        for row in connection.execute(text(statement), found.values):
            for bucket, calls in enumerate(row[6:], row[5] * WIDTH):
                if calls:
                    counts.setdefault(tuple(row[:5]), {})[bucket] = calls
    statement = (
        f"SELECT {keys}, timing, bucket, CAST(sum(calls) AS BIGINT) FROM ({' UNION ALL '.join(single)}) "
        f"AS parts GROUP BY {keys}, timing, bucket"
    )
    for *key, bucket, calls in connection.execute(text(statement), found.values):
        of_key = counts.setdefault(tuple(key), {})
        of_key[bucket] = of_key.get(bucket, 0) + calls
    return counts
