"""Changing what is kept, on the recorder's thread."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from miharu.batch import Batch
from miharu.call import Cost
from miharu.errors import StoreError
from miharu.stores.base import Forgotten, Whose
from miharu.stores.clickhouse.client.database import Database, waiting_for
from miharu.stores.clickhouse.client.refusals import NO_TABLE, code_of
from miharu.stores.clickhouse.tables.schema import prepare
from miharu.stores.clickhouse.writing import adding, changing, forgetting
from miharu.stores.words import TextsOf

__all__ = ("ClickHouseWriter",)

T = TypeVar("T")


class ClickHouseWriter:
    """Writes to a database that any number of processes share."""

    def __init__(self, url: str, meanwhile: Callable[[], object] = bool) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``clickhouse://`` or ``clickhouses://`` and so on.
            meanwhile: To be called about ten times a second while the server is waited for.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.database = Database(url)
        self._meanwhile = meanwhile
        self._texts: TextsOf | None = None

    def open(self) -> None:
        waiting_for(partial(prepare, self.database), self._meanwhile)

    def add(self, batch: Batch) -> int:
        return self._run(partial(adding.add, self.database, batch, self._texts))

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return self._run(partial(changing.reprice, self.database, costs))

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        return self._run(
            partial(forgetting.prune, self.database, before, content_only=content_only, limit=limit)
        )

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:  # noqa: ARG002 - marked at once
        return self._run(partial(forgetting.forget, self.database, whose))

    def keep_for(self, calls_ms: int | None, content_ms: int | None) -> None:
        """Have the server forget what is older, in milliseconds; ``None`` is for ever."""
        self._run(partial(forgetting.keep_for, self.database, calls_ms, content_ms))

    def roll_up(self) -> bool:
        return False

    def use_texts(self, texts: TextsOf) -> None:
        self._texts = texts

    def close(self) -> None:
        self.database.close()

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return waiting_for(work, self._meanwhile)
        except StoreError as error:
            if code_of(error) != NO_TABLE:
                raise
        self.open()  # behind the address there is a server that was made anew
        return waiting_for(work, self._meanwhile)
