"""Calls in one SQLite file, shared by as many processes as there are.

schema.py        the tables, as numbered steps
writer.py        changing what is kept, without SQLAlchemy and without a loop
file.py          the connection that writes
memory.py        the one that stands for a file
locks/           one writer at a time among all processes, and SQLite's own locks left alone
place.py         whether another user could lead what is opened elsewhere
transactions.py  our own, and what their errors mean
rows.py          a batch as rows
writing.py       what a batch, a completed call, new prices and the pruning change
forgetting.py    what is left of those who are to be forgotten: nothing
rolling_up.py    the roll-ups, made later
placing.py       which call each score counts for
said.py          the index of what was said, made later
searching.py     calls by their words
placing.py       which calls the scores of a time belong to
references.py    the calls of one user, session or trace
questions.py     what is asked
readers.py       the connections that read
repair/          what happens when the file is damaged
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from miharu.config import database_file
from miharu.errors import StoreError

if TYPE_CHECKING:  # a program that records loads no SQLAlchemy, and one that reads no writer
    from miharu.stores.sqlite.memory import Memory
    from miharu.stores.sqlite.questions import SQLiteQuestions
    from miharu.stores.sqlite.writer import SQLiteWriter

__all__ = ("SQLiteStore",)


class SQLiteStore:
    """Keeps calls in a file, or in memory for ``sqlite+aiosqlite:///:memory:``."""

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        clock: Callable[[], int] | None = None,
        tag_sums: Sequence[str] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``sqlite+aiosqlite:///`` and a path.
            read_only: Never make or change anything.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.
        """
        self.path = database_file(url)
        self.read_only = read_only
        self._clock = clock
        self._tags = tuple(tag_sums)
        self._memory = self._made() if self.path is None else None

    def writer(self, meanwhile: Callable[[], object] = bool) -> "SQLiteWriter":
        """The writer of the database.

        Raises:
            StoreError: It is for reading only.
        """
        from miharu.stores.sqlite.file import WritableFile
        from miharu.stores.sqlite.writer import SQLiteWriter

        if self.read_only:
            raise StoreError(f"{self.path} is open for reading only.")
        if self._memory is not None or self.path is None:
            return SQLiteWriter(self._memory or self._made(), self._clock, self._tags)
        return SQLiteWriter(WritableFile(self.path, meanwhile=meanwhile), self._clock, self._tags)

    def questions(self) -> "SQLiteQuestions":
        """The questions, which read the database."""
        from miharu.stores.sqlite.questions import SQLiteQuestions
        from miharu.stores.sqlite.readers import FileReaders, MemoryReader

        if self._memory is not None or self.path is None:
            return SQLiteQuestions(MemoryReader(self._memory or self._made()))
        return SQLiteQuestions(FileReaders(self.path, read_only=self.read_only), self.path)

    @staticmethod
    def _made() -> "Memory":
        from miharu.stores.sqlite.memory import Memory

        return Memory()
