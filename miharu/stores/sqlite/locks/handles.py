"""Reading a database file beside SQLite, without taking its locks away.

Whenever a process closes any descriptor of a file, POSIX drops every lock that the process has on it, those
of SQLite's connections included; and the next program that closes the file takes itself for the last one,
and deletes the WAL that others still read. So such a descriptor is kept until no connection of this process
has the file open.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from miharu.files.private import open_any

__all__ = ("Identity", "held", "hold", "identity", "let_go", "reading")

Identity = tuple[int, int]
"""Device and inode."""


def identity(path: Path) -> Identity | None:
    """Which file that is, under any name; ``None`` where there is none.

    Raises:
        OSError: That is not to be seen, because a folder is closed, say.
    """
    try:
        found = os.lstat(path)  # a link that has taken its place is another file
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class _Process:
    """The files that one process has open."""

    def __init__(self) -> None:
        self.change = threading.Lock()
        self.connections: Counter[Identity] = Counter()
        self.kept: dict[Identity, list[FileIO]] = {}


_here = _Process()


def _begin_anew() -> None:
    """A child of a fork inherits no locks."""
    global _here  # noqa: PLW0603 - one for each process, and this is another process
    _here = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def hold(file: Identity) -> None:
    """Note that a connection to that file is about to open."""
    with _here.change:
        _here.connections[file] += 1


def let_go(file: Identity) -> None:
    """Note that a connection to that file was closed."""
    with _here.change:
        _here.connections[file] -= 1
        if _here.connections[file] <= 0:
            del _here.connections[file]
            for kept in _here.kept.pop(file, ()):
                kept.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A block around one connection."""
    file = identity(path)
    if file is None:
        yield
        return
    hold(file)
    try:
        yield
    finally:
        let_go(file)


@contextmanager
def reading(path: Path) -> Iterator[FileIO]:
    """The bytes of the file.

    Raises:
        OSError: It cannot be opened.
    """
    file = _kept(path) or FileIO(open_any(path))
    try:
        yield file
    finally:
        found = os.fstat(file.fileno())
        with _here.change:
            if (key := (found.st_dev, found.st_ino)) in _here.connections:
                _here.kept.setdefault(key, []).append(file)
            else:
                file.close()


def _kept(path: Path) -> FileIO | None:
    """One that is not read at the moment: there are never more than are read at once."""
    key = identity(path)
    with _here.change:
        file = kept.pop() if key and (kept := _here.kept.get(key)) else None
    if file is not None:
        file.seek(0)
    return file
