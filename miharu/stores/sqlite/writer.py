"""Changing what is kept: plain ``sqlite3`` on the thread of whoever calls."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import time

from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores.sqlite import rolling_up, writing
from miharu.stores.sqlite.file import WritableFile
from miharu.stores.sqlite.memory import Memory
from miharu.stores.sqlite.rows import rows_of
from miharu.stores.sqlite.schema import prepare

__all__ = ("SQLiteWriter", "bring_up_to_date")

_PRUNED_AT_ONCE = 1000


class SQLiteWriter:
    """Writes to a file, or into memory."""

    def __init__(
        self,
        database: WritableFile | Memory,
        clock: Callable[[], int] | None = None,
        tag_sums: Sequence[str] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            database: Where.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.
        """
        self.database = database
        self._tags = tuple(tag_sums)
        self._clock = clock or (lambda: int(time() * 1000))

    def open(self) -> None:
        self.database.open(partial(prepare, name=self.database.name))

    def add(self, batch: Batch) -> int:
        return self.database.write(partial(writing.add, rows=rows_of(batch)))

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return self.database.write(partial(writing.reprice, costs=costs))

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        forget = writing.prune_content if content_only else writing.prune
        gone = 0
        while limit is None or gone < limit:
            most = _PRUNED_AT_ONCE if limit is None else min(limit - gone, _PRUNED_AT_ONCE)
            if not (some := self.database.write(partial(forget, before=before, most=most))):
                break
            gone += some
        return gone

    def roll_up(self) -> bool:
        now = self._clock()
        if not self.database.look(partial(rolling_up.is_due, now=now, tags=self._tags)):
            return False
        return self.database.write(partial(rolling_up.roll_up, now=now, tags=self._tags))

    def close(self) -> None:
        self.database.close()


def bring_up_to_date(path: Path) -> None:
    """See to it that there is a file, with the tables of today.

    Raises:
        NewerDatabase: A newer miharu wrote it.
        StoreError: It cannot be used.
    """
    writer = SQLiteWriter(WritableFile(path, rescue=False))
    try:
        writer.open()
    finally:
        writer.close()
