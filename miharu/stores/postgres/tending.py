"""The roll-ups, made later, by whichever process of whichever machine has time.

Transactions end in any order. But below the oldest that still runs all is settled, so a mark there is exact.
Whoever changes what may be in a roll-up already holds the lock ``SUMS``, and so is alone.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from miharu.stores.postgres.changes import HORIZON
from miharu.stores.postgres.schema import SUMS
from miharu.stores.rollups import DAY, ROLLUPS, fold
from miharu.stores.sql import Marks

__all__ = ("BETWEEN", "changing", "forgotten", "is_due", "marks", "tend")

Key = tuple[int, str]
"""The timestamp and the id of a call."""

FOLDED_AT_ONCE = 10_000
"""Calls per transaction, about."""
WORTH_IT = 2_000
"""Calls that are folded. A fold of one costs much the same as a fold of many, and a reader adds up the others
in two milliseconds."""
BETWEEN = "timestamp >= :first AND timestamp <= :last"
"""Spares the engine the look into each day's table."""
_WEIGHT = "greatest(calls, 1)"


def marks(connection: Connection) -> Marks:
    """How far the roll-ups have come, and between which moments calls are that are in none."""
    row = connection.exec_driver_sql(
        "SELECT watermark, horizon, (SELECT min(first) FROM miharu_changes) AS first, "
        "(SELECT max(last) FROM miharu_changes) AS last FROM miharu_state"
    ).one()
    first, last = (row.first, row.last) if row.first is not None else (1, 0)
    return Marks(folded=row.watermark, horizon=row.horizon, values={"first": first, "last": last})


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is enough to do; a look that needs no lock."""
    return bool(
        connection.exec_driver_sql(
            f"SELECT horizon < $1 OR coalesce((SELECT sum({_WEIGHT}) FROM miharu_changes "
            f"WHERE xid < {HORIZON}) >= $2, false) FROM miharu_state",
            (_horizon(now), WORTH_IT),
        ).scalar_one()
    )


def tend(connection: Connection, now: int) -> bool:
    """Do one step, unless somebody else does; whether another is left.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
    """
    if not connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock($1)", (SUMS,)).scalar_one():
        return False
    known = marks(connection)
    if known.horizon < (horizon := _horizon(now)):
        for rollup in ROLLUPS:
            if rollup.kept_ms is not None:
                connection.exec_driver_sql(
                    f"DELETE FROM {rollup.name} WHERE t < $1", (horizon - rollup.kept_ms,)
                )
        connection.exec_driver_sql("UPDATE miharu_state SET horizon = $1", (horizon,))
    else:
        horizon = known.horizon
    settled = connection.exec_driver_sql(f"SELECT {HORIZON}").scalar_one()
    step = connection.exec_driver_sql(
        "SELECT max(xid) + 1 AS upto, min(first) AS first, max(last) AS last, count(*) AS changes "
        f"FROM (SELECT *, sum({_WEIGHT}) OVER (ORDER BY xid) - {_WEIGHT} AS before FROM miharu_changes "
        "WHERE xid < $1) AS settled WHERE before < $2",
        (settled, FOLDED_AT_ONCE),
    ).one()
    if not step.changes:
        return False
    if step.first is not None:
        values = {"mark": known.folded, "upto": step.upto, "first": step.first, "last": step.last}
        fold(connection, f"xid >= :mark AND xid < :upto AND {BETWEEN}", values, horizon)
    connection.exec_driver_sql("DELETE FROM miharu_changes WHERE xid < $1", (step.upto,))
    left = connection.exec_driver_sql(
        "UPDATE miharu_state SET watermark = $1, changes = changes + $2 "
        f"RETURNING (SELECT sum({_WEIGHT}) >= $3 FROM miharu_changes WHERE xid < $4)",
        (step.upto, step.changes, WORTH_IT, settled),
    ).scalar_one()
    return bool(left)


def changing(connection: Connection, keys: Sequence[Key], *, out: bool) -> None:
    """Take calls out of the roll-ups before they change or go, and put them in again afterwards.

    Only those are concerned that had been folded in; the others are still to come.
    """
    if not keys:
        return
    known = marks(connection)
    moments = [moment for moment, _ in keys]
    values = {
        "mark": known.folded,
        "first": min(moments),
        "last": max(moments),
        "ids": [id_ for _, id_ in keys],
    }
    fold(connection, f"xid < :mark AND {BETWEEN} AND id = ANY(:ids)", values, known.horizon, out=out)


def forgotten(connection: Connection, before: int) -> None:
    """Tidy up after calls were deleted: sums of nothing go."""
    for rollup in ROLLUPS:
        connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t < $1 AND {rollup.is_empty}", (before,))


def _horizon(now: int) -> int:
    return now // DAY * DAY
