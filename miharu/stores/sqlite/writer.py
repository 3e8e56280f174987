"""Changing what is kept: plain ``sqlite3`` on the caller's thread."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from time import time

from miharu.batch import Batch
from miharu.call import Cost
from miharu.errors import StoreError
from miharu.stores.base import Forgotten, Whose
from miharu.stores.pace import Pace
from miharu.stores.sqlite import forgetting, rolling_up, said, writing
from miharu.stores.sqlite.file import WritableFile
from miharu.stores.sqlite.memory import Memory
from miharu.stores.sqlite.repair.damage import CORRUPT_INDEX
from miharu.stores.sqlite.rows import rows_of
from miharu.stores.sqlite.schema import prepare
from miharu.stores.words import TextsOf

__all__ = ("SQLiteWriter", "bring_up_to_date")

_PRUNED_AT_ONCE = 1000
_FIRST_CHANGED = 50
"""Calls that change or go in a transaction, before it is known how long that takes: each is in many sums."""


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
        self._texts: TextsOf | None = None
        self._pace = Pace()
        self._clock = clock or (lambda: int(time() * 1000))

    def open(self) -> None:
        self.database.open(partial(prepare, name=self.database.name))

    def add(self, batch: Batch) -> int:
        return self.database.write(partial(writing.add, rows=rows_of(batch)))

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        found, left = 0, iter(costs.items())
        while some := dict(islice(left, self._pace.most("reprice", _FIRST_CHANGED))):
            found += self.database.write(partial(writing.reprice, costs=some))
            self._pace.did(len(some))
            self._pace.ended()
        return found

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        forget = writing.prune_content if content_only else writing.prune
        gone = rest = 0
        while limit is None or max(gone, rest) < limit:
            most = min(self._pace.most(forget.__name__, _FIRST_CHANGED), _PRUNED_AT_ONCE)
            if limit is not None:
                most = min(most, limit - gone)
            some, others = self.database.write(partial(forget, before=before, most=most))
            self._pace.did(max(some, others))
            self._pace.ended()
            if not some and not others:
                break
            gone, rest = gone + some, rest + others
        if limit is None:  # what a user has asked for is done when it has returned
            self._forget_words()
        return gone

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        (before,) = self.database.look(
            lambda connection: connection.execute("PRAGMA secure_delete").fetchone()
        )
        self.database.look(lambda connection: connection.execute("PRAGMA secure_delete = ON").fetchone())
        try:
            gone = self._forget_calls(whose, limit)
            if limit is None or gone.calls < limit:
                gone += self._forget_rest(whose)
                self._forget_words()
        finally:
            self.database.look(
                lambda connection: connection.execute(f"PRAGMA secure_delete = {before}").fetchone()
            )
        # what was overwritten still stands in the WAL, and in the file until that is copied into it
        self.database.alone(
            lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        )
        return gone

    def erase(self) -> None:
        def erased(connection: sqlite3.Connection) -> None:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

        self.database.alone(erased)

    def use_texts(self, texts: TextsOf) -> None:
        self._texts = texts

    def roll_up(self) -> bool:
        now = self._clock()
        if self.database.look(partial(rolling_up.is_due, now=now, tags=self._tags, pace=self._pace)):
            more = self.database.write(partial(rolling_up.roll_up, now=now, tags=self._tags, pace=self._pace))
            self._pace.ended()
            if more:
                return True
        # also where something is due that can only wait, such as a score whose call is not there yet
        return self._index_some(now)

    def _is_to_index(self, now: int) -> bool:
        return self._texts is not None and self.database.look(partial(_is_to_index, now=now))

    def _index_some(self, now: int) -> bool:
        """Make the words of some calls searchable, or merge away those of calls that are gone."""
        if self._texts is None or not self._is_to_index(now):
            return False
        try:
            upto, found = self.database.look(partial(said.due, texts=self._texts, pace=self._pace))
            self.database.write(partial(said.keep, upto=upto, found=found, pace=self._pace))
            self._pace.ended()
            self.database.write(partial(said.merge, now=now, pace=self._pace))
            self._pace.ended()
        except (StoreError, sqlite3.IntegrityError) as error:
            if not _is_of_index(error.__cause__ or error):
                raise
            self.database.write(said.start_over)
        return self._is_to_index(now)

    def _forget_words(self) -> None:
        """See that nothing is left of calls that are gone."""
        while self.database.look(said.has_index) and self.database.write(
            partial(said.merge, now=self._clock(), pace=self._pace, at_once=True)
        ):
            self._pace.ended()

    def close(self) -> None:
        self.database.close()

    def _forget_calls(self, whose: Whose, limit: int | None) -> Forgotten:
        gone = Forgotten()
        while limit is None or gone.calls < limit:
            most = min(self._pace.most("forget", _FIRST_CHANGED), _PRUNED_AT_ONCE)
            if limit is not None:
                most = min(most, limit - gone.calls)
            some = self.database.write(partial(forgetting.forget_calls, whose=whose, most=most))
            self._pace.did(some.calls)
            self._pace.ended()
            if not some:
                break
            gone += some
        return gone

    def _forget_rest(self, whose: Whose) -> Forgotten:
        """Their other spans, and their names in what was derived; what there is, is seen without a lock."""
        gone = Forgotten()
        while spans := self.database.look(partial(forgetting.spans_left, whose=whose, most=_PRUNED_AT_ONCE)):
            gone += self.database.write(partial(forgetting.forget_spans, rows=spans))
        while names := self.database.look(partial(forgetting.names_left, whose=whose, most=_PRUNED_AT_ONCE)):
            some = self.database.write(partial(forgetting.forget_names, rows=names))
            if not some:
                break
            gone += some
        return gone


def _is_to_index(connection: sqlite3.Connection, now: int) -> bool:
    return said.can_index(connection) and said.is_due(connection, now)


def _is_of_index(cause: BaseException | None) -> bool:
    """Whether the index alone is damaged: it can be made anew."""
    # a part of the index that is numbered like another, because its list of parts is damaged
    doubled = isinstance(cause, sqlite3.IntegrityError)
    return doubled or getattr(cause, "sqlite_errorcode", 0) == CORRUPT_INDEX


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
