"""Where rare calls are: the hours that hold them, so that not all calls have to be looked through."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from miharu.stores.base import Query
from miharu.stores.cover import suited
from miharu.stores.rollups import DAY, HOUR, SUMS, Rollup
from miharu.stores.sql.source import LOOKED_UP, Engine, filters_of

__all__ = ("holding",)

_MOST = 100
"""Windows that are asked one by one; what is older than these is looked through as a whole."""
_HOURLY = tuple(table for table in SUMS if table.grain == HOUR and table.kept_ms is None)


def holding(connection: Connection, engine: Engine, query: Query, limit: int) -> list[tuple[int, int]] | None:
    """The windows of time that hold the newest calls which were folded in, the newest window first.

    ``None`` where there are no filters, or such that the roll-ups do not know, as they know no tags.
    """
    filters = filters_of(query)
    tables = suited(_HOURLY, filters, None)
    if (
        not filters
        or not tables
        or query.tag is not None
        or (engine.lookup is not None and set(filters) & set(LOOKED_UP))
    ):
        return None
    windows: list[tuple[int, int]] = []
    found = 0
    for t, calls in _hours(connection, tables[0], query, filters):
        if windows and windows[-1][0] == t + HOUR:
            windows[-1] = (t, windows[-1][1])
        elif len(windows) < _MOST:
            windows.append((t, t + HOUR))
        else:
            windows.append((query.start, t + HOUR))
            break
        if (
            query.start <= t and t + HOUR <= query.end
        ):  # else a part of it lies outside, and nobody knows which
            found += calls
        if found >= limit:
            break
    return windows


def _hours(
    connection: Connection, table: Rollup, query: Query, filters: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Each hour with such calls and how many, the newest first; asked for a few days at a time."""
    conditions = "".join(f" AND {name} = :{name}" for name in filters)
    statement = text(
        f"SELECT t, CAST(sum(calls) AS BIGINT) FROM {table.name} WHERE t > :since AND t < :until{conditions} "
        "GROUP BY t HAVING sum(calls) > 0 ORDER BY t DESC"
    )
    until, first = query.end, query.start - HOUR
    for length in (DAY, 7 * DAY, until - first):
        since = max(first, until - length)
        hours = connection.execute(statement, {**filters, "since": since, "until": until})
        yield from ((t, calls) for t, calls in hours.all())
        until = since + 1
