"""Where in the file each table begins, kept beside it: by this a file is read whose first page is lost.

SQLite finds everything from page 1. ``<file>.layout`` knows in a few hundred bytes what stands there, it is
written when the schema changes, and a new page 1 can be made of it.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from miharu.stores.columns import CALLS, MARKERS, SCORES, SPANS
from miharu.stores.sqlite.repair import sidecar

__all__ = (
    "PAGE_SIZES",
    "TABLES",
    "Layout",
    "Table",
    "beside",
    "keep",
    "known_columns",
    "layout_of",
    "page_one",
    "read_layout",
)

TABLES = ("llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers")
"""What cannot be made anew; all other tables are derived from these."""
PAGE_SIZES = tuple(1 << power for power in range(9, 17))
_LAST_PAGE = (1 << 32) - 2
_MOST_COLUMNS = 2000
_COLUMNS = {
    "llm_calls": frozenset(CALLS),
    "llm_bodies": frozenset(("call_id", "request", "response", "timestamp")),
    "llm_spans": frozenset(SPANS),
    "llm_scores": frozenset(SCORES),
    "llm_markers": frozenset(MARKERS),
}
_WAL_MODE, _ROLLBACK_MODE = b"\2\2", b"\1\1"


@dataclass(frozen=True, slots=True)
class Table:
    root: int
    """The number of its first page."""
    columns: tuple[str, ...]
    """Those that are stored, in order."""


@dataclass(frozen=True, slots=True)
class Layout:
    page_size: int
    tables: Mapping[str, Table]


def known_columns(table: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Those of a table that a version of miharu has made, in order: other names may be anything."""
    return tuple(column for column in columns if column in _COLUMNS[table])


def read_layout(ask: Callable[[str], Sequence[Sequence[Any]]]) -> Layout:
    """The layout of an open database; ``ask`` runs a statement and returns all rows."""
    tables = {}
    for name in TABLES:
        found = ask(f"SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = '{name}'")
        if found:
            # it leaves out columns that are computed, which are not stored either
            columns = ask(f"PRAGMA table_info({name})")
            tables[name] = _table(name, found[0][0], [column[1] for column in columns])
    return Layout(page_size=ask("PRAGMA page_size")[0][0], tables=tables)


def beside(database: Path) -> Path:
    """Where the layout of that file is kept."""
    return Path(f"{database}.layout")


def keep(ask: Callable[[str], Sequence[Sequence[Any]]], database: Path) -> None:
    """Write the layout, unless it is there.

    Raises:
        OSError: It cannot be written.
    """
    layout = read_layout(ask)
    if layout != layout_of(database):
        sidecar.write(beside(database), asdict(layout))


def layout_of(database: Path) -> Layout | None:
    """What is known about the file without opening it."""
    layout = sidecar.read(beside(database), Layout)
    if layout is None or not layout.tables or layout.page_size not in PAGE_SIZES:
        return None
    if not all(name in TABLES and _is_possible(table) for name, table in layout.tables.items()):
        return None
    tables = {name: _table(name, table.root, table.columns) for name, table in layout.tables.items()}
    return replace(layout, tables=tables)


def _table(name: str, root: int, columns: Sequence[str]) -> Table:
    """With a neutral name for each column that no miharu has made: names end up in statements."""
    known = _COLUMNS[name]
    return Table(
        root, tuple(each if each in known else f"unknown_{place}" for place, each in enumerate(columns))
    )


def _is_possible(table: Table) -> bool:
    names = table.columns
    return 1 < table.root <= _LAST_PAGE and 0 < len(set(names)) == len(names) <= _MOST_COLUMNS


def page_one(layout: Layout, pages: int, *, wal: bool) -> bytes:
    """A first page for a file of that many pages, by which its tables are found, though not its indexes."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as draft:
        draft.execute(f"PRAGMA page_size = {layout.page_size}")
        draft.execute("PRAGMA writable_schema = ON")
        draft.execute("PRAGMA user_version = 1")  # makes SQLite write a first page
        for name, table in layout.tables.items():
            columns = ", ".join(f'"{column}"' for column in table.columns)
            draft.execute(
                "INSERT INTO sqlite_master VALUES ('table', ?, ?, ?, ?)",
                (name, name, table.root, f"CREATE TABLE {name} ({columns})"),
            )
        page = bytearray(draft.serialize()[: layout.page_size])
    page[18:20] = _WAL_MODE if wal else _ROLLBACK_MODE
    page[24:28] = page[92:96]  # the number of pages holds
    page[28:32] = pages.to_bytes(4)
    return bytes(page)
