"""Forgetting users and sessions: a few calls at a time, and of what is left the names.

Rows that are deleted are overwritten with zeros (``secure_delete``) by the connection that forgets. What an
earlier connection has left in the free space of a page is not: only a file that is written anew has none.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miharu.stores import ever
from miharu.stores.base import Forgotten, Whose
from miharu.stores.rollups import ROLLUPS, Rollup
from miharu.stores.sqlite import said
from miharu.stores.sqlite.references import left_of, lookup, unrefer
from miharu.stores.sqlite.rolling_up import changing, forgotten
from miharu.stores.sqlite.schema import sums_in
from miharu.stores.sqlite.writing import counted, moved

__all__ = ("forget_calls", "forget_names", "forget_spans", "names_left", "spans_left")

_EVER = 2**62
_AT_ONCE = 500
Row = tuple[str, str, tuple[Any, ...]]
"""A table of what is derived, the user whose row it is, and the row's key."""


def forget_calls(connection: sqlite3.Connection, whose: Whose, most: int) -> Forgotten:
    """Forget some calls of theirs, with all that belongs to them."""
    gone = _some_calls(connection, whose, most)
    if not gone:
        return Forgotten()
    ids = [id_ for _, id_, *_ in gone]
    ever.keep(connection.executemany, counted(connection, ids))
    changing(connection, ids, out=True)
    said.take_out(connection, ids)
    scores = _delete(connection, "llm_scores", "call_id", ids)
    bodies = _delete(connection, "llm_bodies", "call_id", ids)
    _delete(connection, "llm_calls", "id", ids)
    for place, column in enumerate(("user_id", "session_id", "trace_id"), start=2):
        for key in {row[place] for row in gone if row[place] is not None}:
            unrefer(connection, column, key, [row[0] for row in gone if row[place] == key])
    spans = 0
    for trace in {row[4] for row in gone if row[4] is not None}:
        if not _has_calls(connection, "trace_id", trace):
            spans += _delete(connection, "llm_spans", "trace_id", [trace])
            scores += _delete(connection, "llm_scores", "trace_id", [trace])
    forgotten(connection)
    moved(connection)
    return Forgotten(calls=len(ids), bodies=bodies, spans=spans, scores=scores)


def spans_left(connection: sqlite3.Connection, whose: Whose, most: int) -> list[int]:
    """Some spans of theirs that were in traces without calls, or with calls of others; no lock is needed."""
    found: list[int] = []
    for column, names in whose.columns.items():
        if names:
            where = f"{column} IN ({', '.join('?' * len(names))})"
            rows = connection.execute(f"SELECT rowid FROM llm_spans WHERE {where} LIMIT ?", (*names, most))
            found += [row for (row,) in rows]
    return found[:most]


def forget_spans(connection: sqlite3.Connection, rows: Sequence[int]) -> Forgotten:
    """Forget those spans, and what was said of their traces where nothing else of these is left."""
    traces = set[str]()
    for row in rows:
        traces |= {
            trace
            for (trace,) in connection.execute(
                "DELETE FROM llm_spans WHERE rowid = ? RETURNING trace_id", (row,)
            )
        }
    scores = 0
    for trace in traces:
        spans = connection.execute("SELECT 1 FROM llm_spans WHERE trace_id = ? LIMIT 1", (trace,)).fetchone()
        if spans is None and not _has_calls(connection, "trace_id", trace):
            scores += _delete(connection, "llm_scores", "trace_id", [trace])
    moved(connection)
    return Forgotten(spans=len(rows), scores=scores)


def names_left(connection: sqlite3.Connection, whose: Whose, most: int) -> list[Row]:
    """Some derived rows that still hold a name; no lock is needed."""
    found: list[Row] = []
    there = sums_in(connection)
    for user in whose.users:
        for rollup in ROLLUPS:
            if "user_id" in rollup.keys and rollup.name in there and len(found) < most:
                rows = connection.execute(
                    f"SELECT {', '.join(rollup.key_columns)} FROM {rollup.name} WHERE user_id = ? "
                    f"AND {_is_over(rollup)} LIMIT ?",
                    (user, most - len(found)),
                )
                found += [(rollup.name, user, key) for key in rows]
        if connection.execute("SELECT 1 FROM miharu_frequent WHERE user_id = ?", (user,)).fetchone():
            found.append(("miharu_frequent", user, (user,)))
    for column, names in whose.columns.items():
        for name in names:
            rows = connection.execute(
                f"SELECT segment, kind, key, call FROM miharu_refs WHERE {left_of(column)} LIMIT :most",
                {"name": name, "most": max(0, most - len(found))},
            )
            found += [("miharu_refs", "", key) for key in rows]
    return found


def forget_names(connection: sqlite3.Connection, rows: Iterable[Row]) -> Forgotten:
    """Delete those derived rows; of a user who has calls again by now, none."""
    by_name: Mapping[str, Sequence[str]] = {
        "miharu_frequent": ("user_id",),
        "miharu_refs": ("segment", "kind", "key", "call"),
        **{rollup.name: rollup.key_columns for rollup in ROLLUPS},
    }
    is_back: dict[str, bool] = {"": False}
    sums = 0
    for table, user, key in rows:
        if user not in is_back:
            is_back[user] = _has_calls(connection, "user_id", user)
        if not is_back[user]:
            where = " AND ".join(f"{column} = ?" for column in by_name[table])
            sums += connection.execute(f"DELETE FROM {table} WHERE {where}", key).rowcount
    return Forgotten(sums=sums)


def _is_over(rollup: Rollup) -> str:
    """A condition on a row of sums: no call is in it, or none can be, as nothing reads the table any more."""
    if rollup.largest:  # which is an upper bound of what is left, and of nothing there is none
        return "1 = 1"
    return f"({rollup.is_empty} OR EXISTS (SELECT 1 FROM miharu_doomed WHERE name = '{rollup.name}'))"


def _some_calls(connection: sqlite3.Connection, whose: Whose, most: int) -> list[tuple[Any, ...]]:
    """Rowid, id, user, session and trace of some calls of theirs."""
    found: dict[int, tuple[Any, ...]] = {}
    for column, names in whose.columns.items():
        for name in names:
            if (left := most - len(found)) > 0:
                rows = connection.execute(
                    "SELECT rowid, id, user_id, session_id, trace_id FROM llm_calls "
                    f"WHERE {lookup(column, ('name',))} AND {column} = :name LIMIT :left",
                    {"name": name, "start": 0, "end": _EVER, "left": left},
                )
                found |= {row[0]: row for row in rows}
    return list(found.values())


def _has_calls(connection: sqlite3.Connection, column: str, name: str) -> bool:
    where = f"{lookup(column, ('name',))} AND {column} = :name"
    values = {"name": name, "start": 0, "end": _EVER}
    return connection.execute(f"SELECT 1 FROM llm_calls WHERE {where} LIMIT 1", values).fetchone() is not None


def _delete(connection: sqlite3.Connection, table: str, column: str, keys: Sequence[str]) -> int:
    deleted = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        deleted += connection.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", some).rowcount
    return deleted
