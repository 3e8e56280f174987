"""Totals, series and groups: from the sums of whole hours, and from the calls at the edges of the window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from miharu.stores.base import (
    MOST_EXPENSIVE,
    By,
    ByTag,
    Group,
    Latency,
    Point,
    Query,
    RankOrder,
    Ranks,
    Totals,
    checked_order,
)
from miharu.stores.base.asked import NUMBER_OF
from miharu.stores.clickhouse.client.database import Database, Rows
from miharu.stores.clickhouse.client.literals import among as listed
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.queries.pieces import Steps, key_of, pieces, step_of
from miharu.stores.clickhouse.queries.reach import looked_through
from miharu.stores.clickhouse.queries.times import latencies as timed_by
from miharu.stores.clickhouse.queries.times import timed as timed_among
from miharu.stores.clickhouse.tables.conditions import is_summed, live, where
from miharu.stores.clickhouse.tables.measures import SIGNED

__all__ = ("groups", "has_sums", "keys", "latencies", "of_sessions", "ranks", "series", "totals")

_ALL = Totals.__slots__
_BY_STATUS = {"errors": "error", "cancelled": "cancelled"}
_IN_ORDER = "ORDER BY s_cost_nanousd DESC, s_calls DESC, key"


def totals(database: Database, query: Query) -> Totals:
    (row,) = _sums(database, query)
    return _made(row)


def has_sums(query: Query) -> bool:
    """Whether sums answer for that query, or few calls."""
    return is_summed(query) or query.session_id is not None or query.trace_id is not None


def series(  # noqa: PLR0917 - as the question has it
    database: Database,
    query: Query,
    step_ms: int,
    by: By | None = None,
    among: Sequence[str | None] | None = None,
    offset_ms: int = 0,
    *,
    measures: Sequence[str] | None = None,
) -> Sequence[Point]:
    names = _ALL if measures is None else tuple(name for name in _ALL if name in {"calls", *measures})
    rows = _sums(
        database,
        query,
        by,
        order=f"ORDER BY step{', key' if by else ''}",
        steps=(step_ms, offset_ms),
        among=among if by else None,
        names=names,
    )
    start = 1 + bool(by)
    return [
        Point(t=row[0], key=(row[1] or None) if by else None, totals=_made(row[start:], names))
        for row in rows
    ]


def groups(
    database: Database,
    query: Query,
    by: By,
    limit: int | None = None,
    among: Sequence[str | None] | None = None,
    *,
    timed: bool = True,
) -> Sequence[Group]:
    if among is None and limit is not None:
        among = [key for key, _ in _ranked(database, query, by, limit=limit)]
    rows = _sums(database, query, by, order=_IN_ORDER, among=among)
    times = timed_by(database, query, by, among) if rows and timed else {}
    made = [
        Group(key=row[0] or None, totals=_made(row[1:]), latency=times.get(row[0] or None, Latency()))
        for row in rows
    ]
    return made[:limit]


def ranks(
    database: Database,
    query: Query,
    by: By,
    limit: int = 200,
    offset: int = 0,
    *,
    order: RankOrder = MOST_EXPENSIVE,
) -> Ranks:
    found = _ranked(database, query, by, limit=limit, offset=offset, order=order)
    first = found or (_ranked(database, query, by, limit=1, order=order) if offset else [])
    return Ranks(keys=[key or None for key, _ in found], whole=first[0][1] if first else 0)


def latencies(
    database: Database, query: Query, by: By, among: Sequence[str | None]
) -> Mapping[str | None, Latency]:
    if by in {"status", "error_type"}:
        found = timed_by(database, query, by, among)
    elif by == "user_id" or isinstance(by, ByTag):
        # no sums are kept of these: whole calls are enough
        known = [key for key in among if key or by == "user_id"]
        found = timed_among(database, query, by, known, ("duration_ms",))
    else:
        found = timed_among(database, query, by, list(among))
    return {key: found.get(key, Latency()) for key in among}


def keys(database: Database, query: Query, by: By, limit: int = 200) -> Sequence[str]:
    return [key for key, _ in _ranked(database, query, by, limit=limit + 1) if key][:limit]


def of_sessions(database: Database, query: Query, ids: Sequence[str]) -> Rows:
    """Of each session its user, its first and its last moment, and all its sums; the newest first."""
    return database.query(
        f"SELECT session_id, max(user), min(first), max(last) AS newest, {_outer(_ALL)} FROM ("
        "SELECT session_id, max(user_id) AS user, min(timestamp) AS first, max(timestamp) AS last, "
        f"status, {_inner(_ALL)} FROM llm_calls WHERE {where(query)} AND session_id IN {listed(ids)} "
        "GROUP BY session_id, status)"
        " GROUP BY session_id ORDER BY newest DESC, session_id"
    )


def _ranked(
    database: Database,
    query: Query,
    by: By,
    *,
    limit: int,
    offset: int = 0,
    order: RankOrder = MOST_EXPENSIVE,
) -> list[tuple[str, int]]:
    """The keys from that place on, each with the number of all."""
    checked_order(order)
    sides = {"own": _ranking(query, by)}
    having = "sum(m_calls) > 0"
    if order.against is not None:
        start, end = order.against
        sides["other"] = _ranking(replace(query, start=start, end=end), by)
        having = "sum(m_calls) + sum(o_calls) > 0"
    if order.by == "errors" or order.errors:
        failed = query.status in {None, "error"}
        sides["failed"] = _ranking(replace(query, status="error"), by) if failed else []
    if order.by == "last":
        sides["newest"] = [_newest(database, query, by)]
    if order.only_new:
        having = "sum(m_calls) > 0 AND sum(o_calls) = 0 AND key <> ''"
    for limit_of in order.errors:
        having += f" AND sum(m_errors) {NUMBER_OF[limit_of.operator]} {int(limit_of.values[0])}"
    if order.matching is not None:
        having += f" AND positionCaseInsensitiveUTF8(key, {literal(order.matching)}) > 0"
    first = {
        "key": "key",
        "cost_nanousd": "sum(m_cost_nanousd)",
        "calls": "sum(m_calls)",
        "each": "sum(m_cost_nanousd) / greatest(sum(m_calls), 1)",
        "moved": "abs(sum(m_cost_nanousd) - sum(o_cost_nanousd))",
        "errors": "sum(m_errors)",
        "last": "max(m_newest)",
    }[order.by]
    columns = [column for side in sides for column in _SIDES[side]]
    selects = []
    for side, statements in sides.items():
        said = ", ".join(f"{_SIDES[side].get(column, '0')} AS {column}" for column in columns)
        selects += [f"SELECT key, {said} FROM ({statement})" for statement in statements]
    rows = database.query(
        f"SELECT key, count() OVER () AS whole FROM ({' UNION ALL '.join(selects)}) GROUP BY key "
        f"HAVING {having} ORDER BY {first} {'DESC' if order.descending else 'ASC'}, "
        f"sum(m_cost_nanousd) DESC, sum(m_calls) DESC, key LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    return [(row[0], row[1]) for row in rows]


_SIDES: Mapping[str, Mapping[str, str]] = {
    "own": {"m_calls": "r_calls", "m_cost_nanousd": "r_cost_nanousd"},
    "other": {"o_calls": "r_calls", "o_cost_nanousd": "r_cost_nanousd"},
    "failed": {"m_errors": "r_calls"},
    "newest": {"m_newest": "newest"},
}
"""What is ranked by, and which sum of which statements says it."""


def _ranking(query: Query, by: By) -> list[str]:
    """Statements for the sums by which keys are ranked."""
    inner = ", ".join(f"{SIGNED[name]} AS r_{name}" for name in ("calls", "cost_nanousd"))
    return [
        f"SELECT {key_of(by)} AS key, {inner} FROM llm_calls WHERE {condition} GROUP BY key"
        for condition, _ in pieces(query, by, None, None)
    ]


def _newest(database: Database, query: Query, by: By) -> str:
    """When the newest call of each began, of the newest calls of the window."""
    query = replace(query, start=looked_through(database, query))
    return (
        f"SELECT {key_of(by)} AS key, max(timestamp) AS newest FROM llm_calls "
        f"WHERE {where(query)} AND {live(query.start, query.end)} GROUP BY key"
    )


def _sums(
    database: Database,
    query: Query,
    by: By | None = None,
    *,
    order: str = "",
    among: Sequence[str | None] | None = None,
    steps: Steps | None = None,
    names: Sequence[str] = _ALL,
) -> Rows:
    """Rows of the step, the key and the sums; one for all where it is divided by neither."""
    if among is not None and not among:
        return []
    status = () if _BY_STATUS.keys().isdisjoint(names) else ("status",)
    parts = {**({"step": ""} if steps else {}), **({"key": key_of(by)} if by else {})}
    selects = []
    for condition, time in pieces(query, by, among, steps):
        if steps:
            parts["step"] = step_of(time, steps)
        divided = [f"{what} AS {name}" for name, what in parts.items()]
        grouped = ", ".join((*parts, *(name for name in status)))
        selects.append(
            f"SELECT {', '.join((*divided, *status, _inner(names)))} FROM llm_calls WHERE {condition}"
            + (f" GROUP BY {grouped}" if grouped else "")
        )
    grouped = f"GROUP BY {', '.join(parts)} HAVING sum(m_calls) > 0" if parts else ""
    return database.query(
        f"SELECT {', '.join((*parts, _outer(names)))} FROM ({' UNION ALL '.join(selects)}) {grouped} {order}"
    )


def _inner(names: Iterable[str]) -> str:
    return ", ".join(f"{SIGNED[name]} AS m_{name}" for name in SIGNED if name in {"calls", *names})


def _outer(names: Sequence[str]) -> str:
    """In the order of the names; an alias takes the place of its column in what is ordered by."""
    return ", ".join(
        f"sumIf(m_calls, status = {literal(_BY_STATUS[name])}) AS s_{name}"
        if name in _BY_STATUS
        else f"sum(m_{name}) AS s_{name}"
        for name in names
    )


def _made(sums: Sequence[Any], names: Sequence[str] = _ALL) -> Totals:
    return Totals(**dict(zip(names, sums, strict=True)))
