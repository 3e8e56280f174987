"""Where rare calls are: the hours that hold them, so that not all calls have to be looked through."""

from sqlalchemy import Connection, text

from miharu.stores.base import Query
from miharu.stores.cover import suited
from miharu.stores.rollups import HOUR, SUMS
from miharu.stores.sql.source import LOOKED_UP, Engine, filters_of

__all__ = ("holding",)

_MOST = 100
"""Windows that are asked one by one; what is older than these is looked through as a whole."""
_HOURLY = tuple(table for table in SUMS if table.grain == HOUR and table.kept_ms is None)


def holding(connection: Connection, engine: Engine, query: Query, limit: int) -> list[tuple[int, int]] | None:
    """The windows of time that hold the newest calls which were folded in, the newest window first.

    ``None`` where there are no filters, or such that the roll-ups do not know.
    """
    filters = filters_of(query)
    tables = suited(_HOURLY, filters, None)
    if not filters or not tables or (engine.lookup is not None and set(filters) & set(LOOKED_UP)):
        return None
    conditions = "".join(f" AND {name} = :{name}" for name in filters)
    hours = connection.execute(
        text(
            f"SELECT t, CAST(sum(calls) AS BIGINT) FROM {tables[0].name} WHERE t > :start AND t < :end"
            f"{conditions} GROUP BY t HAVING sum(calls) > 0 ORDER BY t DESC"
        ),
        {**filters, "start": query.start - HOUR, "end": query.end},
    )
    windows: list[tuple[int, int]] = []
    found = 0
    for t, calls in hours:
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
    hours.close()
    return windows
