"""What the dashboard asks, in SQL that every engine understands. Plain functions over a connection."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Connection, text

from miharu.batch import Score, Span
from miharu.call import Call
from miharu.stores.base import Dimension, Group, Latency, Point, Query, Session, Timing, Totals
from miharu.stores.bodies import unpack
from miharu.stores.columns import SCORES, from_row, span_from_row

__all__ = (
    "call",
    "calls",
    "durations",
    "groups",
    "keys",
    "latency",
    "scores",
    "series",
    "sessions",
    "spans",
    "totals",
)

_SUMS = """
    count(*) AS calls,
    coalesce(sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END), 0) AS errors,
    coalesce(sum(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END), 0) AS cancelled,
    coalesce(sum(CASE WHEN status = 'error' AND http_status = 429 THEN 1 ELSE 0 END), 0) AS rate_limited,
    coalesce(sum(cost_nanousd), 0) AS cost_nanousd,
    coalesce(sum(CASE WHEN cost_nanousd IS NULL AND (status <> 'error' OR prompt_tokens IS NOT NULL)
        THEN 1 ELSE 0 END), 0) AS unpriced,
    coalesce(sum(CASE WHEN usage_source = 'estimated' THEN 1 ELSE 0 END), 0) AS estimated,
    coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
    coalesce(sum(completion_tokens), 0) AS completion_tokens,
    coalesce(sum(cached_tokens), 0) AS cached_tokens,
    coalesce(sum(cache_write_tokens), 0) AS cache_write_tokens,
    coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens,
    coalesce(sum(duration_ms), 0) AS duration_ms,
    coalesce(sum(CASE WHEN attempt > 1 THEN 1 ELSE 0 END), 0) AS retries,
    count(duplicate_of) AS duplicates,
    coalesce(sum(CASE WHEN duplicate_of IS NOT NULL THEN cost_nanousd END), 0) AS duplicate_nanousd,
    coalesce(sum(cache_missed_tokens), 0) AS cache_missed_tokens,
    coalesce(sum(cache_missed_nanousd), 0) AS cache_missed_nanousd
