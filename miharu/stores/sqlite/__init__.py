"""Calls in one SQLite file, shared by as many processes as there are.

schema.py        the tables, as numbered steps
database.py      the file and its connections
transactions.py  our own, and what their errors mean
gate.py          one writer at a time among all processes
place.py         whether another user could lead what is opened elsewhere
turn.py          a lock on a file, and a place in the queue for it
handles.py       reading the file beside SQLite, without taking its locks away
writing.py       what a batch, a completed call, new prices and the pruning change
tending.py       the roll-ups, made later
references.py    the calls of one user, session or trace
repair/          what happens when the file is damaged
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import time
from typing import TypeVar

from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.call import Call, Cost
from miharu.config import database_file
from miharu.errors import NewerDatabase, StoreError
from miharu.stores import sql
from miharu.stores.base import NEWEST, Order, Query
from miharu.stores.sqlite import tending, writing
from miharu.stores.sqlite.database import Database
from miharu.stores.sqlite.references import lookup
from miharu.stores.sqlite.schema import STEPS, prepare, version_of

__all__ = ("SQLiteStore",)

T = TypeVar("T")

ENGINE = sql.Engine(
    marks=tending.marks,
    below="+llm_calls.rowid < :mark",
    above="llm_calls.rowid >= :mark",
    # not json_extract: before SQLite 3.45 its paths do not find names that JSON has to escape
    tagged="instr(tags, :tag_written) AND EXISTS "
    "(SELECT 1 FROM json_each(tags) WHERE key = :tag_name AND atom = :tag_value)",
    lookup=lookup,
)
_PRUNED_AT_ONCE = 1000


class SQLiteStore(sql.Answers):
    """Keeps calls in a file, or in memory for ``sqlite+aiosqlite:///:memory:``."""

    engine = ENGINE

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        clock: Callable[[], int] = lambda: int(time() * 1000),
        tag_sums: Sequence[str] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``sqlite+aiosqlite:///`` and a path.
            read_only: Never make or change anything.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.
        """
        self._tags = tuple(tag_sums)
        self._database = Database(database_file(url), read_only=read_only)
        self._clock = clock
        self._newer: NewerDatabase | None = None

    async def open(self) -> None:
        path, name = self._database.path, self._database.name
        try:
            await self._database.open(partial(prepare, name=name))
            if self._database.read_only and await self._read(version_of) < len(STEPS):
                await _bring_up_to_date(path, name)
        except NewerDatabase as error:
            await self._database.close()
            self._newer, self._database = error, Database(path, read_only=True)
            await self._database.open(bool)
        except StoreError:
            await self._database.close()
            raise

    async def add(self, batch: Batch) -> int:
        return await self._write(partial(writing.add, batch=batch))

    async def revision(self) -> int:
        return await self._read(_revision)

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        if order == NEWEST:
            look = partial(sql.calls, engine=ENGINE, query=query, limit=limit, before=before)
        else:
            look = partial(sql.ranked, engine=ENGINE, query=query, order=order, limit=limit, before=before)
        return await self._read(look)

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return await self._read(partial(sql.call, id=id))

    async def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return await self._write(partial(writing.reprice, costs=costs))

    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        forget = writing.prune_content if content_only else writing.prune
        gone = 0
        while limit is None or gone < limit:
            most = _PRUNED_AT_ONCE if limit is None else min(limit - gone, _PRUNED_AT_ONCE)
            if not (some := await self._write(partial(forget, before=before, most=most))):
                break
            gone += some
        return gone

    async def tend(self) -> bool:
        now = self._clock()
        if self._database.read_only or not await self._read(
            partial(tending.is_due, now=now, tags=self._tags)
        ):
            return False
        return await self._write(partial(tending.tend, now=now, tags=self._tags))

    async def size(self) -> int | None:
        return self._database.size()

    async def close(self) -> None:
        await self._database.close()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        if self._newer is not None:
            raise self._newer
        return await self._database.write(work)


async def _bring_up_to_date(path: Path | None, name: str) -> None:
    """What an older miharu wrote gets the tables that reading needs."""
    writer = Database(path, rescue=False)
    try:
        await writer.open(partial(prepare, name=name))
    except StoreError as error:
        raise StoreError(
            f"{name} was written by an older miharu, and is to be brought up to date before it can be read, "
            f"by somebody who may write to it. {error}"
        ) from error
    finally:
        await writer.close()


def _revision(connection: Connection) -> int:
    return int(
        connection.exec_driver_sql("SELECT value FROM miharu_meta WHERE key = 'revision'").scalar_one()
    )
