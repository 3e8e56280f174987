"""What changes in the file: plain functions over a connection inside a transaction."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from miharu.call import Cost
from miharu.stores import ever
from miharu.stores.changes import CLOCKS_APART_MS, COMPLETED, COSTS
from miharu.stores.columns import BODIES, CALLS, MARKERS, SCORES, SELDOM, SPANS
from miharu.stores.sqlite import said
from miharu.stores.sqlite.placing import place_new
from miharu.stores.sqlite.rolling_up import changing, forgotten
from miharu.stores.sqlite.rows import Ends, Row, Rows

__all__ = ("add", "counted", "moved", "prune", "prune_content", "reprice")

ROWS_PER_STATEMENT = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Multi-row VALUES, because ``executemany`` would give up the interpreter's lock for each row; and few
different statements, because a connection caches those that it has seen."""


def add(connection: sqlite3.Connection, rows: Rows) -> int:
    """Keep what is not there yet; how many calls were new."""
    new = _insert_calls(connection, rows.calls)
    _insert(connection, "llm_bodies", BODIES, rows.bodies)
    for end in rows.ends:
        if not _complete(connection, end):
            new += _insert_calls(connection, [end.row])
            _insert(connection, "llm_bodies", BODIES, [end.body] if end.body else [])
    _insert(connection, "llm_spans", SPANS, rows.spans)
    _insert(connection, "llm_scores", SCORES, rows.scores)
    if rows.scores:  # others, and those whose call is not there yet, are placed between batches
        place_new(connection)
    _insert(connection, "llm_markers", MARKERS, rows.markers)
    moved(connection)
    return new


def reprice(connection: sqlite3.Connection, costs: Mapping[str, Cost | None]) -> int:
    """Give those calls their new costs; how many were there."""
    found = 0
    before = counted(connection, list(costs))
    changing(connection, list(costs), out=True)
    for id_, cost in costs.items():
        values = [getattr(cost, name, None) for name in COSTS]
        found += connection.execute(
            f"UPDATE llm_calls SET {', '.join(f'{name} = ?' for name in COSTS)} WHERE id = ?", (*values, id_)
        ).rowcount
    changing(connection, list(costs), out=False)
    ever.keep(connection.executemany, ever.lost(before, counted(connection, list(costs))))
    moved(connection)
    return found


def prune(connection: sqlite3.Connection, before: int, most: int) -> tuple[int, int]:
    """Forget the oldest calls and the rest, up to that many of each; how many calls, and how many others."""
    oldest = connection.execute(
        "SELECT id FROM llm_calls WHERE timestamp < ? ORDER BY timestamp LIMIT ?", (before, most)
    )
    gone = [id_ for (id_,) in oldest.fetchall()]
    ever.keep(connection.executemany, counted(connection, gone))
    changing(connection, gone, out=True)
    said.take_out(connection, gone)
    for column, table in (("call_id", "llm_bodies"), ("id", "llm_calls")):
        marks = ", ".join("?" * len(gone))
        connection.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", gone)
    others = 0
    for table in ("llm_spans", "llm_scores", "llm_markers"):
        old = f"SELECT rowid FROM {table} WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
        deleted = connection.execute(f"DELETE FROM {table} WHERE rowid IN ({old})", (before, most))
        others = max(others, deleted.rowcount)
    if gone:
        forgotten(connection)
        moved(connection)
    return len(gone), others


def prune_content(connection: sqlite3.Connection, before: int, most: int) -> tuple[int, int]:
    """Forget the oldest bodies, up to that many; how many, and nothing else."""
    oldest = connection.execute(
        "SELECT rowid, call_id FROM llm_bodies WHERE timestamp < ? ORDER BY timestamp LIMIT ?", (before, most)
    ).fetchall()
    said.take_out(connection, [id_ for _, id_ in oldest])
    marks = ", ".join("?" * len(oldest))
    gone = connection.execute(
        f"DELETE FROM llm_bodies WHERE rowid IN ({marks})", [rowid for rowid, _ in oldest]
    )
    return gone.rowcount, 0


def _complete(connection: sqlite3.Connection, end: Ends) -> bool:
    """Give the call that was opened before its end; whether it is here, complete now or already."""
    call = end.call
    window = (call.response_id, call.timestamp - CLOCKS_APART_MS, call.timestamp + CLOCKS_APART_MS)
    where = "response_id = ? AND timestamp BETWEEN ? AND ?"
    found = connection.execute(f"SELECT id, usage_source FROM llm_calls WHERE {where}", window).fetchall()
    values = dict(zip(CALLS, end.row, strict=True))
    for opened in (id_ for id_, source in found if source == "none"):
        before = counted(connection, [opened])
        changing(connection, [opened], out=True)
        connection.execute(
            f"UPDATE llm_calls SET {', '.join(f'{name} = ?' for name in COMPLETED)} WHERE id = ?",
            (*(values[name] for name in COMPLETED), opened),
        )
        changing(connection, [opened], out=False)
        ever.keep(connection.executemany, ever.lost(before, counted(connection, [opened])))
        if end.body is not None:  # the answer takes the place of the receipt
            connection.execute("UPDATE llm_bodies SET response = ? WHERE call_id = ?", (end.body[-1], opened))
            said.take_out(connection, [opened], again=True)
    return bool(found)


def _insert_calls(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """The same for calls, without the columns that are empty in all of them: a third of the time."""
    if not rows:
        return 0
    kinds = {tuple(map(type, row)) for row in rows}
    columns, values_of = _filled(frozenset.intersection(*map(_empty, kinds)))
    return _insert(connection, "llm_calls", columns, list(map(values_of, rows)))


@lru_cache(1024)
def _empty(kinds: tuple[type[Any], ...]) -> frozenset[int]:
    """Which groups of seldom columns are empty in rows of these types."""
    of = dict(zip(CALLS, kinds, strict=True))
    return frozenset(
        number for number, names in enumerate(SELDOM) if all(of[name] is type(None) for name in names)
    )


@cache
def _filled(empty: frozenset[int]) -> tuple[tuple[str, ...], Callable[[Row], Row]]:
    """The columns that are left without these groups of them, and what takes their values from a row."""
    out = {name for number in empty for name in SELDOM[number]}
    columns = tuple(name for name in CALLS if name not in out)
    return columns, itemgetter(*map(CALLS.index, columns))


def counted(connection: sqlite3.Connection, ids: Sequence[str]) -> ever.Ever:
    """Counters of those calls alone."""
    if not ids:
        return ever.Ever()
    names = {f"id{number}": id_ for number, id_ in enumerate(ids)}
    return ever.of_calls(connection.execute, f"id IN ({', '.join(f':{name}' for name in names)})", names)


def _insert(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Sequence[Row]) -> int:
    """Insert what is not there yet, and return how many that were."""
    if not rows:
        return 0
    new, start = 0, 0
    for size in ROWS_PER_STATEMENT:
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            new += connection.execute(_insertion(table, columns, size), values).rowcount
            start += size
    return new


@lru_cache(256)
def _insertion(table: str, columns: tuple[str, ...], size: int) -> str:
    marks = f"({', '.join('?' * len(columns))})"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * size)} "
        "ON CONFLICT DO NOTHING"
    )


def moved(connection: sqlite3.Connection) -> None:
    """Have every reader see that something has changed."""
    connection.execute("UPDATE miharu_meta SET value = value + 1 WHERE key = 'revision'")
