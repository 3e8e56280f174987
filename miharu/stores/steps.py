"""Sums of steps that are over, some thousand rows at a time, each table from what is finer than it.

A fold adds a few thousand calls to a table row by row, and of the sums by user it finds hardly two that share
a row. Once an hour is over its calls come in order and at once, and a day is added up from its hours. How far
each table has come is a moment that moves on with it, so it can begin anywhere: a table that a newer miharu
brings along fills up in the background, and is used as far as it has come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.stores.rollups import (
    CALLS,
    DAY,
    FIVE_DAYS,
    HOUR,
    MINUTE,
    ROLLUPS,
    Execute,
    Fold,
    Rollup,
    add_calls,
    add_finer,
    named,
    stage,
)

__all__ = ("MADE", "Calls", "advance", "is_due")

CALLS_AT_ONCE = 2_000
"""Per transaction, for which other writers wait; added to all tables whose turn it is."""
ROWS_AT_ONCE = 5_000
"""Of finer tables, per transaction."""
FREQUENT = 2_000
"""Calls of a user within five weeks, from which on there are sums of this user's own: fewer are read in a few
milliseconds."""
MADE = tuple(rollup for rollup in ROLLUPS if rollup.source is not None)
_COUNTED = "counted"
"""Stands beside the tables: up to which moment the calls of each user have been counted."""
_LATE = 10 * MINUTE
"""A call is stored at its end, in the step of its start: a step waits that long for its last calls."""
_WEEKS = 35 * DAY
_PROMOTED_AT_ONCE = 1
"""Users, whose earlier calls are added to sums that have begun already."""
_EVERYBODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How an engine says which calls are folded."""

    below: str
    """A condition on ``llm_calls``."""
    values: Mapping[str, Any]
    """Its parameters."""
    newest: int
    """The start of the newest of them, Unix milliseconds."""
    of_user: str
    """A condition that leads to the calls of the user ``:user`` between ``:first`` and ``:last``."""


def is_due(so_far: Fold, newest: int) -> bool:
    """Whether a step is over that is in no table yet."""
    return so_far.made.get(_COUNTED, 0) < so_far.made.get("sum_hour_user", 0) or any(
        _end(rollup, so_far, newest) > so_far.made.get(rollup.name, 0) for rollup in MADE
    )


def advance(execute: Execute, so_far: Fold, calls: Calls) -> Mapping[str, int]:
    """Add up some of what is due, and return the moments that have moved."""
    from_calls, from_finer, moved = _due(so_far, calls.newest)
    if from_calls:
        return moved | _add_calls(execute, so_far, calls, from_calls)
    if so_far.made.get(_COUNTED, 0) < so_far.made.get("sum_hour_user", 0):
        return moved | _count(execute, so_far, calls)
    return moved | _add_finer(execute, from_finer)


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
        counted = so_far.made.get(_COUNTED, 0)
        if counted < so_far.made.get("sum_hour_user", 0):
            return 0  # a user found later would be added call by call
        reached = min(reached, counted)
    return reached // rollup.grain * rollup.grain


def _add_calls(execute: Execute, so_far: Fold, calls: Calls, due: Sequence[_Due]) -> dict[str, int]:
    """Add the next calls to the tables that are furthest behind; they are read once for all of these."""
    start = min(one.start for one in due)
    now = [one for one in due if one.start == start]
    end = min([*(one.end for one in now), *(one.start for one in due if one.start > start)])
    upto, rows = _reach(execute, None, start, end, CALLS_AT_ONCE)
    moved = {one.rollup.name: upto for one in now}
    if rows:
        where = f"timestamp >= :start AND timestamp < :end AND {calls.below}"
        stage(execute, where, {**calls.values, "start": start, "end": upto}, so_far)
        for one in now:
            add_calls(execute, one.rollup, replace(so_far, made=moved))
    return moved


def _add_finer(execute: Execute, due: Sequence[_Due]) -> dict[str, int]:
    moved, left = dict[str, int](), ROWS_AT_ONCE
    for one in due:
        upto, rows = _reach(execute, named(one.rollup.source or ""), one.start, one.end, left)
        if rows:
            add_finer(execute, one.rollup, one.start, upto)
        moved[one.rollup.name] = upto
        left -= rows
        if left <= 0:
            break
    return moved


def _reach(execute: Execute, source: Rollup | None, start: int, end: int, most: int) -> tuple[int, int]:
    """Up to which moment that many rows reach, and how many they are; all of one moment go together."""
    table, column, grain = (CALLS, "timestamp", 1) if source is None else (source.name, "t", source.grain)
    ((rows, last),) = execute(
        f"SELECT count(*), max(t) FROM (SELECT {column} AS t FROM {table} WHERE {column} >= :start "
        f"AND {column} < :end ORDER BY {column} LIMIT :most) AS next_rows",
        {"start": start, "end": end, "most": most + 1},
    )
    if rows <= most:
        return end, rows
    return (last if last > start else start - start % grain + grain), rows


def _count(execute: Execute, so_far: Fold, calls: Calls) -> dict[str, int]:
    """Give users who have many calls by now sums of their own; up to when that is done, if it is."""
    counted, limit = so_far.made.get(_COUNTED, 0), so_far.made["sum_hour_user"]
    upto, _ = _reach(execute, named("sum_hour_user"), counted, limit, CALLS_AT_ONCE)
    begun = [rollup for rollup in MADE if rollup.of_frequent and so_far.made.get(rollup.name, 0)]
    most = _PROMOTED_AT_ONCE if begun else _EVERYBODY
    statement = (
        f"SELECT user_id FROM ({_by_user(so_far, upto)}) AS counted WHERE user_id <> '' "
        "AND user_id NOT IN (SELECT user_id FROM miharu_frequent) "
        "GROUP BY user_id HAVING sum(calls) >= :frequent LIMIT :most"
    )
    found = [user for (user,) in execute(statement, {"frequent": FREQUENT, "most": most + 1})]
    last = max((so_far.made[rollup.name] for rollup in begun), default=0)
    for user in found[:most]:
        execute("INSERT INTO miharu_frequent (user_id) VALUES (:user)", {"user": user})
        if begun:
            where = f"{calls.of_user} AND {calls.below}"
            stage(execute, where, {**calls.values, "user": user, "first": 0, "last": last}, so_far)
        for rollup in begun:
            add_calls(execute, rollup, so_far)
    return {_COUNTED: upto} if len(found) <= most else {}


def _by_user(so_far: Fold, upto: int) -> str:
    """Users with their calls of about the last five weeks, from the coarsest tables."""
    parts, at = [], max(upto - _WEEKS, 0) // FIVE_DAYS * FIVE_DAYS
    for name, grain in (("sum_5days_user", FIVE_DAYS), ("sum_day_user", DAY), ("sum_hour_user", HOUR)):
        until = max(at, min(so_far.made.get(name, 0), upto) // grain * grain)
        parts.append(f"SELECT user_id, calls FROM {name} WHERE t >= {at} AND t < {until}")
        at = until
    return " UNION ALL ".join(parts)
