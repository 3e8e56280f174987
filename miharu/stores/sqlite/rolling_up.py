"""What is made of the calls later, in steps of a few milliseconds: the roll-ups and the references.

Writers are serial in SQLite, so calls are committed in the order of their rowids, and a mark between two
of them is exact. Whichever process has time does the next step.
"""

import sqlite3
from collections.abc import Collection, Sequence

from miharu.stores import steps
from miharu.stores.rollups import DAY, ROLLUPS, Fold, fold
from miharu.stores.sqlite.references import SEGMENT, lookup, refer
from miharu.stores.sqlite.schema import MARKS

__all__ = ("changing", "forgotten", "is_due", "roll_up", "start_over")

FOLDED_AT_ONCE = 2000
"""Calls per transaction, for which other writers wait. Fewer than these are not worth the pages that would be
written for them: a reader adds them up in two milliseconds."""
_IDS_AT_ONCE = 1000
_BELOW = "+rowid < :mark"
_TAG_VALUE = "(SELECT atom FROM json_each(tags) WHERE key = :tag)"
_OF_USER = (
    f"{lookup('user_id', ('user',), window=('first', 'last'))} AND user_id = :user AND +timestamp < :last"
)


def is_due(connection: sqlite3.Connection, now: int, tags: Sequence[str] = ()) -> bool:
    """Whether there is something to do; a look that needs no lock."""
    known = _known(connection)
    so_far = _so_far(connection, known)
    return (
        _is_enough(connection, known)
        or known["horizon"] < _horizon(now)
        or not so_far.tags >= set(tags)
        or steps.is_due(so_far, min(known["newest"], now))
    )


def roll_up(connection: sqlite3.Connection, now: int, tags: Sequence[str] = ()) -> bool:
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
        for name, upto in steps.advance(connection.execute, so_far, calls).items():
            connection.execute("INSERT OR REPLACE INTO miharu_made VALUES (?, ?)", (name, upto))
        so_far = _so_far(connection, known)
    return _is_enough(connection, known) or steps.is_due(so_far, min(known["newest"], now))


def _fold_some(connection: sqlite3.Connection, known: dict[str, int], so_far: Fold) -> None:
    first, upto = known["folded"], known["folded"] + FOLDED_AT_ONCE - 1
    values = {"first": first, "upto": upto}
    fold(connection.execute, "rowid BETWEEN :first AND :upto", values, so_far)
    (newest,) = connection.execute(
        "SELECT max(timestamp) FROM llm_calls WHERE rowid BETWEEN ? AND ?", (first, upto)
    ).fetchone()
    known["folded"], known["newest"] = upto + 1, max(known["newest"], newest or 0)
    _set(connection, folded=upto + 1, folded_at=_time_of(connection, upto), newest=known["newest"])
    if upto - known["referred"] + 1 >= SEGMENT:
        refer(connection, known["referred"], upto)
        _set(connection, referred=upto + 1)


def _forget_old(connection: sqlite3.Connection, horizon: int) -> None:
    for rollup in ROLLUPS:
        if rollup.kept_ms is not None:
            connection.execute(f"DELETE FROM {rollup.name} WHERE t < ?", (horizon - rollup.kept_ms,))
    _set(connection, horizon=horizon)


def _keep_by(connection: sqlite3.Connection, names: Collection[str], known: dict[str, int]) -> Fold:
    """Keep sums by further tags: all sums by tags are made anew, which nobody has to wait for."""
    for name in names:
        connection.execute("INSERT INTO miharu_tags VALUES (?)", (name,))
    for rollup in ROLLUPS:
        if rollup.of_tags:
            connection.execute(f"DELETE FROM {rollup.name}")
            connection.execute("DELETE FROM miharu_made WHERE name = ?", (rollup.name,))
    return _so_far(connection, known)


def changing(connection: sqlite3.Connection, ids: Sequence[str], *, out: bool) -> None:
    """Take calls out of the roll-ups before they change or go, and put them in again afterwards.

    Only those are concerned that had been folded in; the others are still to come.
    """
    known = _known(connection)
    so_far = _so_far(connection, known)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        names = {f"id{number}": id_ for number, id_ in enumerate(ids[start : start + _IDS_AT_ONCE])}
        condition = f"rowid < :mark AND id IN ({', '.join(f':{name}' for name in names)})"
        fold(connection.execute, condition, {**names, "mark": known["folded"]}, so_far, out=out)


def forgotten(connection: sqlite3.Connection, before: int) -> None:
    """Tidy up after calls were deleted: sums of nothing go, and no new call gets a row below a mark."""
    for rollup in ROLLUPS:
        connection.execute(f"DELETE FROM {rollup.name} WHERE t < ? AND {rollup.is_empty}", (before,))
    known, end = _known(connection), _last(connection) + 1
    if known["folded"] > end:
        _set(connection, folded=end, folded_at=_time_of(connection, end - 1))
    _set(connection, referred=min(known["referred"], end))


def start_over(connection: sqlite3.Connection) -> None:
    """Forget all that was derived; it is made anew, and nobody sees a wrong sum meanwhile."""
    for table in (*(rollup.name for rollup in ROLLUPS), "miharu_refs", "miharu_segments", "miharu_made"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("DELETE FROM miharu_frequent WHERE user_id <> ''")
    _set(connection, **MARKS, newest=0)


def _is_enough(connection: sqlite3.Connection, known: dict[str, int]) -> bool:
    return _last(connection) - known["folded"] + 1 >= FOLDED_AT_ONCE


def _renumbered(connection: sqlite3.Connection, known: dict[str, int]) -> bool:
    """Whether the rows below the mark are not those that were folded in; a VACUUM may number them anew."""
    at = _time_of(connection, known["folded"] - 1)
    return bool(at) and at != known["folded_at"]


def _known(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT key, value FROM miharu_meta"))


def _made(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, upto FROM miharu_made"))


def _so_far(connection: sqlite3.Connection, known: dict[str, int]) -> Fold:
    tags = frozenset(name for (name,) in connection.execute("SELECT name FROM miharu_tags"))
    return Fold(horizon=known["horizon"], made=_made(connection), tags=tags, tag_value=_TAG_VALUE)


def _set(connection: sqlite3.Connection, **values: int) -> None:
    for key, value in values.items():
        connection.execute("UPDATE miharu_meta SET value = ? WHERE key = ?", (value, key))


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(rowid), 0) FROM llm_calls").fetchone()[0])


def _time_of(connection: sqlite3.Connection, rowid: int) -> int:
    found = connection.execute("SELECT timestamp FROM llm_calls WHERE rowid = ?", (rowid,)).fetchone()
    return int(found[0]) if found else 0


def _horizon(now: int) -> int:
    return now // DAY * DAY
