"""Asks another miharu for what budgets and alerts need. Everything else is shown there, and refused here."""

import http.client
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from miharu.batch import Marker, MarkerKind, Score, Span
from miharu.call import Call
from miharu.errors import StoreError
from miharu.stores.base import (
    MOST_EXPENSIVE,
    MOST_MARKERS,
    MOST_SPANS,
    NEWEST,
    By,
    Extent,
    FailedSpans,
    Group,
    Latency,
    Order,
    Point,
    Query,
    RankOrder,
    Ranks,
    Rated,
    ScoredCall,
    ScoreSum,
    Searched,
    Session,
    Timing,
    Tools,
    Totals,
    Versions,
)
from miharu.stores.remote.address import address_of
from miharu.stores.remote.exchange import Connection
from miharu.stores.remote.refusals import Refused, TooMuch, checked, unreachable
from miharu.stores.remote.sums import ANSWERS, PATH, Asked, asked_of

__all__ = ("RemoteQuestions",)

KIND = "application/json"


class RemoteQuestions:
    """Answers what budgets and alerts ask: the revision, sums, latency, means of scores and markers."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is asked yet.

        Args:
            url: ``miharu+https://token@host``.
        """
        self._address = address_of(url)
        self._connection = Connection(self._address)
        self._one = threading.Lock()

    async def open(self) -> None: ...

    async def revision(self) -> int:
        found: int = await self._ask(Asked(question="revision"))
        return found

    async def totals(self, query: Query) -> Totals:
        found: Totals = await self._ask(Asked(question="totals", **asked_of(query)))
        return found

    async def has_sums(self, query: Query, by: By | None = None) -> bool:
        raise self._elsewhere()

    async def latency(self, query: Query) -> Latency:
        found: Latency = await self._ask(Asked(question="latency", **asked_of(query)))
        return found

    async def series(
        self,
        query: Query,
        step_ms: int,
        by: By | None = None,
        among: Sequence[str | None] | None = None,
        offset_ms: int = 0,
        *,
        measures: Sequence[str] | None = None,
    ) -> Sequence[Point]:
        asked = Asked(
            question="series",
            **asked_of(query),
            step_ms=step_ms,
            by=by,
            among=among,
            offset_ms=offset_ms,
            measures=measures,
        )
        found: Sequence[Point] = await self._ask(asked)
        return found

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        raise self._elsewhere()

    async def groups(
        self,
        query: Query,
        by: By,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
        *,
        timed: bool = True,
    ) -> Sequence[Group]:
        asked = Asked(question="groups", **asked_of(query), by=by, limit=limit, among=among)
        found: Sequence[Group] = await self._ask(asked)
        return found

    async def ranks(
        self,
        query: Query,
        by: By,
        limit: int = 200,
        offset: int = 0,
        *,
        order: RankOrder = MOST_EXPENSIVE,
    ) -> Ranks:
        raise self._elsewhere()

    async def latencies(
        self, query: Query, by: By, among: Sequence[str | None]
    ) -> Mapping[str | None, Latency]:
        raise self._elsewhere()

    async def keys(self, query: Query, by: By, limit: int = 200) -> Sequence[str]:
        raise self._elsewhere()

    async def tag_names(self) -> Sequence[str]:
        raise self._elsewhere()

    async def versions(
        self, query: Query, names: Sequence[str], step_ms: int, offset_ms: int = 0
    ) -> Sequence[Versions]:
        raise self._elsewhere()

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        raise self._elsewhere()

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        raise self._elsewhere()

    async def searched(self, query: Query) -> Searched:
        raise self._elsewhere()

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        raise self._elsewhere()

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        raise self._elsewhere()

    async def span(self, trace_id: str, id: str) -> Span | None:  # noqa: A002 - the column's name
        raise self._elsewhere()

    async def tools(self, query: Query) -> Tools:
        raise self._elsewhere()

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        raise self._elsewhere()

    async def extent(self, query: Query) -> Extent | None:
        raise self._elsewhere()

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        raise self._elsewhere()

    async def score_names(self, query: Query) -> Mapping[str, int]:
        raise self._elsewhere()

    async def score_sums(
        self,
        query: Query,
        name: str,
        by: By | None = None,
        among: Sequence[str | None] | None = None,
        *,
        step_ms: int | None = None,
        offset_ms: int = 0,
    ) -> Sequence[ScoreSum]:
        raise self._elsewhere()

    async def scored(
        self, query: Query, name: str, limit: int = 50, after: str | None = None, *, descending: bool = False
    ) -> Sequence[ScoredCall]:
        raise self._elsewhere()

    async def rated(self, start: int, end: int, *, name: str | None = None) -> Mapping[str, Rated]:
        asked = Asked(question="rated", query=Query(start=start, end=end), name=name)
        found: Mapping[str, Rated] = await self._ask(asked)
        return found

    async def markers(
        self,
        start: int,
        end: int,
        *,
        kinds: Sequence[MarkerKind] | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the column's name
        limit: int = MOST_MARKERS,
    ) -> Sequence[Marker]:
        if id is not None:
            raise self._elsewhere()
        query = Query(start=start, end=end)
        asked = Asked(question="markers", query=query, kinds=kinds, name=name, limit=limit)
        found: Sequence[Marker] = await self._ask(asked)
        return found

    async def size(self) -> int | None:
        return None

    async def close(self) -> None:
        self._connection.close()

    async def _ask(self, asked: Asked) -> Any:
        import anyio
        import msgspec

        answer = await anyio.to_thread.run_sync(self._posted, msgspec.json.encode(asked))
        try:
            return msgspec.json.decode(answer, type=ANSWERS[asked.question])
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(
                f"{self._address.name} answers in a form that is not understood here."
            ) from error

    def _posted(self, asked: bytes) -> bytes:
        try:
            with self._one:
                answer = self._connection.post(PATH, asked, KIND)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(error, self._address.name) from error
        try:
            return checked(answer, self._address.name)
        except (Refused, TooMuch) as error:
            raise StoreError(f"{self._address.name} does not understand what is asked: {error}") from error

    def _elsewhere(self) -> StoreError:
        name = self._address.name
        return StoreError(f"This program's calls are kept by the miharu at {name}, and are shown there.")
