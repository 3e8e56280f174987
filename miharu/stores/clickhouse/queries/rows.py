"""What is kept, as it is kept: calls, sessions and scores."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from miharu.batch import Score
from miharu.call import Body, Call, moment_of
from miharu.stores.base import NEWEST, Order, Query, Ranking, Searched, Session, Totals
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.queries.reach import looked_through
from miharu.stores.clickhouse.queries.sums import of_sessions
from miharu.stores.clickhouse.tables.conditions import during, live, where
from miharu.stores.clickhouse.tables.schema import TYPES
from miharu.stores.columns import CALLS, LONGEST_JSON, LONGEST_TEXT, SCORES, from_row

__all__ = ("call", "calls", "full_rows", "read", "scores", "searched", "sessions", "texts_as_none")

_LOOKED_THROUGH = (1_000, 100_000)
"""The newest calls with a session, among which the newest sessions are looked for: at first, and at most."""
Key = tuple[int, str, int]
"""The timestamp, the id and the version of a row."""


def read(table: str, names: Sequence[str]) -> str:
    """The columns as they are selected: no more of a text than miharu ever writes, also of rows by others."""
    return ", ".join(
        f"substringUTF8({name}, 1, {LONGEST_JSON.get(name, LONGEST_TEXT)})"
        if "String" in TYPES[table][name] and name != "id"
        else name
        for name in names
    )


def texts_as_none(table: str, names: Sequence[str], row: Sequence[Any]) -> tuple[Any, ...]:
    """The row with ``None`` where a text is empty that stands for none."""
    return tuple(
        None if value == "" and "Nullable" not in TYPES[table][name] else value
        for name, value in zip(names, row, strict=False)
    )


def calls(
    database: Database, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
) -> Sequence[Call]:
    if order.by not in get_args(Ranking):  # what is not checked here would be SQL
        raise ValueError(f"order by {order.by!r}: choose one of {', '.join(get_args(Ranking))}.")
    start = query.start
    unseen = ""
    if before is not None:
        place = _place(database, order, before)
        if place is None:
            return []
        unseen = f" AND {place}"
    if order.by != "timestamp":
        start = looked_through(database, query)
    elif before is not None and order.descending:
        query = replace(query, end=min(query.end, (moment_of(before) or 0) + 1))
    keys = database.query(
        f"SELECT timestamp, id, version FROM llm_calls WHERE {where(query)} AND timestamp >= {start} "
        f"AND {live(query.start, query.end)}{unseen} ORDER BY {_sorting(order)} LIMIT {int(limit)}"
    )
    found = full_rows(database, [(row[0], row[1], row[2]) for row in keys], CALLS)
    made = {row[0]: from_row(texts_as_none("llm_calls", CALLS, row)) for row in found}
    return [made[row[1]] for row in keys if row[1] in made]


def full_rows(database: Database, keys: Sequence[Key], columns: Sequence[str]) -> Sequence[Sequence[Any]]:
    """Those columns of the rows of these keys, in any order; the first is the id."""
    if not keys:
        return []
    moments, ids = among(sorted({key[0] for key in keys})), among(key[1] for key in keys)
    wanted = {(key[1], key[2]) for key in keys}
    rows = database.query(
        f"SELECT {read('llm_calls', columns)}, version FROM llm_calls "
        f"WHERE timestamp IN {moments} AND id IN {ids} AND sign = 1"
    )
    return [row[:-1] for row in rows if (row[0], row[-1]) in wanted]


def call(database: Database, id: str) -> Call | None:  # noqa: A002 - the column's name
    """One call, with its body where that was kept."""
    key = f"timestamp = {literal(moment_of(id) or 0)}"
    rows = database.query(
        f"SELECT {read('llm_calls', CALLS)} FROM llm_calls WHERE {key} AND id = {literal(id)} AND sign = 1 "
        "ORDER BY version DESC LIMIT 1"
    )
    if not rows:
        return None
    bodies = database.query(
        f"SELECT request, response FROM llm_bodies WHERE {key} AND call_id = {literal(id)} "
        "ORDER BY version DESC LIMIT 1"
    )
    body = Body(request=bodies[0][0], response=bodies[0][1]) if bodies else None
    return from_row(texts_as_none("llm_calls", CALLS, rows[0]), body)


def sessions(
    database: Database, query: Query, limit: int = 50, before: int | None = None
) -> Sequence[Session]:
    found: list[Session] = []
    until = query.end if before is None else before
    looked, most = _LOOKED_THROUGH
    while len(found) < limit:
        ids, further = _candidates(database, query, until, limit=limit, looked=looked)
        if not ids:
            break
        until = min(further, until - 1)
        looked = min(most, 4 * looked)
        known = {session.id for session in found}
        made = _sessions(database, query, [id_ for id_ in ids if id_ not in known])
        found += [session for session in made if before is None or session.last < before]
    return found[:limit]


def scores(database: Database, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
    wanted = [
        f"{name} = {literal(value)}"
        for name, value in (("call_id", call_id), ("trace_id", trace_id))
        if value is not None
    ]
    if not wanted:
        return []
    rows = database.query(
        f"SELECT {read('llm_scores', SCORES)} FROM llm_scores WHERE {' OR '.join(wanted)} "
        "ORDER BY timestamp, id LIMIT 1 BY id LIMIT 1000"
    )
    return [Score(**dict(zip(SCORES, row, strict=True))) for row in rows]


def searched(database: Database, query: Query) -> Searched:
    ((kept, indexed),) = database.query(
        "SELECT uniqExact(call_id), uniqExactIf(call_id, is_said = 1) FROM llm_bodies "
        f"WHERE {during(query.start, query.end)}"
    )
    return Searched(kept=int(kept), indexed=int(indexed))


def _sorting(order: Order) -> str:
    direction = "DESC" if order.descending else "ASC"
    if order.by == "timestamp":
        return f"timestamp {direction}, id {direction}"
    return f"{order.by} {direction} NULLS LAST, id DESC"


def _place(database: Database, order: Order, before: str) -> str | None:
    """A condition for all that come behind that call; ``None`` where it is gone and its place not known."""
    at = moment_of(before)
    id_ = literal(before)
    if order.by == "timestamp":
        further = "<" if order.descending else ">"
        return f"(timestamp {further} {at or 0} OR (timestamp = {at or 0} AND id {further} {id_}))"
    rows = database.query(
        f"SELECT {order.by} FROM llm_calls WHERE timestamp = {at or 0} AND id = {id_} AND sign = 1 "
        "ORDER BY version DESC LIMIT 1"
    )
    if not rows:
        return None
    reached = rows[0][0]
    if reached is None:
        return f"(isNull({order.by}) AND id < {id_})"
    further = "<" if order.descending else ">"
    return (
        f"({order.by} {further} {literal(reached)} OR ({order.by} = {literal(reached)} AND id < {id_}) "
        f"OR isNull({order.by}))"
    )


def _candidates(
    database: Database, query: Query, until: int, *, limit: int, looked: int
) -> tuple[list[str], int]:
    """Sessions with calls before that moment, by the newest of these; and before which moment there are more.

    Calls of the millisecond at which it stopped are looked at again: there may be more of them.
    """
    rows = database.query(
        "SELECT session_id, max(timestamp) AS last, min(min(timestamp)) OVER () AS seen FROM ("
        f"SELECT session_id, timestamp FROM llm_calls WHERE {where(query)} AND session_id != '' "
        f"AND timestamp < {literal(until)} ORDER BY timestamp DESC LIMIT {looked}) "
        f"GROUP BY session_id ORDER BY last DESC, session_id LIMIT {int(limit)}"
    )
    if not rows:
        return [], until
    return [row[0] for row in rows], 1 + int(rows[-1][1] if len(rows) == limit else rows[0][2])


def _sessions(database: Database, query: Query, ids: Sequence[str]) -> list[Session]:
    if not ids:
        return []
    made = []
    for row in of_sessions(database, query, ids):
        totals = Totals(**dict(zip(Totals.__slots__, row[4:], strict=True)))
        if totals.calls:  # else the rows that a filter meets have been taken the place of
            made.append(Session(id=row[0], user_id=row[1] or None, first=row[2], last=row[3], totals=totals))
    return made
