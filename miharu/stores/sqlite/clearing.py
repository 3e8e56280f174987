"""Deleting derived rows that no query reads any more: some at a time, since others wait meanwhile."""

import sqlite3
from collections.abc import Iterable, Sequence

from miharu.stores.folding import Fold
from miharu.stores.pace import Pace
from miharu.stores.rollups import ROLLUPS, named
from miharu.stores.sqlite.schema import sums_in

__all__ = ("clear", "doom", "is_swept", "sweep")

_FIRST_ROWS = 1_000
_NO_CALLS = 2**62
_KEYS = {"miharu_refs": ("segment", "kind", "key", "call")}


def doom(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Have all rows of these tables deleted; until that is done, nothing may be added to them."""
    for name in tables:
        connection.execute("INSERT OR IGNORE INTO miharu_doomed VALUES (?)", (name,))


def clear(connection: sqlite3.Connection, pace: Pace) -> bool:
    """Delete some rows of a doomed table; whether there was one."""
    found = connection.execute("SELECT name FROM miharu_doomed LIMIT 1").fetchone()
    if found is None:
        return False
    (name,) = found
    most = pace.most("clear", _FIRST_ROWS)
    deleted = _delete(connection, name, _keys(name), _NO_CALLS, most)
    pace.did(deleted)
    if deleted < most:
        connection.execute("DELETE FROM miharu_doomed WHERE name = ?", (name,))
    return True


def is_swept(known: dict[str, int]) -> bool:
    """Whether all that is too old is deleted."""
    return known["swept"] == known["horizon"]


def sweep(connection: sqlite3.Connection, known: dict[str, int], so_far: Fold, pace: Pace) -> dict[str, int]:
    """Delete some sums that are not kept any longer, or of steps whose calls are all gone; what is done."""
    (oldest,) = connection.execute("SELECT min(timestamp) FROM llm_calls").fetchone()
    oldest = _NO_CALLS if oldest is None else oldest
    left = most = pace.most("clear", _FIRST_ROWS)
    there, at = sums_in(connection), known["sweeping"]
    while left > 0 and at < len(ROLLUPS):
        rollup = ROLLUPS[at]
        until = max(so_far.oldest(rollup), oldest // rollup.grain * rollup.grain)
        if rollup.name in there:
            left -= _delete(connection, rollup.name, rollup.key_columns, until, left)
        at += left > 0
    if left > 0:
        left -= _forget_runs(connection, oldest, left)
    pace.did(most - left)
    return {"sweeping": at} if left <= 0 else {"swept": known["horizon"], "sweeping": 0}


def _forget_runs(connection: sqlite3.Connection, oldest: int, most: int) -> int:
    """Delete references to calls that are gone; how many."""
    (first,) = connection.execute(
        "SELECT coalesce((SELECT min(id) FROM miharu_segments WHERE newest >= ?), "
        "(SELECT max(id) + 1 FROM miharu_segments), 0)",
        (oldest,),
    ).fetchone()
    deleted = _delete(connection, "miharu_refs", _KEYS["miharu_refs"], first, most)
    if deleted < most:
        connection.execute("DELETE FROM miharu_segments WHERE id < ?", (first,))
    return deleted


def _keys(table: str) -> Sequence[str]:
    return _KEYS[table] if table in _KEYS else named(table).key_columns


def _delete(connection: sqlite3.Connection, table: str, keys: Sequence[str], until: int, most: int) -> int:
    """Delete the first rows below ``until``, up to that many; how many."""
    below, columns = f"{keys[0]} < {until}", ", ".join(keys)
    last = connection.execute(
        f"SELECT {columns} FROM {table} WHERE {below} ORDER BY {columns} LIMIT 1 OFFSET ?", (most - 1,)
    ).fetchone()
    if last is not None:
        below += f" AND ({columns}) <= ({', '.join('?' * len(keys))})"
    return connection.execute(f"DELETE FROM {table} WHERE {below}", last or ()).rowcount
