"""The questions to a PostgreSQL server."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.call import Call, moment_of
from miharu.stores import sql
from miharu.stores.base import NEWEST, RANKED, SCORES_LOOKED_THROUGH, Kind, Order, Place, Query
from miharu.stores.postgres import changes, reading, rolling_up, said
from miharu.stores.postgres.database import Database
from miharu.stores.postgres.schema import look, prepare

__all__ = ("PostgresQuestions",)

T = TypeVar("T")
_END = 2**62


def _when(id: str) -> int:  # noqa: A002 - the column's name
    return moment_of(id) or 0


_SCORED = (
    "s.name, s.id AS score_id, s.value, c.id AS call_id, c.model, c.provider, c.route, c.service, c.user_id, "
    "c.prompt_name, c.prompt_hash"
)
_NEWEST_SCORES = (
    "(SELECT id, timestamp, name, value, call_id, trace_id FROM llm_scores WHERE timestamp >= :start "
    f"ORDER BY timestamp DESC LIMIT {SCORES_LOOKED_THROUGH}) AS s"
)
ENGINE = sql.Engine(
    read_marks=rolling_up.marks,
    below="xid < :mark",
    above=f"xid >= :mark AND {rolling_up.BETWEEN}",
    window="timestamp >= :start AND timestamp < :end",
    when=_when,
    # the server joins them in less time than it would take to keep them joined
    scored=(
        f"(SELECT c.timestamp, {_SCORED} FROM {_NEWEST_SCORES} JOIN llm_calls AS c ON c.id = s.call_id "
        "WHERE c.timestamp >= :start AND c.timestamp < :end UNION ALL SELECT * FROM "
        f"(SELECT DISTINCT ON (s.id) c.timestamp, {_SCORED} FROM {_NEWEST_SCORES} "
        "JOIN llm_calls AS c ON c.trace_id = s.trace_id AND c.timestamp <= s.timestamp "
        "WHERE s.call_id IS NULL AND c.timestamp >= :start "
        "ORDER BY s.id, c.timestamp DESC, c.id DESC) AS of_traces)"
    ),
    said=said.said,
    searched=said.searched,
)


class PostgresQuestions(sql.Answers):
    """Reads a database that any number of processes share."""

    engine = ENGINE

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.database = Database(url, reads=True)
        self._url = url
        self._read_only = read_only

    async def open(self) -> None:
        name = self.database.name
        if not self._read_only:
            making = Database(self._url)
            try:
                await making.open(prepare=partial(prepare, name=name))
            finally:
                await making.close()
        await self.database.open(look=partial(look, name=name))

    async def revision(self) -> int:
        return await self.read(changes.revision)

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        if order != NEWEST:
            return await self._ranked(query, limit, before, order)
        found: list[Call] = []
        until = query.end if before is None else min(query.end, _when(before) + 1)
        windows = await self.read(partial(reading.windows, start=query.start, end=until))
        for start, end in windows:
            part = replace(query, start=start, end=end)
            found += await self.read(
                partial(sql.calls, engine=ENGINE, query=part, limit=limit - len(found), before=before)
            )
            if len(found) >= limit:
                break
        return found

    async def _ranked(self, query: Query, limit: int, before: str | None, order: Order) -> Sequence[Call]:
        windows = await self.read(partial(reading.windows, start=query.start, end=query.end))
        look = partial(sql.ranked, engine=ENGINE, order=order, before=before)
        if order.by == "timestamp":
            found: list[Call] = []
            for start, end in reversed(windows):
                part = replace(query, start=start, end=end)
                found += await self.read(partial(look, query=part, limit=limit - len(found)))
                if len(found) >= limit:
                    break
            return found
        left = RANKED
        for start, end in windows:
            part = replace(query, start=start, end=end)
            query = replace(query, start=start)
            left -= (await self.read(partial(sql.looked_through, query=part, most=left)))[1]
            if left <= 0:
                break
        return await self.read(partial(look, query=query, limit=limit))

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return await self.read(partial(reading.call, id=id))

    async def places(self, kind: Kind, after: Place | None = None, limit: int = 10_000) -> Sequence[Place]:
        found: list[Place] = []
        for during in await self._forwards(kind, after):
            look = partial(sql.places_of, kind=kind, after=after, during=during)
            found += await self.read(partial(look, limit=limit - len(found)))
            if len(found) >= limit:
                break
        return found

    async def batch(self, kind: Kind, after: Place | None = None, limit: int = 1000) -> Batch:
        for during in await self._forwards(kind, after):
            look = partial(sql.batch_of, kind=kind, after=after, limit=limit, during=during)
            if found := await self.read(look):
                return found
        return Batch()

    async def _forwards(self, kind: Kind, after: Place | None) -> Sequence[tuple[int, int]]:
        """Stretches of time from a place on, the oldest first, that hold all of that kind."""
        window = (after[0] if after else 0, _END)
        if kind != "calls":
            return (window,)
        return (await self.read(partial(reading.windows, start=window[0], end=_END)))[::-1]

    async def size(self) -> int | None:
        return await self.read(reading.size)

    async def close(self) -> None:
        await self.database.close()

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self.database.run(work)
