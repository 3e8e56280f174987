"""How far back the newest calls are looked through, where no sums lead to what is meant."""

from miharu.stores.base import RANKED, Query
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.tables.conditions import LOOKED_UP, during

__all__ = ("looked_through",)


def looked_through(database: Database, query: Query) -> int:
    """From when on the newest calls of the window are; at most ``RANKED``, or all of one user, say."""
    if any(getattr(query, name) is not None for name in LOOKED_UP):
        return query.start
    rows = database.query(
        "SELECT min(timestamp), count() FROM (SELECT timestamp FROM llm_calls "
        f"WHERE {during(query.start, query.end)} AND sign = 1 ORDER BY timestamp DESC LIMIT {RANKED})"
    )
    first, number = rows[0]
    return int(first) if number >= RANKED else query.start
