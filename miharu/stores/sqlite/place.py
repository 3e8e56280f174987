"""Whether another user could lead the opening of a database elsewhere, or change it behind our back.

SQLite opens the file, its WAL, its shared memory and its journal by their names, at moments of its own. So
others must not be able to change them in that folder, and what has these names is looked at beforehand.

A place that was not named is this user's alone, or it is not chosen (``config.location``). One that was named
is used with a warning where others can write to it, and refused where another user decides what is there.
"""

import os
import stat
from pathlib import Path

from miharu._guard import say_once
from miharu.errors import StoreError
from miharu.files.private import clear
from miharu.files.trust import folder_fault, is_foreign, kind_fault, may_write, mode_fault, user_words

__all__ = ("check_place",)

_COMPANIONS = ("-wal", "-shm", "-journal")
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def check_place(database: Path, *, read_only: bool = False) -> None:
    """Return only where the file that SQLite will open is the one that this user means.

    Args:
        database: The file, which may be missing.
        read_only: Whether it will only be read. Another user's is not refused then, as long as this user may
            not write there either: nothing can be made or changed.

    Raises:
        StoreError: Another user decides what is there; the message says who, and what to do.
        OSError: That is not to be seen.
    """
    fault = folder_fault(database.parent)
    if fault is not None and fault.is_foreign:
        _refuse(database, f"{fault.path} {fault.words}", os.lstat(fault.path), read_only=read_only)
    facts = _facts(database)
    if facts is not None:
        _check_file(database, facts, read_only=read_only)
    for part in _COMPANIONS:
        path = Path(f"{database}{part}")
        if words := _companion_fault(path, facts):
            if read_only or fault is not None:
                raise StoreError(f"{database} is not used, because {path} {words}.")
            clear(path)
    if fault is not None and not fault.is_foreign and not fault.is_roots:
        say_once("%s, so others can put another file in the place of %s.", fault, database)


def _check_file(database: Path, facts: os.stat_result, *, read_only: bool) -> None:
    words = kind_fault(facts)
    if words and stat.S_ISREG(facts.st_mode) and is_foreign(facts):
        _refuse(database, f"it {words}", facts, read_only=read_only)
    elif words:
        remedy = "Name the file that it leads to" if stat.S_ISLNK(facts.st_mode) else "Name another file"
        raise StoreError(f"{database} is not used, because it {words}. {remedy}.")
    elif words := mode_fault(facts):
        say_once("%s %s.", database, words)


def _companion_fault(path: Path, database: os.stat_result | None) -> str:
    """Why SQLite must not open that; it makes them as open to others as the file, and as the same user's."""
    facts = _facts(path)
    if facts is None:
        return ""
    is_file = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1
    if database is not None and is_file and facts.st_uid == database.st_uid:
        return mode_fault(facts) if facts.st_mode & ~database.st_mode & _BY_OTHERS else ""
    return kind_fault(facts) or mode_fault(facts)


def _refuse(database: Path, reason: str, facts: os.stat_result, *, read_only: bool) -> None:
    """Refuse the place, unless it is only read and this user could not write there."""
    if read_only and not may_write(database.parent) and not may_write(database):
        return
    owner = user_words(facts.st_uid)
    remedy = f"Run this as {owner}" + ("" if read_only else ", or name a file in a folder of your own")
    raise StoreError(f"{database} is not used, because {reason}, who could lead it elsewhere. {remedy}.")


def _facts(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
