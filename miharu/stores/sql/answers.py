"""The questions that have the same answer on every engine: a store adds how a function gets its snapshot."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, TypeVar

from sqlalchemy import Connection

from miharu.batch import Score, Span
from miharu.stores.base import (
    MOST_SPANS,
    Dimension,
    Extent,
    FailedSpans,
    Group,
    Latency,
    Point,
    Query,
    Ranks,
    Session,
    Timing,
    Totals,
)
from miharu.stores.sql.rows import scores, sessions
from miharu.stores.sql.source import Engine, Steps, has_sums
from miharu.stores.sql.sums import groups, keys, ranks, series, totals
from miharu.stores.sql.times import durations, latency
from miharu.stores.sql.traces import extent, failed_spans, spans

__all__ = ("Answers",)

T = TypeVar("T")


class Answers(ABC):
    """Part of a ``Store``."""

    engine: ClassVar[Engine]

    @abstractmethod
    async def _read(self, work: Callable[[Connection], T]) -> T:
        """Run on one snapshot."""

    async def totals(self, query: Query) -> Totals:
        return await self._read(partial(totals, engine=self.engine, query=query))

    async def has_sums(self, query: Query, by: Dimension | None = None) -> bool:
        return await self._read(partial(has_sums, query=query, by=by))

    async def latency(self, query: Query) -> Latency:
        return await self._read(partial(latency, engine=self.engine, query=query))

    async def series(
        self,
        query: Query,
        step_ms: int,
        by: Dimension | None = None,
        among: Sequence[str | None] | None = None,
        offset_ms: int = 0,
    ) -> Sequence[Point]:
        return await self._read(
            partial(
                series,
                engine=self.engine,
                query=query,
                steps=Steps(step_ms, offset_ms),
                by=by,
                among=among,
            )
        )

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        return await self._read(
            partial(durations, engine=self.engine, query=query, step_ms=step_ms, of=of, offset_ms=offset_ms)
        )

    async def groups(
        self,
        query: Query,
        by: Dimension,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
    ) -> Sequence[Group]:
        return await self._read(
            partial(groups, engine=self.engine, query=query, by=by, limit=limit, among=among)
        )

    async def ranks(self, query: Query, by: Dimension, limit: int = 200, offset: int = 0) -> Ranks:
        return await self._read(
            partial(ranks, engine=self.engine, query=query, by=by, limit=limit, offset=offset)
        )

    async def keys(self, query: Query, by: Dimension, limit: int = 200) -> Sequence[str]:
        return await self._read(partial(keys, engine=self.engine, query=query, by=by, limit=limit))

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        return await self._read(
            partial(sessions, engine=self.engine, query=query, limit=limit, before=before)
        )

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        return await self._read(partial(spans, trace_id=trace_id, during=during, limit=limit))

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        return await self._read(partial(failed_spans, engine=self.engine, query=query, limit=limit))

    async def extent(self, query: Query) -> Extent | None:
        return await self._read(partial(extent, engine=self.engine, query=query))

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        return await self._read(partial(scores, call_id=call_id, trace_id=trace_id))
