"""What is made of the calls later, in steps of a few milliseconds: the roll-ups and the references.

Writers are serial in SQLite, so calls are committed in the order of their rowids, and a mark between two
of them is exact. Whichever process has time does the next step.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from miharu.stores.rollups import DAY, ROLLUPS, fold
from miharu.stores.sql import Marks
from miharu.stores.sqlite.references import SEGMENT, refer
from miharu.stores.sqlite.schema import MARKS

__all__ = ("changing", "forgotten", "is_due", "marks", "start_over", "tend")

FOLDED_AT_ONCE = 2000
"""Calls per transaction, for which other writers wait. Fewer than these are not worth the pages that would be
written for them: a reader adds them up in two milliseconds."""
_IDS_AT_ONCE = 1000


def marks(connection: Connection) -> Marks:
    """How far the roll-ups have come."""
    known = _known(connection)
    return Marks(folded=known["folded"], horizon=known["horizon"])


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is something to do; a look that needs no lock."""
    known = _known(connection)
    return _is_enough(connection, known) or known["horizon"] < _horizon(now)


def tend(connection: Connection, now: int) -> bool:
    """Do one step; whether another is left.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
    """
    known = _known(connection)
    if _renumbered(connection, known):
        start_over(connection)
        known = _known(connection)
    if known["horizon"] < (horizon := _horizon(now)):
        for rollup in ROLLUPS:
            if rollup.kept_ms is not None:
                connection.exec_driver_sql(
                    f"DELETE FROM {rollup.name} WHERE t < ?", (horizon - rollup.kept_ms,)
                )
        _set(connection, horizon=horizon)
        known["horizon"] = horizon
    if not _is_enough(connection, known):
        return False
    first, upto = known["folded"], known["folded"] + FOLDED_AT_ONCE - 1
    fold(connection, "rowid BETWEEN :first AND :upto", {"first": first, "upto": upto}, known["horizon"])
    known["folded"] = upto + 1
    _set(connection, folded=upto + 1, folded_at=_time_of(connection, upto))
    if upto - known["referred"] + 1 >= SEGMENT:
        refer(connection, known["referred"], upto)
        _set(connection, referred=upto + 1)
    return _is_enough(connection, known)


def changing(connection: Connection, ids: Sequence[str], *, out: bool) -> None:
    """Take calls out of the roll-ups before they change or go, and put them in again afterwards.

    Only those are concerned that had been folded in; the others are still to come.
    """
    known = marks(connection)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        names = {f"id{number}": id_ for number, id_ in enumerate(ids[start : start + _IDS_AT_ONCE])}
        condition = f"rowid < :mark AND id IN ({', '.join(f':{name}' for name in names)})"
        fold(connection, condition, {**names, "mark": known.folded}, known.horizon, out=out)


def forgotten(connection: Connection, before: int) -> None:
    """Tidy up after calls were deleted: sums of nothing go, and no new call gets a row below a mark."""
    for rollup in ROLLUPS:
        connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t < ? AND {rollup.is_empty}", (before,))
    known, end = _known(connection), _last(connection) + 1
    if known["folded"] > end:
        _set(connection, folded=end, folded_at=_time_of(connection, end - 1))
    _set(connection, referred=min(known["referred"], end))


def start_over(connection: Connection) -> None:
    """Forget all that was derived; it is made anew, and nobody sees a wrong sum meanwhile."""
    for table in (*(rollup.name for rollup in ROLLUPS), "miharu_refs", "miharu_segments"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
    _set(connection, **MARKS)


def _is_enough(connection: Connection, known: dict[str, int]) -> bool:
    return _last(connection) - known["folded"] + 1 >= FOLDED_AT_ONCE


def _renumbered(connection: Connection, known: dict[str, int]) -> bool:
    """Whether the rows below the mark are not those that were folded in; a VACUUM may number them anew."""
    at = _time_of(connection, known["folded"] - 1)
    return bool(at) and at != known["folded_at"]


def _known(connection: Connection) -> dict[str, int]:
    rows = connection.exec_driver_sql("SELECT key, value FROM miharu_meta")
    return {row.key: row.value for row in rows}


def _set(connection: Connection, **values: int) -> None:
    for key, value in values.items():
        connection.exec_driver_sql("UPDATE miharu_meta SET value = ? WHERE key = ?", (value, key))


def _last(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT coalesce(max(rowid), 0) FROM llm_calls").scalar_one())


def _time_of(connection: Connection, rowid: int) -> int:
    found = connection.exec_driver_sql("SELECT timestamp FROM llm_calls WHERE rowid = ?", (rowid,)).scalar()
    return int(found or 0)


def _horizon(now: int) -> int:
    return now // DAY * DAY
