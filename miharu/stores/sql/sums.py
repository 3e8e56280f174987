"""Sums: totals, series and groups."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from miharu.stores.base import Dimension, Group, Point, Query, Ranks, Totals
from miharu.stores.cover import suited
from miharu.stores.rollups import MEASURES, SUMS
from miharu.stores.sql.conditions import narrowing
from miharu.stores.sql.snapshot import frequent_among
from miharu.stores.sql.source import Engine, Steps, divided, filters_of, source, usable
from miharu.stores.sql.times import latencies

__all__ = ("OF_CALLS", "groups", "keys", "made", "ranks", "series", "totals")

_BY_STATUS = {"errors": "error", "cancelled": "cancelled"}


def _summed(names: Iterable[str], measures: Mapping[str, str]) -> str:
    expressions = dict(measures) | {
        name: f"CASE WHEN status = '{status}' THEN {measures['calls']} END"
        for name, status in _BY_STATUS.items()
    }
    return ", ".join(f"CAST(coalesce(sum({expressions[name]}), 0) AS BIGINT) AS {name}" for name in names)


_SUMMED = tuple(MEASURES)
_ALL = Totals.__slots__
_RANKING = ("cost_nanousd", "calls")
"""The sums that order groups, largest first."""
OF_CALLS = _summed(_ALL, MEASURES)
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
    by: Dimension | None = None,
    among: Sequence[str | None] | None = None,
    offset_ms: int = 0,
    *,
    measures: Sequence[str] | None = None,
) -> Sequence[Point]:
    steps = Steps(step_ms, offset_ms)
    order = "ORDER BY step, key" if by else "ORDER BY step"
    keys = _as_kept(among) if by else None
    names = _ALL if measures is None else tuple(name for name in _ALL if name in {"calls", *measures})
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
    by: Dimension,
    limit: int | None = None,
    among: Sequence[str | None] | None = None,
) -> Sequence[Group]:
    keys = _as_kept(among)
    if keys is None and limit is not None:
        keys = [key for key, _ in _ranked(connection, engine, query, by, limit=limit)]
    return _groups(connection, engine, query, by, keys)[:limit]


def ranks(  # noqa: PLR0917 - as the question has it
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int = 200, offset: int = 0
) -> Ranks:
    found = _ranked(connection, engine, query, by, limit=limit, offset=offset)
    first = found or (_ranked(connection, engine, query, by, limit=1) if offset else ())
    return Ranks(keys=[key or None for key, _ in found], whole=first[0][1] if first else 0)


def _groups(
    connection: Connection, engine: Engine, query: Query, by: Dimension, among: Sequence[str] | None
) -> list[Group]:
    of_users = _of_users(connection, engine, query, by=by, among=among)
    if of_users is None:
        rows = _sums(connection, engine, query, by, _IN_ORDER, among=among)
    else:
        rows = sorted(of_users, key=lambda row: (-row.cost_nanousd, -row.calls, row.key))
    timed = latencies(connection, engine, query, by, among)
    return [Group(key=row.key or None, totals=made(row[1:]), latency=timed[row.key or None]) for row in rows]


def keys(
    connection: Connection, engine: Engine, query: Query, by: Dimension, limit: int = 200
) -> Sequence[str]:
    return [key for key, _ in _ranked(connection, engine, query, by, limit=limit + 1) if key][:limit]


def _ranked(
    connection: Connection, engine: Engine, query: Query, by: Dimension, *, limit: int, offset: int = 0
) -> Sequence[tuple[str, int]]:
    """The keys from that place on, each with the number of all; a fraction of the work of all their sums."""
    order = f"{_IN_ORDER} LIMIT {int(limit)} OFFSET {int(offset)}"
    rows = _sums(connection, engine, query, by, order, names=_RANKING, also=", count(*) OVER () AS whole")
    return [(row.key, row.whole) for row in rows]


def _of_users(
    connection: Connection,
    engine: Engine,
    query: Query,
    *,
    by: Dimension | None,
    among: Sequence[str] | None,
    steps: Steps | None = None,
    names: Sequence[str] = _ALL,
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
    by: Dimension | None = None,
    order: str = "",
    *,
    among: Sequence[str] | None = None,
    steps: Steps | None = None,
    names: Sequence[str] = _ALL,
    also: str = "",
    frequent: bool | None = None,
    since: int = 0,
) -> Sequence[Row[Any]]:
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
        steps=steps,
        also=status,
        measures=measures,
        frequent=frequent,
        since=since,
    )
    parts = divided(by, steps)
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
        f"SELECT {', '.join((*parts, _summed(names, {name: name for name in measures})))}{also} "
        f"FROM ({' UNION ALL '.join(sources)}) AS parts {grouped} {order}"
    )
    return connection.execute(text(statement), found.values).all()


def made(sums: Sequence[Any], names: Sequence[str] = _ALL) -> Totals:
    """The sums of a row, in the order of their names."""
    return Totals(**dict(zip(names, sums, strict=True)))
