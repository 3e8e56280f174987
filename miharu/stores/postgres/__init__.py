"""Calls of many machines in one PostgreSQL database.

address.py     what a URL says
errors.py      why the server did not do it
database.py    its connections and transactions
schema.py      the tables, as numbered steps
partitions.py  a table for each day
changes.py     what has changed since
writer.py      changing what is kept
writing.py     what a batch, a completed call, new prices and the pruning change
forgetting.py  what is left of those who are to be forgotten: nothing
rolling_up.py  the roll-ups, made later
questions.py   what is asked
reading.py     what is asked of the calls themselves
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from miharu.config import public_url
from miharu.errors import StoreError

if TYPE_CHECKING:  # SQLAlchemy comes with the first call or question
    from miharu.stores.postgres.questions import PostgresQuestions
    from miharu.stores.postgres.writer import PostgresWriter

__all__ = ("PostgresStore",)


class PostgresStore:
    """Keeps calls in a database that any number of processes share."""

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
            url: ``postgresql+asyncpg://`` and what libpq understands behind it.
            read_only: Never make or change anything.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.
        """
        self._url = url
        self._read_only = read_only
        self._clock = clock
        self._tags = tuple(tag_sums)

    def writer(self, meanwhile: Callable[[], object] = bool) -> "PostgresWriter":  # noqa: ARG002 - it is awaited
        """The writer of the database.

        Raises:
            StoreError: It is for reading only, the driver is not installed, or the URL is not valid.
        """
        from miharu.stores.postgres.writer import PostgresWriter

        if self._read_only:
            raise StoreError(f"{public_url(self._url)} is open for reading only.")
        return PostgresWriter(self._url, self._clock, self._tags)

    def questions(self) -> "PostgresQuestions":
        """The questions, which read the database.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        from miharu.stores.postgres.questions import PostgresQuestions

        return PostgresQuestions(self._url, read_only=self._read_only)
