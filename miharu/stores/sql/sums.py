"""Sums: totals, series and groups."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from miharu.stores.base import (
    By,
    ByTag,
    Group,
    Latency,
    Point,
    Query,
    Totals,
)
from miharu.stores.cover import suited
from miharu.stores.rollups import MEASURES, SUMS
from miharu.stores.sql.conditions import narrowing
from miharu.stores.sql.ranking import ranked_keys
from miharu.stores.sql.selects import ALL, BY_STATUS, selects
from miharu.stores.sql.snapshot import frequent_among
from miharu.stores.sql.source import Engine, Steps, divided, filters_of, usable
from miharu.stores.sql.times import latencies as timed_by
from miharu.stores.sql.times import of_users, of_values

__all__ = ("OF_CALLS", "groups", "latencies", "made", "series", "totals")


def _summed(names: Iterable[str], measures: Mapping[str, str]) -> str:
    expressions = dict(measures) | {
        name: f"CASE WHEN status = '{status}' THEN {measures['calls']} END"
        for name, status in BY_STATUS.items()
    }
    return ", ".join(f"CAST(coalesce(sum({expressions[name]}), 0) AS BIGINT) AS {name}" for name in names)


_SUMMED = tuple(MEASURES)
OF_CALLS = _summed(ALL, MEASURES)
"""All sums, over calls as they are."""
_IN_ORDER = "ORDER BY cost_nanousd DESC, calls DESC, key"


def totals(connection: Connection, engine: Engine, query: Query) -> Totals:
    (row,) = _sums(connection, engine, query)
    return made(row)


def series(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    step_ms: int,
    by: By | None = None,
    among: Sequence[str | None] | None = None,
    offset_ms: int = 0,
    *,
    measures: Sequence[str] | None = None,
) -> Sequence[Point]:
    steps = Steps(step_ms, offset_ms)
    order = "ORDER BY step, key" if by else "ORDER BY step"
    keys = _as_kept(among) if by else None
    names = ALL if measures is None else tuple(name for name in ALL if name in {"calls", *measures})
    of_users = _of_users(connection, engine, query, by=by, among=keys, steps=steps, names=names)
    if of_users is None:
        rows = _sums(connection, engine, query, by, order, steps=steps, among=keys, names=names)
    else:
        rows = sorted(of_users, key=lambda row: (row.step, row.key))
    return [
        Point(t=row.step, key=(row.key or None) if by else None, totals=made(row[1 + bool(by) :], names))
        for row in rows
    ]


def groups(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By,
    limit: int | None = None,
    among: Sequence[str | None] | None = None,
    *,
    timed: bool = True,
) -> Sequence[Group]:
    keys = _as_kept(among)
    if keys is None and limit is not None:
        keys = [key for key, _ in ranked_keys(connection, engine, query, by, limit=limit)]
    return _groups(connection, engine, query, by, keys, timed=timed)[:limit]


def latencies(
    connection: Connection, engine: Engine, query: Query, by: By, among: Sequence[str | None]
) -> Mapping[str | None, Latency]:
    keys = _as_kept(among) or ()
    if by == "user_id":
        found = of_users(connection, engine, query, keys)
    elif isinstance(by, ByTag):
        found = of_values(connection, engine, query, by, keys)
    else:
        found = timed_by(connection, engine, query, by, keys)
    return {key or None: found.get(key or None, Latency()) for key in keys}


def _groups(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By,
    among: Sequence[str] | None,
    *,
    timed: bool,
) -> list[Group]:
    of_users = _of_users(connection, engine, query, by=by, among=among)
    if of_users is None:
        rows = _sums(connection, engine, query, by, _IN_ORDER, among=among)
    else:
        rows = sorted(of_users, key=lambda row: (-row.cost_nanousd, -row.calls, row.key))
    times = timed_by(connection, engine, query, by, among) if timed else {}
    return [
        Group(key=row.key or None, totals=made(row[1:]), latency=times.get(row.key or None, Latency()))
        for row in rows
    ]


def _of_users(
    connection: Connection,
    engine: Engine,
    query: Query,
    *,
    by: By | None,
    among: Sequence[str] | None,
    steps: Steps | None = None,
    names: Sequence[str] = ALL,
) -> list[Row[Any]] | None:
    """Rows of some users, in any order; ``None`` where the sums of all users say it.

    With a filter they do not: there are sums of those with many calls, and few calls of the others.
    """
    if by != "user_id" or among is None or query.user_id is not None or query.tag is not None:
        return None
    keys = {*filters_of(query), *narrowing(query, engine.dialect).keys, "user_id", "status"}
    if suited(usable(connection, query, SUMS), keys, None, _SUMMED):
        return None
    rows: list[Row[Any]] = []
    since: dict[int | None, list[str]] = {}
    frequent = frequent_among(connection, among)
    for key in among:
        moment = frequent.get(key)
        since.setdefault(None if moment is None else max(moment, query.start), []).append(key)
    for moment, some in since.items():
        rows += _sums(
            connection,
            engine,
            query,
            by,
            among=some,
            steps=steps,
            names=names,
            frequent=moment is not None,
            since=moment or 0,
        )
    return rows


def _as_kept(keys: Sequence[str | None] | None) -> Sequence[str] | None:
    return None if keys is None else [key or "" for key in keys]


def _sums(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By | None = None,
    order: str = "",
    *,
    among: Sequence[str] | None = None,
    steps: Steps | None = None,
    names: Sequence[str] = ALL,
    frequent: bool | None = None,
    since: int = 0,
) -> Sequence[Row[Any]]:
    """Rows of the step, the key and the sums; one for all where it is divided by neither."""
    if among is not None and not among:
        return ()
    parts_of, values = selects(
        connection,
        engine,
        query,
        by,
        among=among,
        steps=steps,
        names=names,
        frequent=frequent,
        since=since,
    )
    parts = divided(engine, by, steps)
    # A call that was folded out again may leave a row of zeros.
    grouped = f"GROUP BY {', '.join(parts)} HAVING sum(calls) > 0" if parts else ""
    measures = {name: name for name in MEASURES if name in names}
    statement = (
        f"SELECT {', '.join((*parts, _summed(names, measures)))} "
        f"FROM ({' UNION ALL '.join(parts_of)}) AS parts {grouped} {order}"
    )
    return connection.execute(text(statement), values).all()


def made(sums: Sequence[Any], names: Sequence[str] = ALL) -> Totals:
    """The sums of a row, in the order of their names."""
    return Totals(**dict(zip(names, sums, strict=True)))
