"""Sums: totals, series and groups."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import Dimension, Group, Point, Query, Totals
from miharu.stores.rollups import MEASURES, SUMS
from miharu.stores.sql.source import Engine, divided, source
from miharu.stores.sql.times import latencies

__all__ = ("OF_CALLS", "groups", "keys", "made", "series", "totals")

_BY_STATUS = {"errors": "error", "cancelled": "cancelled"}


def _summed(names: Iterable[str], measures: Mapping[str, str]) -> str:
    expressions = dict(measures) | {
        name: f"CASE WHEN status = '{status}' THEN {measures['calls']} END"
        for name, status in _BY_STATUS.items()
    }
    return ", ".join(f"CAST(coalesce(sum({expressions[name]}), 0) AS BIGINT) AS {name}" for name in names)


_ALL = (*MEASURES, *_BY_STATUS)
_RANKING = ("cost_nanousd", "calls")
"""By these the groups come, most first."""
OF_CALLS = _summed(_ALL, MEASURES)
"""All sums, over calls as they are."""
_IN_ORDER = "ORDER BY cost_nanousd DESC, calls DESC, key"


def totals(connection: Connection, engine: Engine, query: Query) -> Totals:
    (row,) = _sums(connection, engine, query)
    return made(row)


def series(
    connection: Connection, engine: Engine, query: Query, step_ms: int, by: Dimension | None = None
) -> Sequence[Point]:
    order = "ORDER BY step, key" if by else "ORDER BY step"
    rows = _sums(connection, engine, query, by, order, step_ms=step_ms)
    return [Point(t=row["step"], key=(row["key"] or None) if by else None, totals=made(row)) for row in rows]


def groups(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int | None = None
) -> Sequence[Group]:
    among = None if limit is None else _ranked(connection, engine, query, by, limit)
    rows = _sums(connection, engine, query, by, _IN_ORDER, among=among)
    timed = latencies(connection, engine, query, by, among)
    return [
        Group(key=row["key"] or None, totals=made(row), latency=timed[row["key"] or None]) for row in rows
    ]


def keys(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int = 200
) -> Sequence[str]:
    return [key for key in _ranked(connection, engine, query, by, limit + 1) if key][:limit]


def _ranked(connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int) -> Sequence[str]:
    """The first keys; that takes a fraction of what all sums of all keys would."""
    rows = _sums(connection, engine, query, by, f"{_IN_ORDER} LIMIT {int(limit)}", names=_RANKING)
    return [row["key"] for row in rows]


def _sums(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: Dimension | None = None,
    order: str = "",
    *,
    among: Sequence[str] | None = None,
    step_ms: int | None = None,
    names: Sequence[str] = _ALL,
) -> Sequence[Mapping[Any, Any]]:
    """Rows of the step, the key and the sums; one for all where it is divided by neither."""
    if among is not None and not among:
        return ()
    status = ("status",) if not _BY_STATUS.keys().isdisjoint(names) else ()
    measures = [name for name in MEASURES if name in names]
    found = source(
        connection,
        engine,
        query,
        SUMS,
        by=by,
        among=among,
        step_ms=step_ms,
        also=status,
        measures=measures,
    )
    parts = divided(by, step_ms)
    of_folded = ", ".join(
        (*(f"{folded} AS {name}" for name, (folded, _) in parts.items()), *status, *measures)
    )
    of_raw = ", ".join(
        (
            *(f"{raw} AS {name}" for name, (_, raw) in parts.items()),
            *status,
            *(f"{MEASURES[name]} AS {name}" for name in measures),
        )
    )
    sources = [f"SELECT {of_folded} {part}" for _, part in found.folded]
    sources += [f"SELECT {of_raw} {part}" for part in found.raw]
    # A call that was folded out again may leave a row of zeros.
    grouped = f"GROUP BY {', '.join(parts)} HAVING sum(calls) > 0" if parts else ""
    statement = (
        f"SELECT {', '.join((*parts, _summed(names, {name: name for name in measures})))} "
        f"FROM ({' UNION ALL '.join(sources)}) AS parts {grouped} {order}"
    )
    return connection.execute(text(statement), found.values).mappings().all()


def made(row: Mapping[Any, Any]) -> Totals:
    """The sums of a row that has them all."""
    return Totals(**{name: row[name] for name in Totals.__slots__})
