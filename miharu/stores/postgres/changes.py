"""What has changed: one small row for each transaction, which no other transaction waits for.

A row that every writer updates would let them write one at a time only, and a sequence moves before the
change can be seen. Rows are seen exactly when their calls are. In time they are counted into the one row of
``miharu_state`` and go.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

__all__ = ("HORIZON", "note", "revision")

HORIZON = (
    "(SELECT xid_offset + CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) "
    "FROM miharu_state)"
)
"""Every transaction below it is over: what can be seen of them now is all there will ever be."""


def note(connection: Connection, timestamps: Sequence[int] = ()) -> None:
    """Say that something changes in this transaction, and at which moments calls are new."""
    connection.exec_driver_sql(
        "INSERT INTO miharu_changes (calls, first, last) VALUES ($1, $2, $3)",
        (len(timestamps), min(timestamps, default=None), max(timestamps, default=None)),
    )


def revision(connection: Connection) -> int:
    """How many transactions have changed something."""
    return int(
        connection.exec_driver_sql(
            "SELECT changes + (SELECT count(*) FROM miharu_changes) FROM miharu_state"
        ).scalar_one()
    )
