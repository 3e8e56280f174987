"""The values of a dimension in an order: by two sums, so that the others need be read of a few only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, text

from miharu.stores.base import MOST_EXPENSIVE, By, Query, RankedBy, RankOrder, Ranks, checked_order
from miharu.stores.sql.selects import selects
from miharu.stores.sql.source import Engine

__all__ = ("keys", "ranked_keys", "ranks", "tag_names")

_RANKING = ("cost_nanousd", "calls")
_ORDERS: Mapping[RankedBy, str] = {
    "cost_nanousd": "sum(cost_nanousd)",
    "calls": "sum(calls)",
    "each": "sum(cost_nanousd) * 1.0 / CASE WHEN sum(calls) > 0 THEN sum(calls) ELSE 1 END",
    "key": "key",
    "moved": "abs(sum(cost_nanousd) - sum(other_cost_nanousd))",
}
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")


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
    parts, values = selects(connection, engine, query, by, names=_RANKING)
    having = "sum(calls) > 0"
    if order.against is not None:
        start, end = order.against
        others, more = selects(connection, engine, replace(query, start=start, end=end), by, names=_RANKING)
        # of two times in one statement, one has its parameters under other names
        others = [_PARAMETER.sub(r":other_\1", select) for select in others]
        values = {**values, **{f"other_{name}": value for name, value in more.items()}}
        parts = [f"SELECT key, {_columns('{}', '0')} FROM ({select}) AS own" for select in parts]
        parts += [f"SELECT key, {_columns('0', '{}')} FROM ({select}) AS other" for select in others]
        having = "sum(calls) + sum(other_calls) > 0"
    if order.only_new:
        having = "sum(calls) > 0 AND sum(other_calls) = 0 AND key <> ''"
    if order.matching is not None:
        having += f" AND {engine.contains}"
        values = {**values, "matching": order.matching}
    statement = (
        f"SELECT key, count(*) OVER () AS whole FROM ({' UNION ALL '.join(parts)}) AS parts GROUP BY key "
        f"HAVING {having} ORDER BY {_ORDERS[order.by]} {'DESC' if order.descending else 'ASC'}, "
        f"sum(cost_nanousd) DESC, sum(calls) DESC, key LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    return [(row.key, row.whole) for row in connection.execute(text(statement), values)]


def _columns(own: str, other: str) -> str:
    """The sums of one time, beside zeros for the other."""
    return ", ".join(
        f"{what.format(name)} AS {prefix}{name}"
        for what, prefix in ((own, ""), (other, "other_"))
        for name in _RANKING
    )


def tag_names(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
) -> Sequence[str]:
    return list(connection.execute(text("SELECT name FROM miharu_tags ORDER BY name")).scalars())
