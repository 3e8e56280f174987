"""What the dashboard asks, in SQL that every engine understands. Plain functions over a connection."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.call import Body, Call
from miharu.stores.base import Dimension, Group, Latency, Point, Query, Totals
from miharu.stores.columns import from_row

__all__ = ("call", "calls", "durations", "groups", "latency", "series", "totals")

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
    coalesce(sum(cached_tokens), 0) AS cached_tokens
"""
_FILTERS = ("model", "provider", "route", "user_id", "status")
_DIMENSIONS = frozenset({"model", "provider", "route", "user_id"})


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


def durations(connection: Connection, query: Query, step_ms: int) -> Sequence[tuple[int, int, int]]:
    where, values = _where(query)
    rows = connection.execute(
        text(
            "SELECT timestamp - timestamp % :step, duration_ms, count(*) FROM llm_calls "
            f"WHERE {where} AND {_TIMED['duration_ms']} GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {**values, "step": step_ms},
    )
    return [(t, ms, n) for t, ms, n in rows]


def groups(connection: Connection, query: Query, by: Dimension) -> Sequence[Group]:
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


def call(connection: Connection, id: str, body: Body | None) -> Call | None:  # noqa: A002 - the column
    row = connection.execute(text("SELECT * FROM llm_calls WHERE id = :id"), {"id": id}).mappings().first()
    return from_row(row, body) if row is not None else None


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
