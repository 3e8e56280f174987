"""The pages of a file, with the changes beside it laid over them (https://www.sqlite.org/fileformat2.html)."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from miharu.files.private import open_any
from miharu.stores.sqlite.repair.damage import has_wal

__all__ = ("Pages", "pages_of")

_HEADER, _FRAME = 32, 24
"""Bytes at the beginning of a WAL, and before each page in it."""


class Pages:
    """Pages by their numbers, counted from 1."""

    def __init__(self, file: BinaryIO, size: int, changes: BinaryIO | None = None) -> None:
        self.size = size
        self._file = file
        self._changes = changes
        self._changed: Mapping[int, int] = {}
        self._count = file.seek(0, 2) // size
        if changes is not None:
            self._lay_over(changes)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        """Its bytes, fewer than a page or none where the file ends before."""
        if self._changes is not None and (at := self._changed.get(number)) is not None:
            self._changes.seek(at)
            return self._changes.read(self.size)
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size)

    def _lay_over(self, changes: BinaryIO) -> None:
        """Find the newest of each page among the frames that were committed."""
        changes.seek(0)
        salt, at, open_frames = changes.read(_HEADER)[16:24], _HEADER, dict[int, int]()
        changed = dict[int, int]()
        while len(frame := changes.read(_FRAME)) == _FRAME and frame[8:16] == salt:
            open_frames[int.from_bytes(frame[:4])] = at + _FRAME
            if pages := int.from_bytes(frame[4:8]):  # a commit, and the size that the database has with it
                self._count = max(self._count, pages)
                changed.update(open_frames)
                open_frames.clear()
            changes.seek(at := at + _FRAME + self.size)
        self._changed = changed


@contextmanager
def pages_of(path: Path, size: int, *, wal: bool) -> Iterator[Pages]:
    """The pages of the file.

    Args:
        path: A file that was set aside.
        size: Of a page, in bytes.
        wal: Whether to lay the changes beside it over them.

    Raises:
        OSError: It cannot be opened.
    """
    with ExitStack() as stack:
        file = stack.enter_context(os.fdopen(open_any(path), "rb"))
        changes = None
        if wal and has_wal(path):
            changes = stack.enter_context(os.fdopen(open_any(Path(f"{path}-wal")), "rb"))
        yield Pages(file, size, changes)
