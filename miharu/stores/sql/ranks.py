"""The dearest, slowest, longest calls: no index leads to them, so the newest are looked through.

Of a user all are; where these are many, bounds lead to the largest of them (``largest.py``).

An index on each of these columns would be written to at random, by every call of every program.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Connection, text

from miharu.call import Call
from miharu.stores.base import RANKED, Order, Query, Ranking
from miharu.stores.columns import CALL_COLUMNS, from_row
from miharu.stores.sql.largest import Ranked, largest
from miharu.stores.sql.source import LOOKED_UP, Engine, is_led, where

__all__ = ("in_full", "looked_through", "ranked")


def ranked(
    connection: Connection,
    engine: Engine,
    query: Query,
    *,
    order: Order,
    limit: int = 50,
    before: str | None = None,
) -> Sequence[Call]:
    if order.by not in get_args(Ranking):  # what is not checked here would be SQL
        raise ValueError(f"order by {order.by!r}: choose one of {', '.join(get_args(Ranking))}.")
    unseen, seen = "", dict[str, Any]()
    if before is not None:
        place = _place(connection, engine, order, before)
        if place is None:
            return []
        unseen, seen = place
    if order.by != "timestamp":
        query = replace(query, start=looked_through(connection, query)[0])
    condition, values = where(connection, query, engine)
    column = f"+{order.by}" if order.by == "timestamp" and is_led(connection, query, engine) else order.by
    direction = "DESC" if order.descending else "ASC"
    ties = "ASC" if order.by == "timestamp" and not order.descending else "DESC"
    known = "" if order.by == "timestamp" else f"CASE WHEN {order.by} IS NULL THEN 1 ELSE 0 END, "
    sorting = f"ORDER BY {known}{column} {direction}, id {ties}"
    places = largest(connection, engine, query, order, limit, (unseen, seen))
    if places is not None:
        return _at(connection, places, sorting)
    top = (
        "SELECT timestamp AS top_timestamp, id AS top_id FROM llm_calls "
        f"WHERE {condition}{unseen} {sorting} LIMIT :limit"
    )
    rows = connection.execute(text(in_full(top, sorting)), {**values, **seen, "limit": limit})
    return [from_row(row) for row in rows]


def _at(connection: Connection, places: Sequence[Ranked], sorting: str) -> Sequence[Call]:
    """The calls at these places."""
    if not places:
        return []
    few = ", ".join(f"({int(place.timestamp)}, :id{number})" for number, place in enumerate(places))
    top = f"SELECT column1 AS top_timestamp, column2 AS top_id FROM (VALUES {few}) AS few"
    values = {f"id{number}": place.id for number, place in enumerate(places)}
    return [from_row(row) for row in connection.execute(text(in_full(top, sorting)), values)]


def in_full(top: str, sorting: str) -> str:
    """The calls of a statement that finds the ``top_timestamp`` and ``top_id`` of a few.

    An engine would else carry all columns of all rows that it looks at into the sorting.
    """
    return (
        f"SELECT {CALL_COLUMNS} FROM ({top}) AS top "
        f"JOIN llm_calls ON timestamp = top_timestamp AND id = top_id {sorting}"
    )


def looked_through(connection: Connection, query: Query, most: int | None = None) -> tuple[int, int]:
    """From when on (Unix milliseconds) the newest calls of the window are, and how many; at most ``RANKED``.

    Of a user, a session or a trace there are few: they are looked through whole, and not counted.
    """
    if any(getattr(query, name) is not None for name in LOOKED_UP):
        return query.start, 0
    most = RANKED if most is None else most
    newest = (
        "SELECT timestamp FROM llm_calls WHERE timestamp >= :start AND timestamp < :end "
        "ORDER BY timestamp DESC LIMIT :most"
    )
    row = connection.execute(
        text(f"SELECT count(*) AS calls, min(timestamp) AS first FROM ({newest}) AS newest"),
        {"start": query.start, "end": query.end, "most": most},
    ).one()
    return (row.first if row.calls >= most else query.start), row.calls


def _place(
    connection: Connection, engine: Engine, order: Order, before: str
) -> tuple[str, dict[str, Any]] | None:
    """A condition for all that come behind that call, and its parameters; ``None`` where it is gone."""
    when = " AND timestamp = :at" if engine.when else ""
    values: dict[str, Any] = {"before": before, **({"at": engine.when(before)} if engine.when else {})}
    found = connection.execute(
        text(f"SELECT {order.by} AS reached FROM llm_calls WHERE id = :before{when}"), values
    ).first()
    if found is None:
        return None
    if found.reached is None:
        return f" AND {order.by} IS NULL AND id < :before", {"before": before}
    further = "<" if order.descending else ">"
    ties = ">" if order.by == "timestamp" and not order.descending else "<"
    unknown = "" if order.by == "timestamp" else f" OR {order.by} IS NULL"
    return (
        f" AND ({order.by} {further} :reached OR ({order.by} = :reached AND id {ties} :before){unknown})",
        {"before": before, "reached": found.reached},
    )
