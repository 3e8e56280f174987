"""Reading what can be read of a table in a damaged file, in the order of its rowids.

Rows are read until the engine stumbles. From there a way is felt ahead, in longer and longer steps, to a
rowid that can be read, and from that one back, by halves, to the first of them.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ("END", "Gap", "Row", "readable")

Row = tuple[Any, ...]
"""The rowid, then the columns that were asked for; nothing but a rowid beyond the last one."""
_Probe = Callable[[int], Row | None]
"""The first row from that rowid on, or ``None`` where the engine stumbles over it."""

END = 1 << 62
"""No rowid is as large."""
_LOOKS = 2048
"""Looks into a gap for islands; in one of no more rows none is missed."""
_STUMBLES = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_NOMEM,
}


@dataclass(frozen=True, slots=True)
class Gap:
    """Rowids that cannot be read, from the first to the last, both included."""

    first: int
    last: int | None
    """``None``: to the end, wherever that was."""


def readable(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], after: int = 0, span: int = END
) -> Iterator[Row | Gap]:
    """The rows and the gaps between them.

    Args:
        connection: To the damaged file.
        table: Its name.
        columns: Those to read.
        after: Begin above this rowid.
        span: How many rows the file can have at most; where its end is lost, islands are looked for so far.

    Raises:
        sqlite3.Error: Something else is wrong than damage.
    """
    select = f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid >= ? ORDER BY rowid"

    def probe(rowid: int) -> Row | None:
        try:
            return next(connection.execute(f"{select} LIMIT 1", (rowid,)), (END,))
        except sqlite3.Error as error:
            _stumbled(error)
            return None

    last = after
    while True:
        try:
            for row in connection.execute(select, (last + 1,)):
                yield row
                last = row[0]
        except sqlite3.Error as error:
            _stumbled(error)
        else:
            return
        row = _next(probe, last + 1, span)
        if row[0] > last + 1:
            yield Gap(last + 1, None if row[0] == END else row[0] - 1)
        if row[0] == END:
            return
        yield row
        last = row[0]


def _stumbled(error: sqlite3.Error) -> None:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _STUMBLES:
        raise error


def _next(probe: _Probe, first: int, span: int) -> Row:
    """The first row from that rowid on that is found."""
    blind, sighted, step = first - 1, first, 1
    while (row := probe(sighted)) is None:
        if sighted >= END:
            row = (END,)
            break
        blind, sighted, step = sighted, min(first + step, END), step * 2
    else:
        sighted, row = _nearest(probe, blind, sighted, row)
    end = min(sighted, first + span)
    return _island(probe, first, end) or row


def _nearest(probe: _Probe, blind: int, sighted: int, row: Row) -> tuple[int, Row]:
    """Go back towards a rowid that cannot be read, as far as there is something to see."""
    while sighted - blind > 1:
        middle = (blind + sighted) // 2
        if (found := probe(middle)) is None:
            blind = middle
        else:
            sighted, row = middle, found
    return sighted, row


def _island(probe: _Probe, first: int, end: int) -> Row | None:
    """The first row in [first, end) that some look finds."""
    stride = max(1, (end - first) // _LOOKS)
    for rowid in range(first, end, stride):
        if (row := probe(rowid)) is not None:
            return _nearest(probe, rowid - stride, rowid, row)[1]
    return None
