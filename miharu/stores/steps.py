"""Sums of steps that are over, some hundred rows at a time, each table from what is finer than it.

A fold adds a few thousand calls to a table row by row, and of the sums by user it finds hardly two that share
a row. Once an hour is over its calls come in order and at once, and a day is added up from its hours. How far
each table has come is a moment that moves on with it, so it can begin anywhere: a table that a newer miharu
brings along fills up in the background, and is used as far as it has come. A step of the source that has too
many rows for one transaction is added in parts, in the order of its keys (``Partly``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from miharu.stores.folding import (
    Execute,
    Fold,
    Partly,
    add_calls,
    add_finer,
    add_slice,
    partly_upto,
    slice_of,
    stage,
)
from miharu.stores.pace import Pace
from miharu.stores.rollups import CALLS, MINUTE, ROLLUPS, Rollup, named

__all__ = ("MADE", "CallSource", "StepMove", "advance", "due", "is_due")

CALLS_AT_ONCE = 2_000
"""At most, per transaction, for which other writers wait."""
ROWS_AT_ONCE = 5_000
"""Of finer tables, at most, per transaction."""
OFTEN = 300
"""Calls of a user within an hour, a day or five days, from which on there are sums of this user's own: fewer
are read in a few milliseconds, over a month of them."""
MADE = tuple(rollup for rollup in ROLLUPS if rollup.source is not None)
_TABLES_AT_ONCE = 4
"""That are added to in one transaction: calls are put aside once for all of them."""
_COUNTED = {"counted": "sum_hour_user", "counted_days": "sum_day_user", "counted_5days": "sum_5days_user"}
"""Stand beside the tables: up to which moment the users of each have been looked through."""
_LATE = 10 * MINUTE
"""A call is stored at its end, in the step of its start: a step waits that long for its last calls."""
_FIRST_ROWS, _FIRST_COUNTED = 800, 10_000
"""What the first step takes on, before it is known how long that takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSource:
    """How an engine says which calls are folded."""

    below: str
    """A condition on ``llm_calls``."""
    values: Mapping[str, Any]
    """Its parameters."""
    newest: int
    """The start of the newest of them, Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class StepMove:
    """What a step has changed."""

    made: Mapping[str, int]
    """The moments that have moved; what a table had of a step is left behind with it."""
    partly: Mapping[str, Partly] = field(default_factory=dict)
    """Of these tables, what they have of the step that follows."""


def due(so_far: Fold, newest: int) -> list[str]:
    """The tables that a step is over of which is not in them yet."""
    return [rollup.name for rollup in MADE if _end(rollup, so_far, newest) > so_far.made.get(rollup.name, 0)]


def is_due(so_far: Fold, newest: int) -> bool:
    """Whether there is something to do."""
    return _uncounted(so_far) is not None or bool(due(so_far, newest))


def advance(execute: Execute, so_far: Fold, calls: CallSource, pace: Pace) -> StepMove:
    """Add up some of what is due."""
    from_calls, from_finer, passed = _due(so_far, calls.newest)
    if from_calls:
        moved = _add_calls(execute, so_far, calls, from_calls, pace)
    elif name := _uncounted(so_far):
        moved = _count(execute, so_far, name, pace)
    else:
        moved = _add_finer(execute, so_far, from_finer, pace)
    return replace(moved, made={**passed, **moved.made})


@dataclass(frozen=True, slots=True)
class _Due:
    rollup: Rollup
    start: int
    end: int


def _due(so_far: Fold, newest: int) -> tuple[list[_Due], list[_Due], dict[str, int]]:
    """What is to be added up from calls, what from finer tables, and what has only to move on."""
    from_calls, from_finer, moved = [], [], {}
    for rollup in MADE:
        made, end = so_far.made.get(rollup.name, 0), _end(rollup, so_far, newest)
        start = max(made, so_far.oldest(rollup))
        if end <= made:
            continue
        if start >= end:
            moved[rollup.name] = end
        elif rollup.source == CALLS:
            from_calls.append(_Due(rollup, start, end))
        elif start < (
            gone := so_far.oldest(named(rollup.source or ""))
        ):  # the finer ones are not kept so long
            from_calls.append(_Due(rollup, start, min(end, gone)))
        else:
            from_finer.append(_Due(rollup, start, end))
    return from_calls, from_finer, moved


def _end(rollup: Rollup, so_far: Fold, newest: int) -> int:
    """Up to which moment it can be added up, in whole steps."""
    if rollup.of_tags and not so_far.tags:
        return 0
    reached = newest - _LATE if rollup.source == CALLS else so_far.made.get(rollup.source or "", 0)
    if rollup.of_frequent:
        if not _are_known(so_far, newest, begun=rollup.name in so_far.made):
            return 0
        reached = min(reached, so_far.made["counted"])
    return reached // rollup.grain * rollup.grain


def _are_known(so_far: Fold, newest: int, *, begun: bool) -> bool:
    """Whether the users with many calls are known: what comes before that has no sums of a user's own."""
    if "counted" not in so_far.made or _uncounted(so_far) is not None:
        return False
    return begun or all(
        _end(named(table), so_far, newest) <= so_far.made.get(table, 0) for table in _COUNTED.values()
    )


