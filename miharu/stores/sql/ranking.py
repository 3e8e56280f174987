"""The values of a dimension in an order: by two sums, so that the others need be read of a few only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import (
    MOST_EXPENSIVE,
    By,
    ByTag,
    Query,
    RankedBy,
    RankOrder,
    Ranks,
    checked_order,
)
from miharu.stores.base.asked import NUMBER_OF
from miharu.stores.sql.ranks import looked_through
from miharu.stores.sql.selects import renamed, selects
from miharu.stores.sql.source import Engine, divided, where

__all__ = ("keys", "ranked_keys", "ranks", "tag_names")

_RANKING = ("cost_nanousd", "calls")
_ORDERS: Mapping[RankedBy, str] = {
    "cost_nanousd": "sum(cost_nanousd)",
    "calls": "sum(calls)",
    "each": "sum(cost_nanousd) * 1.0 / CASE WHEN sum(calls) > 0 THEN sum(calls) ELSE 1 END",
    "key": "key",
    "moved": "abs(sum(cost_nanousd) - sum(other_cost_nanousd))",
    "errors": "sum(errors)",
    "last": "max(newest)",
}
_SIDES: Mapping[str, Mapping[str, str]] = {
    "own": {"calls": "calls", "cost_nanousd": "cost_nanousd"},
    "other": {"other_calls": "calls", "other_cost_nanousd": "cost_nanousd"},
    "failed": {"errors": "calls"},
    "newest": {"newest": "newest"},
}
"""What is ranked by, and which sum of which statements says it."""


def ranks(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By,
    limit: int = 200,
    offset: int = 0,
    *,
    order: RankOrder = MOST_EXPENSIVE,
) -> Ranks:
    found = ranked_keys(connection, engine, query, by, limit=limit, offset=offset, order=order)
    first = found
    if offset and not found:
        first = ranked_keys(connection, engine, query, by, limit=1, order=order)
    return Ranks(keys=[key or None for key, _ in found], whole=first[0][1] if first else 0)


def keys(connection: Connection, engine: Engine, query: Query, by: By, limit: int = 200) -> Sequence[str]:
    return [key for key, _ in ranked_keys(connection, engine, query, by, limit=limit + 1) if key][:limit]


def ranked_keys(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By,
    *,
    limit: int,
    offset: int = 0,
    order: RankOrder = MOST_EXPENSIVE,
) -> Sequence[tuple[str, int]]:
    """The keys from that place on, each with the number of all; a fraction of the work of all their sums."""
    checked_order(order)
    sides: dict[str, tuple[Sequence[str], Mapping[str, Any]]] = {}

    def summed(side: str, query: Query) -> None:
        sides[side] = selects(connection, engine, query, by, names=_RANKING)

    summed("own", query)
    having = "sum(calls) > 0"
    if order.against is not None:
        start, end = order.against
        summed("other", replace(query, start=start, end=end))
        having = "sum(calls) + sum(other_calls) > 0"
    if order.by == "errors" or order.errors:
        sides["failed"] = ((), {})
        if query.status in {None, "error"}:
            summed("failed", replace(query, status="error"))
    if order.by == "last":
        sides["newest"] = _newest(connection, engine, query, by)
    if order.only_new:
        having = "sum(calls) > 0 AND sum(other_calls) = 0 AND key <> ''"
    for one in order.errors:
        having += f" AND coalesce(sum(errors), 0) {NUMBER_OF[one.operator]} {int(one.values[0])}"
    parts, values = _united(sides)
    if order.matching is not None:
        having += f" AND {engine.contains}"
        values["matching"] = order.matching
    statement = (
        f"SELECT key, count(*) OVER () AS whole FROM ({' UNION ALL '.join(parts)}) AS parts GROUP BY key "
        f"HAVING {having} ORDER BY {_ORDERS[order.by]} {'DESC' if order.descending else 'ASC'}, "
        f"sum(cost_nanousd) DESC, sum(calls) DESC, key LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    return [(row.key, row.whole) for row in connection.execute(text(statement), values)]


def _newest(
    connection: Connection, engine: Engine, query: Query, by: By
) -> tuple[list[str], Mapping[str, Any]]:
    """When the newest call of each began, of the newest calls of the window."""
    query = replace(query, start=looked_through(connection, query)[0])
    condition, values = where(connection, query, engine)
    key = divided(engine, by, None)["key"][1]
    if isinstance(by, ByTag):
        values["by_tag"] = by.name
    return [
        f"SELECT {key} AS key, max(timestamp) AS newest FROM llm_calls WHERE {condition} GROUP BY 1"
    ], values


def _united(sides: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]]) -> tuple[list[str], dict[str, Any]]:
    """The statements of all sides, each with zeros for what the others say, and their parameters.

    In one statement, all but the first have these under other names.
    """
    columns = [column for side in sides for column in _SIDES[side]]
    parts, values = list[str](), dict[str, Any]()
    for side, (statements, more) in sides.items():
        prefix = "" if side == "own" else f"{side}_"
        values |= {f"{prefix}{name}": value for name, value in more.items()}
        said = ", ".join(f"{_SIDES[side].get(column, '0')} AS {column}" for column in columns)
        parts += [f"SELECT key, {said} FROM ({renamed(one, prefix)}) AS {side}" for one in statements]
    return parts if len(sides) > 1 else list(sides["own"][0]), values


def tag_names(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
) -> Sequence[str]:
    return list(connection.execute(text("SELECT name FROM miharu_tags ORDER BY name")).scalars())
