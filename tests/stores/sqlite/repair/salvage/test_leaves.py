"""Rows are read from their pages as SQLite has written them, and nothing else is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miharu.stores.sqlite.repair.salvage.leaves import records
from miharu.stores.sqlite.repair.salvage.pages import pages_of
from tests.stores.sqlite.repair.conftest import PAGE

VALUES = (
    st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.binary()
    | st.integers(0, 20_000).map(bytes)
)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=30)


@contextmanager
def table(path: Path, columns: str = "a, b, c") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE t ({columns})")
        yield connection


def found(path: Path, width: int = 3, *, wal: bool = False, after: int = 0) -> dict[int, tuple[Any, ...]]:
    with pages_of(path, PAGE, wal=wal) as pages:
        rows = list(records(pages, lambda columns, _: columns == width, after))
    assert len({row.rowid for row in rows}) == len(rows)
    return {row.rowid: row.values for row in rows}


@given(rows=ROWS, start=st.integers(-(1 << 62), 1 << 62))
@settings(deadline=None, max_examples=50)
def test_every_row_of_a_sound_file_is_found_as_it_was_written(
    rows: list[tuple[Any, Any, Any]], start: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.db"
        with table(path) as connection:
            for number, row in enumerate(rows, start):
                connection.execute("INSERT INTO t (rowid, a, b, c) VALUES (?, ?, ?, ?)", (number, *row))
        assert found(path) == dict(enumerate(rows, start))


@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_no_damage_stops_it(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.db"
        with table(path) as connection:
            connection.executemany(
                "INSERT INTO t VALUES (?, ?, ?)", [(n, bytes(n * 40), "x") for n in range(200)]
            )
        content = bytearray(path.read_bytes())
        for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=40)):
            content[at] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        with pages_of(path, PAGE, wal=False) as pages:
            list(records(pages, lambda _, __: True))


def test_rows_need_nothing_but_their_leaf(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    with table(path) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, "x" * 100, None) for n in range(1000)])
    content = path.read_bytes()
    root = content[PAGE]
    assert root == 5, "the first page of the table leads to others"
    path.write_bytes(bytes(2 * PAGE) + content[2 * PAGE :])
    assert found(path) == {n + 1: (n, "x" * 100, None) for n in range(1000)}


def test_rows_from_before_a_column_was_added_are_shorter(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    with table(path) as connection:
        connection.execute("INSERT INTO t VALUES (1, 2, 3)")
        connection.execute("ALTER TABLE t ADD COLUMN d")
        connection.execute("INSERT INTO t VALUES (1, 2, 3, 4)")
    assert found(path) == {1: (1, 2, 3)}
    assert found(path, 4) == {2: (1, 2, 3, 4)}


def test_what_was_deleted_stays_deleted(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    with table(path) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, "x" * 100, None) for n in range(5000)])
        connection.execute("DELETE FROM t WHERE a % 1000 >= 10")
        assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 50
    assert sorted(row[0] for row in found(path).values()) == [n for n in range(5000) if n % 1000 < 10]


@pytest.mark.parametrize("wal", [True, False])
def test_changes_beside_the_file_come_before_it(tmp_path: Path, *, wal: bool) -> None:
    path, copy = tmp_path / "file.db", tmp_path / "copy.db"
    with table(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO t VALUES ('old', 0, 0)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE t SET a = 'new'")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, "x" * 100, None) for n in range(500)])
        connection.execute("BEGIN")
        connection.execute("PRAGMA cache_size = 1")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [("no", "x" * 100, 0) for _ in range(500)])
        for part in ("", "-wal"):
            Path(f"{copy}{part}").write_bytes(Path(f"{path}{part}").read_bytes())
        connection.execute("ROLLBACK")
    rows = found(copy, wal=wal)
    assert rows[1][0] == ("new" if wal else "old")
    assert len(rows) == (501 if wal else 1)


def test_it_goes_on_after_a_page(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    with table(path) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, "x" * 100, None) for n in range(500)])
    with pages_of(path, PAGE, wal=False) as pages:
        rows = list(records(pages, lambda columns, _: columns == 3))
    middle = rows[250].page
    assert list(found(path, after=middle)) == [row.rowid for row in rows if row.page > middle]
