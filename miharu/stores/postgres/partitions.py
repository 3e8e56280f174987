"""A table for each day, so that a day is forgotten by dropping it.

A missing day is made beside the calls and then attached, which waits for no reader or writer. There is
no default partition: a row in it would forbid its day's table for ever.
"""

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from miharu.stores.postgres.errors import LOCKED, state_of
from miharu.stores.postgres.schema import CREATION, lock

__all__ = ("DAY_MS", "Day", "create", "days_of", "drop", "known")

DAY_MS = 86_400_000
FIRST, LAST = 946_684_800_000, 4_102_444_800_000
"""Days from 2000 to 2099 have tables of their own; what is outside is a clock that is wrong."""
_EPOCH = date(1970, 1, 1).toordinal()
_LOCK_TIMEOUT_MS = 300
"""Short, because a session that waits for a table makes all others wait behind it."""

Day = tuple[str, int]
"""A table and a day since the epoch."""


def days_of(table: str, timestamps: Iterable[int]) -> set[Day]:
    """The days whose tables those calls need."""
    return {(table, timestamp // DAY_MS) for timestamp in timestamps if FIRST <= timestamp < LAST}


def known(connection: Connection) -> set[Day]:
    """The days that have tables."""
    rows = connection.exec_driver_sql(
        "SELECT parent.relname, child.relname FROM pg_inherits "
        "JOIN pg_class AS parent ON parent.oid = inhparent JOIN pg_class AS child ON child.oid = inhrelid "
        "WHERE inhparent IN (to_regclass('llm_calls'), to_regclass('llm_bodies'))"
    )
    return {
        (parent, date.fromisoformat(day).toordinal() - _EPOCH)
        for parent, child in rows
        if (day := child.rpartition("_")[2]).isdecimal() and len(day) == 8
    }


def create(connection: Connection, wanted: Collection[Day]) -> set[Day]:
    """Make the tables that are missing; returns the days that have tables then."""
    lock(connection, CREATION)
    there = known(connection)
    for table, day in sorted(set(wanted) - there):
        name = _name(table, day)
        connection.exec_driver_sql(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)"
        )
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ({day * DAY_MS}) TO ({(day + 1) * DAY_MS})"
        )
    return there | set(wanted)


def drop(connection: Connection, days: Collection[Day]) -> bool:
    """Drop them with all that is in them; ``False`` where another session uses one."""
    lock(connection, CREATION)
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            for day in sorted(set(days) & known(connection)):
                connection.exec_driver_sql(f"DROP TABLE {_name(*day)}")
    except DBAPIError as error:
        if state_of(error) != LOCKED:
            raise
        return False
    return True


def _name(table: str, day: int) -> str:
    return f"{table}_{date.fromordinal(_EPOCH + day):%Y%m%d}"
