"""The roll-ups, made later, by whichever process of whichever machine has time.

Transactions end in any order. But below the oldest that still runs all is settled, so a mark there is exact.
A transaction that changes what may be in a roll-up already holds the lock ``SUMS``, and so is alone.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores import folding, steps
from miharu.stores.folding import Execute, Fold, Partly, fold
from miharu.stores.pace import Pace
from miharu.stores.postgres.changes import HORIZON
from miharu.stores.postgres.schema import SUMS
from miharu.stores.rollups import DAY, ROLLUPS
from miharu.stores.sql import Marks

__all__ = (
    "BETWEEN",
    "changing",
    "execute_on",
    "forget_day",
    "forgotten",
    "is_due",
    "marks",
    "roll_up",
    "so_far_of",
)

Key = tuple[int, str]
"""The timestamp and the id of a call."""

FOLDED_AT_ONCE = 10_000
"""Calls per transaction, about."""
WORTH_IT = 2_000
"""Calls that are folded. A fold of one costs much the same as a fold of many, and a reader adds up the others
in two milliseconds."""
BETWEEN = "timestamp >= :first AND timestamp <= :last"
"""Keeps the engine from looking into each day's table."""
_WEIGHT = "greatest(calls, 1)"
_TAG_VALUE = "(CAST(tags AS json) ->> CAST(:tag AS text))"


def marks(connection: Connection) -> Marks:
    """How far the roll-ups have come, and between which moments calls are that are in none."""
    row = connection.exec_driver_sql(
        "SELECT watermark, horizon, (SELECT min(first) FROM miharu_changes) AS first, "
        "(SELECT max(last) FROM miharu_changes) AS last FROM miharu_state"
    ).one()
    first, last = (row.first, row.last) if row.first is not None else (1, 0)
    values = {"first": first, "last": last}
    return Marks(folded=row.watermark, horizon=row.horizon, values=values, made=_made(connection))


def is_due(connection: Connection, now: int, tags: Sequence[str] = ()) -> bool:
    """Whether there is enough to do; a look that needs no lock."""
    enough = connection.exec_driver_sql(
        f"SELECT horizon < $1 OR coalesce((SELECT sum({_WEIGHT}) FROM miharu_changes "
        f"WHERE xid < {HORIZON}) >= $2, false) FROM miharu_state",
        (_horizon(now), WORTH_IT),
    ).scalar_one()
    so_far = so_far_of(connection)
    return bool(enough) or not so_far.tags >= set(tags) or steps.is_due(so_far, _newest(connection, now))


def roll_up(connection: Connection, now: int, tags: Sequence[str] = (), pace: Pace | None = None) -> bool:
    """Do one step, unless another process does; whether another is left.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
        tags: Names of tags by which sums are to be kept.
        pace: How much a step takes on.
    """
    pace = pace or Pace()
    if not connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock($1)", (SUMS,)).scalar_one():
        return False
    if so_far_of(connection).horizon < (horizon := _horizon(now)):
        _forget_old(connection, horizon)
    if missing := set(tags) - so_far_of(connection).tags:
        _keep_by(connection, missing)
    so_far = so_far_of(connection)
    newest = _newest(connection, now)
    if _fold_some(connection, so_far):
        return True
    if steps.is_due(so_far, newest):
        watermark = connection.exec_driver_sql("SELECT watermark FROM miharu_state").scalar_one()
        calls = steps.CallSource(
            below="xid < :mark",
            values={"mark": watermark},
            newest=newest,
        )
        _note(connection, so_far, steps.advance(execute_on(connection), so_far, calls, pace))
    return steps.is_due(so_far_of(connection), newest)


def _note(connection: Connection, so_far: Fold, moved: steps.StepMove) -> None:
    for name, upto in moved.made.items():
        connection.exec_driver_sql(
            "INSERT INTO miharu_made VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET upto = $2",
            (name, upto),
        )
        if name in so_far.partly:
            connection.exec_driver_sql("DELETE FROM miharu_partly WHERE name = $1", (name,))
    for name, partly in moved.partly.items():
        connection.exec_driver_sql(
            "INSERT INTO miharu_partly VALUES ($1, $2, $3)", (name, partly.upto, json.dumps(partly.keys))
        )


def so_far_of(connection: Connection) -> Fold:
    """The state of the roll-ups: how far each table has come."""
    horizon = connection.exec_driver_sql("SELECT horizon FROM miharu_state").scalar_one()
    tags = frozenset(connection.exec_driver_sql("SELECT name FROM miharu_tags").scalars())
    return Fold(
        horizon=horizon,
        made=_made(connection),
        partly=_partly(connection),
        tags=tags,
        tag_value=_TAG_VALUE,
        temporary="ON COMMIT DROP",
    )


