"""Calls of those who outgrow one machine, in ClickHouse.

client/   the server: its address, its client, and why it did not do something
tables/   what is kept, and which of it a filter means
writing/  changing what is kept
queries/  what is asked
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from miharu.config import public_url
from miharu.errors import StoreError

if TYPE_CHECKING:  # the driver comes with the first call or question
    from miharu.stores.clickhouse.queries.questions import ClickHouseQuestions
    from miharu.stores.clickhouse.writing.writer import ClickHouseWriter

__all__ = ("ClickHouseStore",)


class ClickHouseStore:
    """Keeps calls in a database that any number of processes share."""

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        clock: Callable[[], int] | None = None,  # noqa: ARG002 - sums need none here
        tag_sums: Sequence[str] = (),  # noqa: ARG002 - tags are looked up in the calls
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``clickhouse://`` or ``clickhouses://`` (TLS), user, password, host, port and database.
            read_only: Never make or change anything.
            clock: Taken as the other stores take it.
            tag_sums: Taken as the other stores take it: calls with a tag are found by an index.
        """
        self._url = url
        self._read_only = read_only

    def writer(self, meanwhile: Callable[[], object] = bool) -> "ClickHouseWriter":
        """The writer of the database.

        Raises:
            StoreError: It is for reading only, the driver is not installed, or the URL is not valid.
        """
        from miharu.stores.clickhouse.writing.writer import ClickHouseWriter

        if self._read_only:
            raise StoreError(f"{public_url(self._url)} is open for reading only.")
        return ClickHouseWriter(self._url, meanwhile)

    def questions(self) -> "ClickHouseQuestions":
        """The questions, which read the database.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        from miharu.stores.clickhouse.queries.questions import ClickHouseQuestions

        return ClickHouseQuestions(self._url, read_only=self._read_only)
