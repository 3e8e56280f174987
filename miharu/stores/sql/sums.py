"""Sums: totals, series and groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import Dimension, Group, Point, Query, Totals
from miharu.stores.rollups import KEYS, MEASURES, SUMS
from miharu.stores.sql.source import Engine, checked, source
from miharu.stores.sql.times import latencies

__all__ = ("OF_CALLS", "groups", "keys", "made", "series", "totals")

_BY_STATUS = {"errors": "error", "cancelled": "cancelled"}


def _summed(measures: dict[str, str]) -> str:
    by_status = {
        name: f"CASE WHEN status = '{status}' THEN {measures['calls']} END"
        for name, status in _BY_STATUS.items()
    }
    return ", ".join(
        f"CAST(coalesce(sum({expression}), 0) AS BIGINT) AS {name}"
        for name, expression in (measures | by_status).items()
    )


_TOTALS = _summed({name: name for name in MEASURES})
OF_CALLS = _summed(dict(MEASURES))
"""The same sums, over calls as they are."""
_KEYED = "GROUP BY 1, 2 HAVING sum(calls) > 0"
"""A call that was folded out again may leave a row of zeros."""
_FOLDED = ", ".join(("status", *MEASURES))
_RAW = ", ".join(("status", *(f"{expression} AS {name}" for name, expression in MEASURES.items())))


def totals(connection: Connection, engine: Engine, query: Query) -> Totals:
    (row,) = _sums(connection, engine, query)
    return made(row)


def series(
    connection: Connection, engine: Engine, query: Query, step_ms: int, by: Dimension | None = None
) -> Sequence[Point]:
    rows = _sums(connection, engine, query, by, f"{_KEYED} ORDER BY 1, 2", step_ms=step_ms)
    return [Point(t=row["step"], key=row["key"] or None, totals=made(row)) for row in rows]


def groups(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int | None = None
) -> Sequence[Group]:
    rows = _ranked(connection, engine, query, by, limit)
    timed = latencies(connection, engine, query, by)
    return [
        Group(key=row["key"] or None, totals=made(row), latency=timed[row["key"] or None]) for row in rows
    ]


def keys(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int = 200
) -> Sequence[str]:
    rows = _ranked(connection, engine, query, by, limit + 1)
    return [row["key"] for row in rows if row["key"]][:limit]


def _ranked(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int | None
) -> Sequence[Mapping[Any, Any]]:
    most = "" if limit is None else f" LIMIT {int(limit)}"
    ranking = f"{_KEYED} ORDER BY cost_nanousd DESC, calls DESC, 2{most}"
    return _sums(connection, engine, query, checked(by), ranking)


def _sums(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: Dimension | None = None,
    grouped: str = "",
    *,
    step_ms: int | None = None,
) -> Sequence[Mapping[Any, Any]]:
    """Rows of the step, the key and the sums; one for all where they are not grouped."""
    found = source(connection, engine, query, SUMS, by=by, step_ms=step_ms)
    key = checked(by) if by else "''"
    raw_key = KEYS[by] if by else key
    times = (f"{name} - {name} % {int(step_ms)}" if step_ms else "0" for name in ("t", "timestamp"))
    folded_time, raw_time = times
    parts = [f"SELECT {folded_time} AS step, {key} AS key, {_FOLDED} {part}" for _, part in found.folded]
    parts += [f"SELECT {raw_time} AS step, {raw_key} AS key, {_RAW} {part}" for part in found.raw]
    head = "step, key, " if grouped else ""
    statement = f"SELECT {head}{_TOTALS} FROM ({' UNION ALL '.join(parts)}) AS parts {grouped}"
    return connection.execute(text(statement), found.values).mappings().all()


def made(row: Mapping[Any, Any]) -> Totals:
    return Totals(**{name: row[name] for name in Totals.__slots__})