def changing(connection: Connection, keys: Sequence[Key], *, out: bool) -> None:
    """Take calls out of the roll-ups before they change or go, and put them in again afterwards.

    Only those are concerned that had been folded in; the others are still to come.
    """
    if not keys:
        return
    moments = [moment for moment, _ in keys]
    values = {
        "mark": marks(connection).folded,
        "first": min(moments),
        "last": max(moments),
        "ids": [id_ for _, id_ in keys],
    }
    where = f"xid < :mark AND {BETWEEN} AND id = ANY(:ids)"
    fold(execute_on(connection), where, values, so_far_of(connection), out=out)


def _fold_some(connection: Connection, so_far: Fold) -> bool:
    """Fold what is settled; whether enough is left to do so again."""
    settled = connection.exec_driver_sql(f"SELECT {HORIZON}").scalar_one()
    mark = connection.exec_driver_sql("SELECT watermark FROM miharu_state").scalar_one()
    step = connection.exec_driver_sql(
        "SELECT max(xid) + 1 AS upto, min(first) AS first, max(last) AS last, count(*) AS changes "
        f"FROM (SELECT *, sum({_WEIGHT}) OVER (ORDER BY xid) - {_WEIGHT} AS before FROM miharu_changes "
        "WHERE xid < $1) AS settled WHERE before < $2",
        (settled, FOLDED_AT_ONCE),
    ).one()
    if not step.changes:
        return False
    if step.first is not None:
        values = {"mark": mark, "upto": step.upto, "first": step.first, "last": step.last}
        fold(execute_on(connection), f"xid >= :mark AND xid < :upto AND {BETWEEN}", values, so_far)
    connection.exec_driver_sql("DELETE FROM miharu_changes WHERE xid < $1", (step.upto,))
    left = connection.exec_driver_sql(
        "UPDATE miharu_state SET watermark = $1, changes = changes + $2, newest = greatest(newest, $5) "
        f"RETURNING (SELECT sum({_WEIGHT}) >= $3 FROM miharu_changes WHERE xid < $4)",
        (step.upto, step.changes, WORTH_IT, settled, step.last or 0),
    ).scalar_one()
    return bool(left)


def _forget_old(connection: Connection, horizon: int) -> None:
    for rollup in ROLLUPS:
        if rollup.kept_ms is not None:
            connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t < $1", (horizon - rollup.kept_ms,))
    connection.exec_driver_sql("UPDATE miharu_state SET horizon = $1", (horizon,))


def _keep_by(connection: Connection, names: Collection[str]) -> None:
    """Keep sums by further tags: all sums by tags are made anew, and no reader waits for that."""
    for name in names:
        connection.exec_driver_sql("INSERT INTO miharu_tags VALUES ($1)", (name,))
    for rollup in ROLLUPS:
        if rollup.of_tags:
            connection.exec_driver_sql(f"DELETE FROM {rollup.name}")
            for table in ("miharu_made", "miharu_partly"):
                connection.exec_driver_sql(f"DELETE FROM {table} WHERE name = $1", (rollup.name,))


def _made(connection: Connection) -> dict[str, int]:
    return {row.name: row.upto for row in connection.exec_driver_sql("SELECT name, upto FROM miharu_made")}


def _partly(connection: Connection) -> dict[str, Partly]:
    found = connection.exec_driver_sql("SELECT name, upto, keys FROM miharu_partly")
    return {row.name: Partly(row.upto, tuple(json.loads(row.keys))) for row in found}


def _newest(connection: Connection, now: int) -> int:
    return min(now, int(connection.exec_driver_sql("SELECT newest FROM miharu_state").scalar_one()))


def execute_on(connection: Connection) -> Execute:
    """What runs statements of the sums in this transaction."""

    def execute(statement: str, values: Mapping[str, Any]) -> Iterable[Any]:
        result = connection.execute(text(statement), values)
        return result if result.returns_rows else ()

    return execute


def forgotten(connection: Connection, before: int) -> None:
    """Tidy up after calls were deleted: sums of nothing go."""
    for rollup in ROLLUPS:
        connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t < $1 AND {rollup.is_empty}", (before,))


def forget_day(connection: Connection, day: int) -> None:
    """Forget all sums of a day since the epoch, of which no call is left."""
    folding.forget_day(execute_on(connection), day, so_far_of(connection))
    connection.exec_driver_sql(
        "DELETE FROM miharu_partly WHERE upto > $1 AND upto <= $2", (day * DAY, (day + 1) * DAY)
    )


def _horizon(now: int) -> int:
    return now // DAY * DAY
