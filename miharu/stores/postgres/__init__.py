"""Calls of many machines in one PostgreSQL database.

address.py     what a URL says
refusals.py    why the server did not do it
database.py    its connections and transactions
schema.py      the tables, as numbered steps
partitions.py  a table for each day
changes.py     what has changed since
writing.py     what a batch, a completed call, new prices and the pruning change
tending.py     the roll-ups, made later
reading.py     what is asked of the calls themselves
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import time
from typing import TypeVar

from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.call import Call, Cost, moment_of
from miharu.stores import sql
from miharu.stores.base import NEWEST, RANKED, Order, Query
from miharu.stores.postgres import changes, partitions, reading, tending, writing
from miharu.stores.postgres.database import Database
from miharu.stores.postgres.refusals import NO_PARTITION, TAKEN, state_of
from miharu.stores.postgres.schema import look, prepare

__all__ = ("PostgresStore",)

T = TypeVar("T")


def _when(id: str) -> int:  # noqa: A002 - the column's name
    return moment_of(id) or 0


ENGINE = sql.Engine(
    marks=tending.marks,
    below="xid < :mark",
    above=f"xid >= :mark AND {tending.BETWEEN}",
    window="timestamp >= :start AND timestamp < :end",
    when=_when,
)
_PRUNED_AT_ONCE = 1000


class PostgresStore(sql.Answers):
    """Keeps calls in a database that any number of processes share."""

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
            url: ``postgresql+asyncpg://`` and what libpq understands behind it.
            read_only: Never make or change anything.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.

        Raises:
            StoreError: The driver is not installed, or nobody can make sense of the URL.
        """
        self._database = Database(url, read_only=read_only)
        self._clock = clock
        self._tags = tuple(tag_sums)
        self._days: set[partitions.Day] = set()

    async def open(self) -> None:
        name = self._database.name
        await self._database.open(partial(prepare, name=name), partial(look, name=name))

    async def add(self, batch: Batch) -> int:
        await self._make_room(batch)
        try:
            return await self._database.write(partial(writing.add, batch=batch, insert=writing.copy))
        except Exception as error:
            state = state_of(error)
            if state == NO_PARTITION:  # somebody has pruned that day
                self._days.clear()
                await self._make_room(batch)
            elif state != TAKEN:
                raise
        return await self._database.write(partial(writing.add, batch=batch, insert=writing.merge))

    async def revision(self) -> int:
        return await self._read(changes.revision)

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        if order != NEWEST:
            return await self._ranked(query, limit, before, order)
        found: list[Call] = []
        until = query.end if before is None else min(query.end, _when(before) + 1)
        windows = await self._read(partial(reading.windows, start=query.start, end=until))
        for start, end in windows:
            part = replace(query, start=start, end=end)
            found += await self._read(
                partial(sql.calls, engine=ENGINE, query=part, limit=limit - len(found), before=before)
            )
            if len(found) >= limit:
                break
        return found

    async def _ranked(self, query: Query, limit: int, before: str | None, order: Order) -> Sequence[Call]:
        windows = await self._read(partial(reading.windows, start=query.start, end=query.end))
        look = partial(sql.ranked, engine=ENGINE, order=order, before=before)
        if order.by == "timestamp":
            found: list[Call] = []
            for start, end in reversed(windows):
                part = replace(query, start=start, end=end)
                found += await self._read(partial(look, query=part, limit=limit - len(found)))
                if len(found) >= limit:
                    break
            return found
        left = RANKED
        for start, end in windows:
            part = replace(query, start=start, end=end)
            query = replace(query, start=start)
            left -= (await self._read(partial(sql.looked_through, query=part, most=left)))[1]
            if left <= 0:
                break
        return await self._read(partial(look, query=query, limit=limit))

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return await self._read(partial(reading.call, id=id))

    async def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return await self._database.write(partial(writing.reprice, costs=costs))

    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        tables = ("llm_bodies",) if content_only else ("llm_calls", "llm_bodies")
        gone = 0
        for table, day in sorted(await self._read(partitions.known)):
            old = table == tables[0] and (day + 1) * partitions.DAY_MS <= before
            if old and (limit is None or gone < limit):
                forgotten = await self._database.write(partial(writing.prune_day, day=day, tables=tables))
                gone += forgotten or 0
        if content_only:
            return gone + await self._in_steps(writing.prune_content, before, limit, gone)
        gone += await self._in_steps(writing.prune, before, limit, gone)
        await self._in_steps(writing.prune_rest, before, limit)
        return gone

    async def tend(self) -> bool:
        now = self._clock()
        if not await self._read(partial(tending.is_due, now=now, tags=self._tags)):
            return False
        return await self._database.write(partial(tending.tend, now=now, tags=self._tags))

    async def size(self) -> int | None:
        return await self._read(reading.size)

    async def close(self) -> None:
        await self._database.close()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def _make_room(self, batch: Batch) -> None:
        """Make the tables of the days that are new, and of the day that follows each."""
        wanted, ahead = (
            partitions.days_of("llm_calls", [call.timestamp + later for call in batch.calls])
            | partitions.days_of("llm_bodies", [call.timestamp + later for call in batch.calls if call.body])
            for later in (0, partitions.DAY_MS)
        )
        if not wanted <= self._days:
            self._days = await self._database.write(partial(partitions.create, wanted=wanted | ahead))

    async def _in_steps(
        self, forget: Callable[..., int], before: int, limit: int | None, gone: int = 0
    ) -> int:
        """Forget a few at a time, so that nobody notices; how many in all."""
        start = gone
        while limit is None or gone < limit:
            most = _PRUNED_AT_ONCE if limit is None else min(limit - gone, _PRUNED_AT_ONCE)
            if not (some := await self._database.write(partial(forget, before=before, most=most))):
                break
            gone += some
        return gone - start
