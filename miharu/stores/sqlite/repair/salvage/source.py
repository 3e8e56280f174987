"""Opening a damaged file, with a new first page where its own leads nowhere."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from miharu.files.private import open_ours, put
from miharu.stores.sqlite.repair.damage import FAILURES, connect, has_wal, is_damage
from miharu.stores.sqlite.repair.layout import Layout, layout_of, page_one, read_layout
from miharu.stores.sqlite.repair.salvage.pages import pages_of

__all__ = ("DamagedSource", "Unreadable", "opened")

_ROWS_A_PAGE = 50


class Unreadable(Exception):  # noqa: N818 - it says what is so
    """Nothing can be read, and why."""


@dataclass(frozen=True, slots=True)
class DamagedSource:
    """A damaged file, open."""

    connection: sqlite3.Connection
    layout: Layout
    most_rows: int
    """About how many rows it can hold."""


@contextmanager
def opened(path: Path, *, wal: bool) -> Iterator[DamagedSource]:
    """The file, for reading.

    Args:
        path: A file that was set aside.
        wal: Whether to read the changes beside it, too.

    Raises:
        Unreadable: Nothing is left by which its tables could be found.
        sqlite3.Error: It cannot be opened at the moment.
    """
    options = "mode=ro" if wal else "mode=ro&immutable=1"
    layout = _own_layout(path, options) or _replace_page_one(path, wal=wal)
    with connect(path, options) as connection:
        connection.text_factory = _text
        yield DamagedSource(connection, layout, _pages(path, layout, wal=wal) * _ROWS_A_PAGE)


def _own_layout(path: Path, options: str) -> Layout | None:
    try:
        with connect(path, options) as connection:
            layout = read_layout(lambda statement: connection.execute(statement).fetchall())
    except FAILURES as error:
        if is_damage(error):
            return None
        raise
    return layout if "llm_calls" in layout.tables else None


def _replace_page_one(path: Path, *, wal: bool) -> Layout:
    """Give the file a first page that leads to its tables; what stood there is kept beside it."""
    layout = layout_of(path)
    if layout is None:
        raise Unreadable("its first page is damaged, and where its tables begin is not known")
    pages = _pages(path, layout, wal=wal)
    tables = {name: table for name, table in layout.tables.items() if table.root <= pages}
    if not tables:
        raise Unreadable("nothing is left of its tables")
    layout = replace(layout, tables=tables)
    with os.fdopen(open_ours(path, write=True), "r+b") as file:
        with suppress(FileExistsError):
            put(Path(f"{path}.page1"), file.read(layout.page_size))
        file.seek(0)
        file.write(page_one(layout, pages, wal=has_wal(path)))
    return layout


def _pages(path: Path, layout: Layout, *, wal: bool) -> int:
    with pages_of(path, layout.page_size, wal=wal) as pages:
        return len(pages)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