def _uncounted(so_far: Fold) -> str | None:
    """The first of ``_COUNTED`` that is behind the whole steps of its table."""
    return next((name for name in _COUNTED if so_far.made.get(name, 0) < _countable(so_far, name)), None)


def _countable(so_far: Fold, name: str) -> int:
    table = named(_COUNTED[name])
    return so_far.made.get(table.name, 0) // table.grain * table.grain


def _add_calls(
    execute: Execute, so_far: Fold, calls: CallSource, due: Sequence[_Due], pace: Pace
) -> StepMove:
    """Add the next calls to some tables that are furthest behind; they are read once for all of these."""
    start = min(one.start for one in due)
    now = [one for one in due if one.start == start][:_TABLES_AT_ONCE]
    end = min([*(one.end for one in now), *(one.start for one in due if one.start > start)])
    kind = " ".join(("calls", *(one.rollup.name for one in now)))
    most = max(1, min(CALLS_AT_ONCE, pace.most(kind, _FIRST_ROWS) // len(now)))
    upto, rows = _next_part(execute, None, start, end, most)
    moved = {one.rollup.name: upto for one in now}
    if rows:
        where = f"timestamp >= :start AND timestamp < :end AND {calls.below}"
        stage(execute, where, {**calls.values, "start": start, "end": upto}, so_far)
        for one in now:
            add_calls(execute, one.rollup, replace(so_far, made=moved), rest=True)
        pace.did(rows * len(now))
    kept = {name: partly for name, partly in so_far.partly.items() if moved.get(name, 0) < partly.upto}
    return StepMove(moved, {name: partly for name, partly in kept.items() if name in moved})


def _add_finer(execute: Execute, so_far: Fold, due: Sequence[_Due], pace: Pace) -> StepMove:
    kind = f"finer {due[0].rollup.name}" if due else ""
    moved, left = dict[str, int](), max(1, min(ROWS_AT_ONCE, pace.most(kind, _FIRST_ROWS)))
    for one in due:
        name, source = one.rollup.name, named(one.rollup.source or "")
        begun = partly_upto(so_far, one.rollup) > one.start
        upto, rows = _next_part(execute, source, one.start, one.end, left)
        if not begun and rows <= left:
            if rows:
                add_finer(execute, one.rollup, one.start, upto, grouped=so_far.grouped)
            moved[name] = upto
        elif not moved:  # what is left of a transaction is not worth a part
            pace.did(left)
            return _add_part(execute, so_far, one, left)
        else:
            break
        left -= rows
        pace.did(rows)
        if left <= 0:
            break
    return StepMove(moved)


def _add_part(execute: Execute, so_far: Fold, one: _Due, most: int) -> StepMove:
    """Add some rows of the next step of the source."""
    name, source = one.rollup.name, named(one.rollup.source or "")
    step_end = one.start - one.start % source.grain + source.grain
    partly = so_far.partly.get(name)
    after = partly.keys if partly and partly.upto == step_end else None
    where, values = slice_of(source, one.start, after)
    keys = ", ".join(source.keys)
    found = list(
        execute(
            f"SELECT {keys} FROM {source.name} WHERE {where} ORDER BY {keys} LIMIT 1 OFFSET :most",
            {**values, "most": most - 1},
        )
    )
    until = tuple(found[0]) if found else None
    add_slice(execute, one.rollup, one.start, (after, until), grouped=so_far.grouped)
    if until is None:
        return StepMove({name: step_end})
    return StepMove({name: one.start}, {name: Partly(step_end, until)})


def _next_part(execute: Execute, source: Rollup | None, start: int, end: int, most: int) -> tuple[int, int]:
    """Up to which moment no more than that many rows reach, and how many they are.

    All of one moment go together; where these are more, the next moment and a number above ``most``.
    """
    table, column, grain = (CALLS, "timestamp", 1) if source is None else (source.name, "t", source.grain)
    ((rows, last),) = execute(
        f"SELECT count(*), max(t) FROM (SELECT {column} AS t FROM {table} WHERE {column} >= :start "
        f"AND {column} < :end ORDER BY {column} LIMIT :most) AS next_rows",
        {"start": start, "end": end, "most": most + 1},
    )
    if rows <= most:
        return end, rows
    return (last, most) if last > start else (start - start % grain + grain, rows)


def _count(execute: Execute, so_far: Fold, name: str, pace: Pace) -> StepMove:
    """Give users who have many calls by now sums of their own, from where these have come on."""
    table = named(_COUNTED[name])
    most = pace.most("count", _FIRST_COUNTED)
    upto, rows = _next_part(execute, table, so_far.made.get(name, 0), _countable(so_far, name), most)
    since = max((so_far.made.get(rollup.name, 0) for rollup in MADE if rollup.of_frequent), default=0)
    execute(
        f"INSERT INTO miharu_frequent (user_id, since) SELECT DISTINCT user_id, CAST({since} AS BIGINT) "
        f"FROM {table.name} WHERE t >= :start AND t < :end AND calls >= :often "
        "AND user_id NOT IN (SELECT user_id FROM miharu_frequent)",
        {"start": so_far.made.get(name, 0), "end": upto, "often": OFTEN},
    )
    pace.did(rows)
    return StepMove({name: upto})
