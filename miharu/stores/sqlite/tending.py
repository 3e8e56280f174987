"""What is made of the calls later, in steps of a few milliseconds: the roll-ups and the references.

Writers are serial in SQLite, so calls are committed in the order of their rowids, and a mark between two
of them is exact. Whichever process has time does the next step.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from miharu.stores import steps
from miharu.stores.rollups import DAY, ROLLUPS, Execute, Fold, fold
from miharu.stores.sql import Marks
from miharu.stores.sqlite.references import SEGMENT, lookup, refer
from miharu.stores.sqlite.schema import MARKS

__all__ = ("changing", "forgotten", "is_due", "marks", "start_over", "tend")

FOLDED_AT_ONCE = 2000
"""Calls per transaction, for which other writers wait. Fewer than these are not worth the pages that would be
written for them: a reader adds them up in two milliseconds."""
_IDS_AT_ONCE = 1000
_BELOW = "+rowid < :mark"
_TAG_VALUE = "(SELECT atom FROM json_each(tags) WHERE key = :tag)"
_OF_USER = (
    f"{lookup('user_id', ('user',), window=('first', 'last'))} AND user_id = :user AND +timestamp < :last"
)


def marks(connection: Connection) -> Marks:
    """How far the roll-ups have come."""
    known = _known(connection)
    return Marks(folded=known["folded"], horizon=known["horizon"], made=_made(connection))


def is_due(connection: Connection, now: int, tags: Sequence[str] = ()) -> bool:
    """Whether there is something to do; a look that needs no lock."""
    known = _known(connection)
    so_far = _so_far(connection, known)
    return (
        _is_enough(connection, known)
        or known["horizon"] < _horizon(now)
        or not so_far.tags >= set(tags)
        or steps.is_due(so_far, min(known["newest"], now))
    )


def tend(connection: Connection, now: int, tags: Sequence[str] = ()) -> bool:
    """Do one step; whether another is left.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
        tags: Names of tags by which sums are to be kept.
    """
    known = _known(connection)
    if _renumbered(connection, known):
        start_over(connection)
        known = _known(connection)
    if known["horizon"] < (horizon := _horizon(now)):
        _forget_old(connection, horizon)
        known["horizon"] = horizon
    if not (so_far := _so_far(connection, known)).tags >= set(tags):
        so_far = _keep_by(connection, set(tags) - so_far.tags, known)
    if _is_enough(connection, known):
        _fold_some(connection, known, so_far)
    elif steps.is_due(so_far, newest := min(known["newest"], now)):
        values = {"mark": known["folded"]}
        calls = steps.Calls(below=_BELOW, values=values, newest=newest, of_user=_OF_USER)
        for name, upto in steps.advance(_execute(connection), so_far, calls).items():
            connection.exec_driver_sql("INSERT OR REPLACE INTO miharu_made VALUES (?, ?)", (name, upto))
        so_far = _so_far(connection, known)
    return _is_enough(connection, known) or steps.is_due(so_far, min(known["newest"], now))


def _fold_some(connection: Connection, known: dict[str, int], so_far: Fold) -> None:
    first, upto = known["folded"], known["folded"] + FOLDED_AT_ONCE - 1
    values = {"first": first, "upto": upto}
    fold(_execute(connection), "rowid BETWEEN :first AND :upto", values, so_far)
    newest = connection.exec_driver_sql(
        "SELECT max(timestamp) FROM llm_calls WHERE rowid BETWEEN ? AND ?", (first, upto)
    ).scalar()
    known["folded"], known["newest"] = upto + 1, max(known["newest"], newest or 0)
    _set(connection, folded=upto + 1, folded_at=_time_of(connection, upto), newest=known["newest"])
    if upto - known["referred"] + 1 >= SEGMENT:
        refer(connection, known["referred"], upto)
        _set(connection, referred=upto + 1)


def _forget_old(connection: Connection, horizon: int) -> None:
    for rollup in ROLLUPS:
        if rollup.kept_ms is not None:
            connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t < ?", (horizon - rollup.kept_ms,))
    _set(connection, horizon=horizon)


def _keep_by(connection: Connection, names: Collection[str], known: dict[str, int]) -> Fold:
    """Keep sums by further tags: all sums by tags are made anew, which nobody has to wait for."""
    for name in names:
        connection.exec_driver_sql("INSERT INTO miharu_tags VALUES (?)", (name,))
    for rollup in ROLLUPS:
        if rollup.of_tags:
            connection.exec_driver_sql(f"DELETE FROM {rollup.name}")
            connection.exec_driver_sql("DELETE FROM miharu_made WHERE name = ?", (rollup.name,))
    return _so_far(connection, known)


def changing(connection: Connection, ids: Sequence[str], *, out: bool) -> None:
    """Take calls out of the roll-ups before they change or go, and put them in again afterwards.

    Only those are concerned that had been folded in; the others are still to come.
    """
    known = _known(connection)
    so_far = _so_far(connection, known)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        names = {f"id{number}": id_ for number, id_ in enumerate(ids[start : start + _IDS_AT_ONCE])}
        condition = f"rowid < :mark AND id IN ({', '.join(f':{name}' for name in names)})"
        fold(_execute(connection), condition, {**names, "mark": known["folded"]}, so_far, out=out)


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
    for table in (*(rollup.name for rollup in ROLLUPS), "miharu_refs", "miharu_segments", "miharu_made"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
    connection.exec_driver_sql("DELETE FROM miharu_frequent WHERE user_id <> ''")
    _set(connection, **MARKS, newest=0)


def _is_enough(connection: Connection, known: dict[str, int]) -> bool:
    return _last(connection) - known["folded"] + 1 >= FOLDED_AT_ONCE


def _renumbered(connection: Connection, known: dict[str, int]) -> bool:
    """Whether the rows below the mark are not those that were folded in; a VACUUM may number them anew."""
    at = _time_of(connection, known["folded"] - 1)
    return bool(at) and at != known["folded_at"]


def _known(connection: Connection) -> dict[str, int]:
    rows = connection.exec_driver_sql("SELECT key, value FROM miharu_meta")
    return {row.key: row.value for row in rows}


def _made(connection: Connection) -> dict[str, int]:
    rows = connection.exec_driver_sql("SELECT name, upto FROM miharu_made")
    return {row.name: row.upto for row in rows}


def _so_far(connection: Connection, known: dict[str, int]) -> Fold:
    tags = frozenset(connection.exec_driver_sql("SELECT name FROM miharu_tags").scalars())
    return Fold(horizon=known["horizon"], made=_made(connection), tags=tags, tag_value=_TAG_VALUE)


def _execute(connection: Connection) -> Execute:
    return lambda statement, values: connection.execute(text(statement), values)


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
