"""Changing what is kept, on miharu's loop."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import time

from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores.base import Forgotten, Whose
from miharu.stores.changes import CLOCKS_APART_MS
from miharu.stores.pace import Pace
from miharu.stores.postgres import forgetting, partitions, rolling_up, said, writing
from miharu.stores.postgres.database import Database
from miharu.stores.postgres.errors import NO_PARTITION, TAKEN, state_of
from miharu.stores.postgres.schema import prepare
from miharu.stores.words import TextsOf

__all__ = ("PostgresWriter",)

_PRUNED_AT_ONCE = 1000
_FIRST_CALLS, _MOST_CALLS = 4, 64
_AIM_S = 0.1
"""Seconds that a step of the sums may take; no writer waits for it."""


class PostgresWriter:
    """Writes to a database that any number of processes share."""

    def __init__(
        self, url: str, clock: Callable[[], int] | None = None, tag_sums: Sequence[str] = ()
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``postgresql+asyncpg://`` and what libpq understands behind it.
            clock: Unix milliseconds.
            tag_sums: Names of tags by which sums are to be kept.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.database = Database(url)
        self._clock = clock or (lambda: int(time() * 1000))
        self._tags = tuple(tag_sums)
        self._texts: TextsOf | None = None
        self._unsaid_since = 0
        """From when on there may be calls whose words are not in the index, Unix milliseconds."""
        self._pace = Pace(_AIM_S)
        self._days: set[partitions.Day] = set()

    async def open(self) -> None:
        await self.database.open(prepare=partial(prepare, name=self.database.name))

    async def add(self, batch: Batch) -> int:
        begun = (call.timestamp - CLOCKS_APART_MS * call.completes for call in batch.calls if call.body)
        self._unsaid_since = min(self._unsaid_since, *begun, said.NEVER)
        await self._make_room(batch)
        try:
            return await self.database.run(partial(writing.add, batch=batch, insert=writing.copy))
        except Exception as error:
            state = state_of(error)
            if state == NO_PARTITION:  # another program has pruned that day
                self._days.clear()
                await self._make_room(batch)
            elif state != TAKEN:
                raise
        return await self.database.run(partial(writing.add, batch=batch, insert=writing.merge))

    async def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return await self.database.run(partial(writing.reprice, costs=costs))

    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        tables = ("llm_bodies",) if content_only else ("llm_calls", "llm_bodies")
        gone = 0
        for table, day in sorted(await self.database.run(partitions.known)):
            old = table == tables[0] and (day + 1) * partitions.DAY_MS <= before
            if old and (limit is None or gone < limit):
                forgotten = await self.database.run(partial(writing.prune_day, day=day, tables=tables))
                gone += forgotten or 0
        if content_only:
            return gone + await self._in_steps(writing.prune_content, before, limit, gone)
        gone += await self._in_steps(writing.prune, before, limit, gone)
        await self._in_steps(writing.prune_rest, before, limit)
        return gone

    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        gone = Forgotten()
        while limit is None or gone.calls < limit:
            most = _PRUNED_AT_ONCE if limit is None else min(limit - gone.calls, _PRUNED_AT_ONCE)
            some = await self.database.run(partial(forgetting.forget_calls, whose=whose, most=most))
            if not some:
                break
            gone += some
        if limit is not None and gone.calls >= limit:
            return gone
        forget_spans = partial(forgetting.forget_spans, whose=whose, most=_PRUNED_AT_ONCE)
        while some := await self.database.run(forget_spans):
            gone += some
        return gone + await self.database.run(partial(forgetting.forget_names, whose=whose))

    async def roll_up(self) -> bool:
        now = self._clock()
        if await self.database.run(partial(rolling_up.is_due, now=now, tags=self._tags)):
            step = partial(rolling_up.roll_up, now=now, tags=self._tags, pace=self._pace)
            more = await self.database.run(step)
            self._pace.ended()
            if more:
                return True
        # also where a step is due that another process does: it is not asked about again and again
        return await self._index_some()

    def use_texts(self, texts: TextsOf) -> None:
        self._texts = texts

    async def _index_some(self) -> bool:
        """Make the words of some calls searchable; whether there may be others."""
        if self._texts is None or self._unsaid_since == said.NEVER:
            return False
        since, most = self._unsaid_since, min(self._pace.most("words", _FIRST_CALLS), _MOST_CALLS)
        done = await self.database.run(partial(said.index_some, texts=self._texts, start=since, most=most))
        self._pace.did(done)
        self._pace.ended()
        if not done:
            self._unsaid_since = said.NEVER
        return bool(done)

    async def close(self) -> None:
        await self.database.close()

    async def _make_room(self, batch: Batch) -> None:
        """Make the tables of the days that are new, and of the day that follows each."""
        wanted, ahead = (
            partitions.days_of("llm_calls", [call.timestamp + later for call in batch.calls])
            | partitions.days_of("llm_bodies", [call.timestamp + later for call in batch.calls if call.body])
            for later in (0, partitions.DAY_MS)
        )
        if not wanted <= self._days:
            self._days = await self.database.run(partial(partitions.create, wanted=wanted | ahead))

    async def _in_steps(
        self, forget: Callable[..., int], before: int, limit: int | None, gone: int = 0
    ) -> int:
        """Forget a few at a time, so that it disturbs nothing else; how many in all."""
        start = gone
        while limit is None or gone < limit:
            most = _PRUNED_AT_ONCE if limit is None else min(limit - gone, _PRUNED_AT_ONCE)
            if not (some := await self.database.run(partial(forget, before=before, most=most))):
                break
            gone += some
        return gone - start
