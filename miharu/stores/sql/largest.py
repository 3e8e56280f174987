"""The largest calls of a user with many: in which hours they can be, so that not all are looked through.

``LARGEST`` has an upper bound for each hour. Hours are read in the order of their bounds until the page is
full and no other can hold a call that belongs on it: hardly more hours than the page has rows.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from miharu.stores.base import Order, Query
from miharu.stores.rollups import HOUR, LARGEST, ORDERED
from miharu.stores.sql.snapshot import frequent_since
from miharu.stores.sql.source import Engine, where

__all__ = ("Ranked", "largest")

_FEWEST = 16
"""Hours of the first round: fewer are not worth a statement."""


class Ranked(NamedTuple):
    """A call and what it is ordered by."""

    value: int | None
    timestamp: int
    id: str


class _Hours(NamedTuple):
    """Where calls that are folded in can be."""

    edges: Sequence[tuple[int, int]]
    """Windows of which nothing is known."""
    bounds: Sequence[tuple[int, int]]
    """The beginning of each hour between them, and what none of its calls exceeds; the largest first."""


def largest(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    order: Order,
    limit: int,
    further: tuple[str, dict[str, Any]],
) -> Sequence[Ranked] | None:
    """The first calls in that order; ``None`` where bounds do not lead to them.

    Args:
        connection: In the snapshot that is read.
        engine: Whose SQL it is.
        query: Which calls.
        order: Their order.
        limit: How many, at most.
        further: A condition for those that are not behind, and its parameters.
    """
    if (hours := _hours(connection, engine, query, order, limit)) is None:
        return None
    marks = engine.marks(connection)
    condition, values = where(connection, query, engine, led=True)
    unseen, seen = further
    values |= {**marks.values, **seen, "mark": marks.folded, "limit": limit}
    ordered = (
        f"ORDER BY CASE WHEN {order.by} IS NULL THEN 1 ELSE 0 END, {order.by} DESC, id DESC LIMIT :limit"
    )

    def read(part: str) -> Iterator[Ranked]:
        statement = f"SELECT {order.by} AS value, timestamp, id {part} AND {condition}{unseen} {ordered}"
        yield from (Ranked(*row) for row in connection.execute(text(statement), values))

    first = list(read(f"FROM llm_calls WHERE {engine.above}"))
    for windows, bound in _rounds(hours, limit):
        first = _first({*first, *read(engine.within(query, windows))}, limit)
        if len(first) == limit and (least := first[-1].value) is not None and least > bound:
            break  # not where they are equal: of equal ones the id decides
    return first


def _first(found: Iterable[Ranked], limit: int) -> list[Ranked]:
    by_id = sorted(found, key=lambda one: one.id, reverse=True)
    return sorted(by_id, key=lambda one: math.inf if one.value is None else -one.value)[:limit]


def _hours(connection: Connection, engine: Engine, query: Query, order: Order, limit: int) -> _Hours | None:
    if query.user_id is None or not order.descending or order.by not in ORDERED:
        return None
    if query.session_id is not None or query.trace_id is not None:
        return None  # they have few calls, which are found otherwise
    since = frequent_since(connection, query.user_id)
    if since is None:
        return None
    (table,) = LARGEST
    marks = engine.marks(connection)
    kept = max(since, query.start, marks.horizon - (table.kept_ms or marks.horizon))
    first = -(-kept // HOUR) * HOUR
    last = min(query.end, marks.made.get(table.name, 0)) // HOUR * HOUR
    if first >= last:
        return None
    if last - first <= HOUR * max(limit, _FEWEST):
        return None  # all of them would be read at once
    rows = connection.execute(
        text(
            f"SELECT t, {order.by} FROM {table.name} WHERE t >= :first AND t < :last AND user_id = :user "
            "ORDER BY 2 DESC, 1 DESC"
        ),
        {"first": first, "last": last, "user": query.user_id},
    )
    edges = ((query.start, first), (last, query.end))
    return _Hours([edge for edge in edges if edge[0] < edge[1]], [(t, bound) for t, bound in rows])


def _rounds(hours: _Hours, limit: int) -> Iterator[tuple[list[tuple[int, int]], float]]:
    """Windows that are read together, and what no call outside of these and the earlier ones exceeds."""
    windows, done, size = list(hours.edges), 0, max(limit, _FEWEST)
    while windows or done < len(hours.bounds):
        windows += _joined(t for t, _ in hours.bounds[done : done + size])
        done, size = done + size, 2 * size
        yield windows, hours.bounds[done][1] if done < len(hours.bounds) else -math.inf
        windows = []


def _joined(beginnings: Iterable[int]) -> list[tuple[int, int]]:
    """Hours as windows, those that follow each other as one."""
    windows: list[tuple[int, int]] = []
    for t in sorted(beginnings):
        if windows and windows[-1][1] == t:
            windows[-1] = (windows[-1][0], t + HOUR)
        else:
            windows.append((t, t + HOUR))
    return windows