"""
_DIMENSIONS = get_args(Dimension)
_FILTERS = (*_DIMENSIONS, "session_id", "trace_id")


def totals(connection: Connection, query: Query) -> Totals:
    where, values = _where(query)
    row = connection.execute(text(f"SELECT {_SUMS} FROM llm_calls WHERE {where}"), values).mappings().one()
    return Totals(**row)


def latency(connection: Connection, query: Query) -> Latency:
    where, values = _where(query)
    counts = {
        column: [
            (ms, n)
            for ms, n in connection.execute(
                text(
                    f"SELECT {column}, count(*) FROM llm_calls WHERE {where} AND {_TIMED[column]} GROUP BY 1"
                ),
                values,
            )
        ]
        for column in _TIMED
    }
    return _latency(counts["duration_ms"], counts["ttft_ms"])


def series(
    connection: Connection, query: Query, step_ms: int, by: Dimension | None = None
) -> Sequence[Point]:
    where, values = _where(query)
    key = _column(by) if by else "NULL"
    rows = connection.execute(
        text(
            f"SELECT timestamp - timestamp % :step AS t, {key} AS key, {_SUMS} FROM llm_calls "
            f"WHERE {where} GROUP BY 1, 2 ORDER BY 1"
        ),
        {**values, "step": step_ms},
    ).mappings()
    return [Point(t=row["t"], key=row["key"], totals=_totals(row)) for row in rows]


def durations(
    connection: Connection, query: Query, step_ms: int, of: Timing = "duration_ms"
) -> Sequence[tuple[int, int, int]]:
    where, values = _where(query)
    rows = connection.execute(
        text(
            f"SELECT timestamp - timestamp % :step, {of}, count(*) FROM llm_calls "
            f"WHERE {where} AND {_TIMED[of]} GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {**values, "step": step_ms},
    )
    return [(t, ms, n) for t, ms, n in rows]


def groups(connection: Connection, query: Query, by: Dimension, limit: int | None = None) -> Sequence[Group]:
    where, values = _where(query)
    key = _column(by)
    rows = list(
        connection.execute(
            text(
                f"SELECT {key} AS key, {_SUMS} FROM llm_calls WHERE {where} "
                "GROUP BY 1 ORDER BY cost_nanousd DESC, calls DESC, 1"
            ),
            values,
        ).mappings()
    )
    timed: dict[str, dict[str | None, list[tuple[int, int]]]] = {}
    for column, condition in _TIMED.items():
        timed[column] = defaultdict(list)
        counted = connection.execute(
            text(
                f"SELECT {key}, {column}, count(*) FROM llm_calls WHERE {where} AND {condition} GROUP BY 1, 2"
            ),
            values,
        )
        for value, ms, n in counted:
            timed[column][value].append((ms, n))
    return [
        Group(
            key=row["key"],
            totals=_totals(row),
            latency=_latency(timed["duration_ms"][row["key"]], timed["ttft_ms"][row["key"]]),
        )
        for row in rows[:limit]
    ]


def keys(connection: Connection, query: Query, by: Dimension, limit: int = 200) -> Sequence[str]:
    where, values = _where(query)
    key = _column(by)
    return [
        str(value)
        for value in connection.execute(
            text(
                f"SELECT {key} FROM llm_calls WHERE {where} AND {key} IS NOT NULL GROUP BY 1 "
                "ORDER BY coalesce(sum(cost_nanousd), 0) DESC, count(*) DESC, 1 LIMIT :limit"
            ),
            {**values, "limit": limit},
        ).scalars()
    ]


def sessions(
    connection: Connection, query: Query, limit: int = 50, before: int | None = None
) -> Sequence[Session]:
    where, values = _where(query)
    rows = connection.execute(
        text(
            f"SELECT session_id, max(user_id) AS user_id, min(timestamp) AS first, max(timestamp) AS last, "
            f"{_SUMS} FROM llm_calls WHERE {where} AND session_id IS NOT NULL GROUP BY session_id "
            "HAVING :before IS NULL OR max(timestamp) < :before ORDER BY last DESC LIMIT :limit"
        ),
        {**values, "limit": limit, "before": before},
    ).mappings()
    return [
        Session(
            id=row["session_id"],
            user_id=row["user_id"],
            first=row["first"],
            last=row["last"],
            totals=_totals(row),
        )
        for row in rows
    ]


def calls(connection: Connection, query: Query, limit: int = 50, before: str | None = None) -> Sequence[Call]:
    where, values = _where(query)
    if before is not None:
        where += " AND id < :before"
    rows = connection.execute(
        text(f"SELECT * FROM llm_calls WHERE {where} ORDER BY id DESC LIMIT :limit"),
        {**values, "before": before, "limit": limit},
    ).mappings()
    return [from_row(row) for row in rows]


def call(connection: Connection, id: str) -> Call | None:  # noqa: A002 - the column's name
    values = {"id": id}
    row = connection.execute(text("SELECT * FROM llm_calls WHERE id = :id"), values).mappings().first()
    if row is None:
        return None
    body = connection.execute(
        text("SELECT request, response FROM llm_bodies WHERE call_id = :id"), values
    ).first()
    return from_row(row, unpack(body.request, body.response) if body is not None else None)


def spans(connection: Connection, trace_id: str) -> Sequence[Span]:
    rows = connection.execute(
        text("SELECT * FROM llm_spans WHERE trace_id = :trace ORDER BY timestamp, id"), {"trace": trace_id}
    ).mappings()
    return [span_from_row(row) for row in rows]


def scores(
    connection: Connection, call_id: str | None = None, trace_id: str | None = None
) -> Sequence[Score]:
    rows = connection.execute(
        text("SELECT * FROM llm_scores WHERE call_id = :call OR trace_id = :trace ORDER BY timestamp, id"),
        {"call": call_id, "trace": trace_id},
    ).mappings()
    return [Score(**{name: row[name] for name in SCORES}) for row in rows]


_TIMED = {"duration_ms": "status = 'success'", "ttft_ms": "ttft_ms IS NOT NULL AND status = 'success'"}
"""Which calls say something about speed: a refusal is quick, and a user who leaves is no measure."""


def _where(query: Query) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"start": query.start, "end": query.end}
    conditions = ["timestamp >= :start", "timestamp < :end"]
    for name in _FILTERS:
        value = getattr(query, name)
        if value is not None:
            conditions.append(f"{name} = :{name}")
            values[name] = value
    return " AND ".join(conditions), values


def _column(by: Dimension) -> str:
    if by not in _DIMENSIONS:
        raise ValueError(f"by={by!r}: choose one of {', '.join(sorted(_DIMENSIONS))}.")
    return by


def _totals(row: Mapping[Any, Any]) -> Totals:
    return Totals(**{name: row[name] for name in Totals.__slots__})


def _latency(durations: Iterable[tuple[int, int]], ttfts: Iterable[tuple[int, int]]) -> Latency:
    duration = sorted(durations)
    return Latency(
        p50_ms=percentile(duration, 0.5),
        p95_ms=percentile(duration, 0.95),
        ttft_p50_ms=percentile(sorted(ttfts), 0.5),
    )


def percentile(counted: Sequence[tuple[int, int]], q: float) -> int | None:
    """The nearest-rank percentile of values given with their counts, in order; ``None`` of nothing."""
    left = q * sum(n for _, n in counted)
    for value, n in counted:
        left -= n
        if left <= 1e-9:
            return value
    return None
