"""What is read in a way of PostgreSQL's own: calls by their keys, which begin with the time.

Days are looked through in a few at a time, the newest first, because a query has to lock each table that it
might need, and a server has a limited number of locks.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from miharu.call import Call, moment_of
from miharu.stores.bodies import unpack
from miharu.stores.columns import BODY_COLUMNS, CALL_COLUMNS, from_row
from miharu.stores.postgres.partitions import DAY_MS, FIRST, LAST, known
from miharu.stores.rollups import ROLLUPS

__all__ = ("call", "size", "windows")

_DAYS_AT_ONCE = (2, 8, 32, 128)


def windows(connection: Connection, start: int, end: int) -> Sequence[tuple[int, int]]:
    """Stretches of time, the newest first, that hold all calls of that one."""
    days = sorted(
        {day for table, day in known(connection) if table == "llm_calls" and _meets(day, start, end)},
        reverse=True,
    )
    found = [(max(start, LAST), end)]
    done, size = 0, 0
    while done < len(days):
        some = days[done : done + _DAYS_AT_ONCE[size]]
        found.append((max(start, some[-1] * DAY_MS), min(end, (some[0] + 1) * DAY_MS)))
        done, size = done + len(some), min(size + 1, len(_DAYS_AT_ONCE) - 1)
    found.append((start, min(end, FIRST)))
    return [(first, last) for first, last in found if first < last]


def call(connection: Connection, id: str) -> Call | None:  # noqa: A002 - the column's name
    """One call, with its body where that was kept."""
    key = (moment_of(id), id)
    row = connection.exec_driver_sql(
        f"SELECT {CALL_COLUMNS} FROM llm_calls WHERE timestamp = $1 AND id = $2", key
    ).first()
    if row is None:
        return None
    body = connection.exec_driver_sql(
        f"SELECT {BODY_COLUMNS} FROM llm_bodies WHERE timestamp = $1 AND call_id = $2", key
    ).first()
    return from_row(row, unpack(body.request, body.response) if body is not None else None)


def size(connection: Connection) -> int:
    """Bytes on disk, with all indexes."""
    return int(
        connection.exec_driver_sql(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND "
            "relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('miharu_schema')) AND "
            r"(relname LIKE 'llm\_%' OR relname LIKE 'miharu\_%' OR relname = ANY($1))",
            ([rollup.name for rollup in ROLLUPS],),
        ).scalar_one()
    )


def _meets(day: int, start: int, end: int) -> bool:
    return day * DAY_MS < end and start < (day + 1) * DAY_MS
