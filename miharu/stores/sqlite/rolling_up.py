"""What is made of the calls later, in steps of a few milliseconds: the roll-ups and the references.

Writers are serial in SQLite, so calls are committed in the order of their rowids, and a mark between two
of them is exact. Whichever process has time does the next step.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from miharu.stores import steps
from miharu.stores.folding import Fold, Partly, fold
from miharu.stores.pace import Pace
from miharu.stores.rollups import DAY, ROLLUPS
from miharu.stores.sqlite.clearing import clear, doom, is_swept, sweep
from miharu.stores.sqlite.placing import is_unplaced, place_some
from miharu.stores.sqlite.references import SEGMENT, refer
from miharu.stores.sqlite.schema import MARKS, make_tables, sums_in

__all__ = ("changing", "forgotten", "is_due", "roll_up", "start_over")

FOLDED_AT_ONCE = 2000
"""Calls that are worth a fold, and the most in a transaction. Fewer than these are not worth the pages that
would be written for them: a reader adds them up in two milliseconds."""
REFERRED_AT_ONCE = 2000
_FIRST_ROWS = 800
_FIRST_REFERRED = 500
_IDS_AT_ONCE = 1000
_DIRTY = -1
_BELOW = "+rowid < :mark"
_TAG_VALUE = "(SELECT atom FROM json_each(tags) WHERE key = :tag)"


def is_due(
    connection: sqlite3.Connection, now: int, tags: Sequence[str] = (), pace: Pace | None = None
) -> bool:
    """Whether there is something to do; a look that needs no lock."""
    known = _known(connection)
    so_far = _so_far(connection, known)
    return (
        _is_enough(connection, known, pace or Pace())
        or known["horizon"] < _horizon(now)
        or not so_far.tags >= set(tags)
        or is_unplaced(connection)
        or _left(connection, known, so_far, now)
    )


def roll_up(
    connection: sqlite3.Connection, now: int, tags: Sequence[str] = (), pace: Pace | None = None
) -> bool:
    """Do one step; whether another is left.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
        tags: Names of tags by which sums are to be kept.
        pace: How much a step takes on.
    """
    pace = pace or Pace()
    known = _known(connection)
    if _renumbered(connection, known):
        start_over(connection)
        known = _known(connection)
    if known["horizon"] < (horizon := _horizon(now)):
        _set(connection, horizon=horizon)
        known["horizon"] = horizon
    if not (so_far := _so_far(connection, known)).tags >= set(tags):
        so_far = _keep_by(connection, set(tags) - so_far.tags, known)
    if clear(connection, pace) or place_some(connection, now, pace):
        return True
    if _is_enough(connection, known, pace):
        _fold_some(connection, known, so_far, pace)
    elif _is_referable(known):
        _refer_some(connection, known, pace)
    elif not is_swept(known):
        _set(connection, **sweep(connection, known, so_far, pace))
    else:
        _advance(connection, known, so_far, min(known["newest"], now), pace)
    known = _known(connection)
    return _is_enough(connection, known, pace) or _left(connection, known, _so_far(connection, known), now)


def _left(connection: sqlite3.Connection, known: dict[str, int], so_far: Fold, now: int) -> bool:
    """Whether something is left beside folding."""
    return (
        _is_referable(known)
        or not is_swept(known)
        or steps.is_due(so_far, min(known["newest"], now))
        or connection.execute("SELECT 1 FROM miharu_doomed").fetchone() is not None
    )


def _advance(
    connection: sqlite3.Connection, known: dict[str, int], so_far: Fold, newest: int, pace: Pace
) -> None:
    if not steps.is_due(so_far, newest):
        return
    make_tables(connection, [name for name in steps.due(so_far, newest) if not so_far.made.get(name)])
    calls = steps.CallSource(below=_BELOW, values={"mark": known["folded"]}, newest=newest)
    moved = steps.advance(connection.execute, so_far, calls, pace)
    for name, upto in moved.made.items():
        connection.execute("INSERT OR REPLACE INTO miharu_made VALUES (?, ?)", (name, upto))
        if name in so_far.partly:
            connection.execute("DELETE FROM miharu_partly WHERE name = ?", (name,))
    for name, partly in moved.partly.items():
        row = (name, partly.upto, json.dumps(partly.keys))
        connection.execute("INSERT OR REPLACE INTO miharu_partly VALUES (?, ?, ?)", row)


def _fold_some(connection: sqlite3.Connection, known: dict[str, int], so_far: Fold, pace: Pace) -> None:
    first, most = known["folded"], pace.most("fold", _FIRST_ROWS)
    upto = min(first + FOLDED_AT_ONCE - 1, _last(connection))
    oldest, _ = _span(connection, first, min(upto, first + most))
    # What comes late belongs into each table that has come further by now: of such calls few are taken.
    tables = len(so_far.concerned(oldest))
    upto = min(upto, first + max(1, most // tables) - 1)
    fold(connection.execute, "rowid BETWEEN :first AND :upto", {"first": first, "upto": upto}, so_far)
    pace.did((upto - first + 1) * tables)
    newest = max(known["newest"], _span(connection, first, upto)[1])
    known["folded"], known["newest"] = upto + 1, newest
    _set(connection, folded=upto + 1, folded_at=_time_of(connection, upto), newest=newest)
    pace.is_folding = _last(connection) > upto + FOLDED_AT_ONCE // 8


def _is_referable(known: dict[str, int]) -> bool:
    return known["folded"] - known["referred"] >= min(REFERRED_AT_ONCE, SEGMENT)


def _refer_some(connection: sqlite3.Connection, known: dict[str, int], pace: Pace) -> None:
    first, begun = known["referred"], known["segment"]
    if first - begun >= SEGMENT or first < begun:
        begun = first
    last = min(known["folded"], begun + SEGMENT, first + pace.most("refer", _FIRST_REFERRED)) - 1
    refer(connection, first, last, new=begun == first)
    pace.did(last - first + 1)
    _set(connection, referred=last + 1, segment=begun)


def _keep_by(connection: sqlite3.Connection, names: Collection[str], known: dict[str, int]) -> Fold:
    """Keep sums by further tags: all sums by tags are made anew, and no reader waits for that."""
    for name in names:
        connection.execute("INSERT INTO miharu_tags VALUES (?)", (name,))
    tagged = [rollup.name for rollup in ROLLUPS if rollup.of_tags]
    for name in tagged:
        for table in ("miharu_made", "miharu_partly"):
            connection.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
    doom(connection, sums_in(connection) & set(tagged))
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


def forgotten(connection: sqlite3.Connection) -> None:
    """Tidy up after calls were deleted: sums of nothing go, and no new call gets a row below a mark."""
    known, end = _known(connection), _last(connection) + 1
    if known["folded"] > end:
        _set(connection, folded=end, folded_at=_time_of(connection, end - 1))
    _set(connection, referred=min(known["referred"], end), swept=_DIRTY, sweeping=0)


def start_over(connection: sqlite3.Connection) -> None:
    """Forget all that was derived; it is made anew, and no reader sees a wrong sum meanwhile."""
    for table in ("miharu_made", "miharu_partly", "miharu_segments"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("DELETE FROM miharu_frequent WHERE user_id <> ''")
    doom(connection, {*sums_in(connection), "miharu_refs"})
    _set(connection, **MARKS, newest=0, segment=1, swept=_DIRTY, sweeping=0)


def _is_enough(connection: sqlite3.Connection, known: dict[str, int], pace: Pace) -> bool:
    left = _last(connection) - known["folded"] + 1
    return left >= FOLDED_AT_ONCE or (pace.is_folding and left > 0)


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
    return Fold(
        horizon=known["horizon"],
        made=_made(connection),
        partly=_partly(connection),
        tags=tags,
        grouped=False,
        tag_value=_TAG_VALUE,
    )


def _partly(connection: sqlite3.Connection) -> Mapping[str, Partly]:
    found = connection.execute("SELECT name, upto, keys FROM miharu_partly")
    return {name: Partly(upto, tuple(json.loads(keys))) for name, upto, keys in found}


def _set(connection: sqlite3.Connection, **values: int) -> None:
    for key, value in values.items():
        connection.execute("UPDATE miharu_meta SET value = ? WHERE key = ?", (value, key))


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(rowid), 0) FROM llm_calls").fetchone()[0])


def _span(connection: sqlite3.Connection, first: int, last: int) -> tuple[int, int]:
    """When the oldest and the newest of these calls began."""
    oldest, newest = connection.execute(
        "SELECT coalesce(min(timestamp), 0), coalesce(max(timestamp), 0) FROM llm_calls "
        "WHERE rowid BETWEEN ? AND ?",
        (first, last),
    ).fetchone()
    return int(oldest), int(newest)


def _time_of(connection: sqlite3.Connection, rowid: int) -> int:
    found = connection.execute("SELECT timestamp FROM llm_calls WHERE rowid = ?", (rowid,)).fetchone()
    return int(found[0]) if found else 0


def _horizon(now: int) -> int:
    return now // DAY * DAY
