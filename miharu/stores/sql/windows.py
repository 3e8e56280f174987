"""Where rare calls are: the hours that hold them, so that not all calls have to be looked through."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import Query
from miharu.stores.cover import suited
from miharu.stores.rollups import DAY, HOUR, SUMS, Rollup
from miharu.stores.sql.conditions import narrowing
from miharu.stores.sql.snapshot import frequent_since, is_frequent
from miharu.stores.sql.source import LOOKED_UP, Engine, filters_of, led_to, usable

__all__ = ("holding",)

_MOST = 100
"""Windows that are asked one by one; what is older than these is looked through as a whole."""
_HOURLY = tuple(table for table in SUMS if table.grain == HOUR and not table.only)


def holding(connection: Connection, engine: Engine, query: Query, limit: int) -> list[tuple[int, int]] | None:
    """The windows of time that hold the newest calls which were folded in, the newest window first.

    ``None`` where there are no filters, or such that the roll-ups do not know, as they know no tags.
    """
    found = _table(connection, engine, query)
    if found is None:
        return None
    table, conditions, values = found
    marks = engine.marks(connection)
    made = min(query.end, marks.made.get(table.name, 0) // HOUR * HOUR)
    kept = query.start if table.kept_ms is None else max(query.start, marks.horizon - table.kept_ms)
    if table.of_frequent and query.user_id is not None:
        since = frequent_since(connection, query.user_id) or 0
        kept = max(kept, -(-since // HOUR) * HOUR)
    if made <= kept:
        return [(query.start, query.end)]
    windows: list[tuple[int, int]] = [(made, query.end)] if made < query.end else []
    held = 0
    for t, calls in _hours(connection, table, conditions, values, window=(kept, made)):
        if windows and windows[-1][0] == t + HOUR:
            windows[-1] = (t, windows[-1][1])
        elif len(windows) < _MOST:
            windows.append((t, t + HOUR))
        else:
            return [*windows, (query.start, t + HOUR)]
        if query.start <= t and t + HOUR <= query.end:
            held += calls  # else a part of it lies outside, and which one is not known
        if held >= limit:
            return windows
    return [*windows, (query.start, kept)] if kept > query.start else windows


def _table(
    connection: Connection, engine: Engine, query: Query
) -> tuple[Rollup, str, Mapping[str, Any]] | None:
    """The table that knows the hours, and what is sought in it: conditions, and their parameters."""
    filters = filters_of(query)
    if query.tag is not None:
        filters |= dict(zip(("tag", "tag_value"), query.tag, strict=True))
    narrow = narrowing(query, engine.dialect)
    if not (filters or narrow.keys) or not _leads(connection, engine, query, filters):
        return None
    tables = suited(usable(connection, query, _HOURLY), {*filters, *narrow.keys}, None)
    if not tables:
        return None
    conditions = "".join(f" AND {name} = :{name}" for name in filters) + narrow.sums()
    return tables[-1], conditions, {**filters, **narrow.values}


def _leads(connection: Connection, engine: Engine, query: Query, filters: Collection[str]) -> bool:
    """Whether hours are a way to the calls: a few of a user, session or trace have a shorter one."""
    led = set(filters) & set(LOOKED_UP)
    if not led:
        return led_to(connection, query, engine) is None
    return (
        engine.lookup is not None
        and query.user_id is not None
        and led == {"user_id"}
        and is_frequent(connection, query.user_id)
    )


def _hours(
    connection: Connection,
    table: Rollup,
    conditions: str,
    values: Mapping[str, Any],
    *,
    window: tuple[int, int],
) -> Iterator[tuple[int, int]]:
    """Each hour with such calls and how many, the newest first; asked for a few days at a time."""
    kept, made = window
    statement = text(
        f"SELECT t, CAST(sum(calls) AS BIGINT) FROM {table.name} WHERE t > :since AND t < :until{conditions} "
        "GROUP BY t HAVING sum(calls) > 0 ORDER BY t DESC"
    )
    until, first = made, kept - HOUR
    for length in (DAY, 7 * DAY, until - first):
        since = max(first, until - length)
        hours = connection.execute(statement, {**values, "since": since, "until": until})
        yield from ((t, calls) for t, calls in hours.all())
        until = since + 1
