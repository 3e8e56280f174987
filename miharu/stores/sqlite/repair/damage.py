"""Telling a damaged file from another program's, and an error that passes from one that stays.

Damaged is what is ours and cannot be read as it should be: it is set aside, and recording goes on in a new
file. A full disk, a lock or a missing permission is not damage: it passes, or the user sees to it, and the
file is left alone.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from miharu.stores.sqlite.locks.handles import held, reading
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.repair.layout import PAGE_SIZES, layout_of
from miharu.stores.sqlite.schema import APPLICATION_ID

__all__ = (
    "CORRUPT_INDEX",
    "EMPTY",
    "FAILURES",
    "FileState",
    "Symptoms",
    "connect",
    "has_wal",
    "is_damage",
    "is_stale",
    "look",
    "meaning",
    "words_of",
)

EMPTY = "is empty"
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_SCHEMA_WITHIN = 1 << 16
_OURS = b"CREATE TABLE llm_calls"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
CORRUPT_INDEX = 1 << 8 | sqlite3.SQLITE_CORRUPT
"""The full-text index says so of itself; it is made anew, and the file is as whole as it was."""
_STALE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
_NO_TEXT = "Could not decode to UTF-8"
_UNREADABLE = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    32 << 8 | sqlite3.SQLITE_IOERR,  # SQLITE_IOERR_DATA has no name in the module
}
"""What a disk says that lost something; other errors of input and output are a full quota, say, and pass."""
_UNREADABLE_THRICE = 3
FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What ``sqlite3`` raises: a message that quotes damaged text cannot be decoded."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is, and why."""

    state: Literal["new", "sound", "damaged", "foreign"]
    words: str = ""
    """Completes a sentence that begins with the name of the file."""


def look(path: Path, *, may_write: bool = False) -> FileState:
    """Look at the file for about a millisecond, however large it is.

    Args:
        path: The file.
        may_write: Whether SQLite may take back a transaction that a dead process has begun before there was a
            WAL. It answers nothing before that.

    Raises:
        OSError: It may not be read.
        sqlite3.Error: It cannot be opened at the moment.
    """
    try:
        with reading(path) as file:
            head, size = file.read(_HEADER), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return FileState("new", "does not exist")
    if not size:
        held = has_wal(path) and layout_of(path) is not None
        return FileState("damaged", "is empty, though it has held calls") if held else FileState("new", EMPTY)
    if words := _header_fault(head, size, wal=has_wal(path)):
        return _judged(path, words)
    try:
        with connect(path, "mode=rw" if may_write and _has_journal(path) else "mode=ro") as connection:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except FAILURES as error:
        if not is_damage(error):
            raise
        return _judged(path, f"is damaged ({words_of(error)})")
    if owner != APPLICATION_ID and tables:
        return FileState("foreign", "belongs to another program")
    return FileState("sound")


def _header_fault(head: bytes, size: int, *, wal: bool) -> str:
    """What is wrong with the header, in words; nothing where all is well."""
    if head[:16] != _MAGIC:
        return "has no header of SQLite"
    page_size = int.from_bytes(head[16:18]) if head[16:18] != b"\0\1" else 1 << 16
    if page_size not in PAGE_SIZES:
        return "has a broken header"
    whole = int.from_bytes(head[28:32]) * page_size
    if not wal and head[24:28] == head[92:96] and size < whole:
        return f"has been cut off: {size:,} of {whole:,} bytes are left"
    return ""


def is_damage(error: BaseException | None) -> bool:
    """Whether the error means that the file is not a whole database."""
    if isinstance(error, UnicodeDecodeError) or str(error).startswith(_NO_TEXT):
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    return code != CORRUPT_INDEX and code & 0xFF in _DAMAGED


def is_stale(error: BaseException | None) -> bool:
    """Whether only a new connection can be without it: one to a read-only file stays so, for example."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _STALE


def words_of(error: BaseException | None) -> str:
    """What the engine said, as far as it can be read."""
    text = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return text if text.isprintable() else ascii(text)


def meaning(error: BaseException) -> str:
    """What the engine says, as the rest of a sentence that a user can act on."""
    code = getattr(error, "sqlite_errorcode", 0)
    found = _MEANINGS.get(code) or _MEANINGS.get(code & 0xFF) or ("is damaged" if is_damage(error) else "")
    if not found:
        return f"cannot be used: {words_of(error)}"
    remedy = ". To repair it: miharu doctor --repair" if found == _MEANINGS[sqlite3.SQLITE_CORRUPT] else ""
    return f"{found} ({words_of(error)}){remedy}"


_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_READONLY: "cannot be written: it is read-only",
    sqlite3.SQLITE_READONLY_DIRECTORY: "cannot be written: its folder is read-only",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: look at the permissions of the file and of its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk fails, or a quota is used up",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    CORRUPT_INDEX: "has a damaged index of words; all else is whole",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database",
}


class Symptoms:
    """Judges errors as they come: some mean damage only when they come again and again."""

    def __init__(self) -> None:
        self._unreadable = 0

    def of_damage(self, error: BaseException | None) -> bool:
        """Whether this error, after those before it, means that the file is damaged."""
        if getattr(error, "sqlite_errorcode", 0) in _UNREADABLE:
            self._unreadable += 1
            return self._unreadable >= _UNREADABLE_THRICE
        return is_damage(error)

    def gone(self) -> None:
        """Something has worked."""
        self._unreadable = 0


@contextmanager
def connect(path: Path, options: str = "mode=ro") -> Iterator[sqlite3.Connection]:
    """A connection of the standard library's, by default one that cannot write.

    Raises:
        StoreError: Another user decides what is there.
        OSError: That is not to be seen.
        sqlite3.Error: It cannot be opened.
    """
    check_place(path, read_only=options != "mode=rw")
    name = f"file:{quote(os.fspath(path))}?{options}"
    with (
        held(path),
        closing(
            sqlite3.connect(name, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
        ) as connection,
    ):
        yield connection


def has_wal(path: Path) -> bool:
    """Whether there are changes beside the file, by which its own length may lag behind."""
    try:
        return os.lstat(f"{path}-wal").st_size > 0
    except OSError:
        return False


def _has_journal(path: Path) -> bool:
    return os.path.lexists(f"{path}-journal")


def _judged(path: Path, words: str) -> FileState:
    """Damaged if it was ours once: another program's file is never touched."""
    return (
        FileState("damaged", words) if _was_ours(path) else FileState("foreign", "is not a SQLite database")
    )


def _was_ours(path: Path) -> bool:
    with reading(path) as file:
        start, size = file.read(_SCHEMA_WITHIN), os.fstat(file.fileno()).st_size
    owner = int.from_bytes(start[68:72]) if start[:16] == _MAGIC else 0
    if owner == APPLICATION_ID or _OURS in start:
        return True
    if owner:
        return False
    layout = layout_of(path)  # it says that there was a database of ours under this name
    return layout is not None and not size % layout.page_size and not _is_text(start)


def _is_text(data: bytes) -> bool:
    return not any(byte < 9 for byte in data)
