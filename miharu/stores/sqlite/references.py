"""Finding the calls of one user, session or trace among millions, without an index that is written at random.

``miharu_refs`` holds sorted runs over ``SEGMENT`` calls each; the last one grows. A look-up asks each run
whose time matters, and reads the calls that are in none yet.
"""

import sqlite3
from collections.abc import Iterable, Sequence

__all__ = ("SEGMENT", "left_of", "lookup", "lookup_within", "refer", "unrefer")

SEGMENT = 20_000
"""Calls in a run: fewer make more runs to ask, more make more calls to read that are in none."""
_LONG = 2 * 3_600_000
_KINDS = {
    "user_id": (1, "substr({}, 1, 24)"),
    "session_id": (2, "substr({}, -12)"),
    "trace_id": (3, "substr({}, -12)"),
}
"""Of a long key a part is kept, the one by which they differ; what is found is compared in full."""


def refer(connection: sqlite3.Connection, first: int, last: int, *, new: bool) -> None:
    """Add the calls with these rowids to the last run, or begin a new one with them."""
    rows = (first, last)
    oldest, newest = connection.execute(
        "SELECT min(timestamp), max(timestamp) FROM llm_calls WHERE rowid BETWEEN ? AND ?", rows
    ).fetchone()
    if oldest is None:
        return
    begun = "SELECT max(id) FROM miharu_segments"
    segment = None if new else connection.execute(begun).fetchone()[0]
    if segment is None:
        span = (oldest, newest)
        connection.execute("INSERT INTO miharu_segments (oldest, newest) VALUES (?, ?)", span)
        (segment,) = connection.execute(begun).fetchone()
    connection.execute(
        "UPDATE miharu_segments SET oldest = min(oldest, ?), newest = max(newest, ?) WHERE id = ?",
        (oldest, newest, segment),
    )
    for column, (kind, part) in _KINDS.items():
        connection.execute(
            f"INSERT OR IGNORE INTO miharu_refs SELECT ?, ?, {part.format(column)}, rowid FROM llm_calls "
            f"WHERE rowid BETWEEN ? AND ? AND {column} IS NOT NULL ORDER BY 3, 4",
            (segment, kind, *rows),
        )


def unrefer(connection: sqlite3.Connection, column: str, key: str, calls: Iterable[int]) -> None:
    """Delete what leads from a user, session or trace to some calls, by their rowids."""
    kind, part = _KINDS[column]
    for call in calls:
        connection.execute(
            "DELETE FROM miharu_refs WHERE segment IN (SELECT id FROM miharu_segments) "
            f"AND kind = ? AND key = {part.format('?')} AND call = ?",
            (kind, key, call),
        )


def left_of(column: str) -> str:
    """A condition on ``miharu_refs``: it leads from ``:name`` to a call that is not there any more."""
    kind, part = _KINDS[column]
    return (
        f"kind = {kind} AND key = {part.format(':name')} "
        "AND NOT EXISTS (SELECT 1 FROM llm_calls WHERE llm_calls.rowid = call)"
    )


def lookup(column: str, names: Sequence[str], window: tuple[str, str] = ("start", "end")) -> str:
    """A condition on ``llm_calls`` that leads to the calls of one or a few keys, and to some others.

    Args:
        column: ``user_id``, ``session_id`` or ``trace_id``.
        names: The parameters that hold the keys.
        window: Those that hold the first moment and the one after the last.
    """
    kind, part = _KINDS[column]
    keys = ", ".join(part.format(f":{name}") for name in names)
    return (
        "(rowid IN (SELECT call FROM miharu_segments CROSS JOIN miharu_refs ON segment = miharu_segments.id "
        f"AND kind = {kind} AND key IN ({keys}) WHERE newest >= :{window[0]} AND oldest < :{window[1]}) "
        "OR rowid >= (SELECT value FROM miharu_meta WHERE key = 'referred'))"
    )


def lookup_within(column: str, name: str, windows: Sequence[tuple[int, int]]) -> str:
    """The same, of one key, in some windows of time.

    Args:
        column: ``user_id``, ``session_id`` or ``trace_id``.
        name: The parameter that holds the key.
        windows: The first moment of each and the one after the last.
    """
    kind, part = _KINDS[column]
    held = ", ".join(f"({first}, {last})" for first, last in windows)
    # A run may have calls of many hours. Reading those costs more than seeing where those of one hour begin
    # and end; of a longer window it is the other way round.
    low, high = (
        f"CASE WHEN column2 - column1 > {_LONG} THEN {otherwise} ELSE (SELECT {bound}(rowid) FROM llm_calls "
        "WHERE timestamp >= column1 AND timestamp < column2) END"
        for bound, otherwise in (("min", 0), ("max", 2**62))
    )
    return (
        "(rowid IN (WITH held AS MATERIALIZED "
        f"(SELECT column1 AS first, column2 AS last, {low} AS low, {high} AS high FROM (VALUES {held})) "
        "SELECT call FROM held CROSS JOIN miharu_segments ON newest >= first AND oldest < last "
        f"CROSS JOIN miharu_refs ON segment = miharu_segments.id AND kind = {kind} "
        f"AND key = {part.format(f':{name}')} AND call BETWEEN low AND high) "
        "OR rowid >= (SELECT value FROM miharu_meta WHERE key = 'referred'))"
    )
