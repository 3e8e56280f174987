"""A store that keeps nothing, for those who only want to see calls pass: captures, and exporters alone."""

from collections.abc import Callable, Mapping, Sequence

from miharu.batch import Batch, Marker, MarkerKind, Score, Span
from miharu.call import Call, Cost
from miharu.stores.base import (
    MOST_EXPENSIVE,
    MOST_MARKERS,
    MOST_SPANS,
    NEWEST,
    By,
    Counted,
    Extent,
    FailedSpans,
    Forgotten,
    Group,
    Kind,
    Latency,
    Order,
    Place,
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
    Whose,
)

__all__ = ("Nowhere",)


class Nowhere:
    """A store whose writer drops everything and whose questions find nothing."""

    def __init__(self, url: str, *, read_only: bool = False) -> None: ...

    def writer(self, meanwhile: Callable[[], object] = bool) -> "DroppingWriter":
        return DroppingWriter()

    def questions(self) -> "EmptyQuestions":
        return EmptyQuestions()


class DroppingWriter:
    """A writer that drops everything."""

    def open(self) -> None: ...

    def add(self, batch: Batch) -> int:
        return len(batch.calls)

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        return 0

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        return 0

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        return Forgotten()

    def roll_up(self) -> bool:
        return False

    def close(self) -> None: ...


class EmptyQuestions:
    """Questions that find nothing."""

    async def open(self) -> None: ...

    async def revision(self) -> int:
        return 0

    async def totals(self, query: Query) -> Totals:
        return Totals()

    async def has_sums(self, query: Query, by: By | None = None) -> bool:
        return True

    async def latency(self, query: Query) -> Latency:
        return Latency()

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
        return ()

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        return ()

    async def counters(self) -> Counted:
        return Counted(sums=(), times=())

    async def groups(
        self,
        query: Query,
        by: By,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
        *,
        timed: bool = True,
    ) -> Sequence[Group]:
        return ()

    async def ranks(
        self,
        query: Query,
        by: By,
        limit: int = 200,
        offset: int = 0,
        *,
        order: RankOrder = MOST_EXPENSIVE,
    ) -> Ranks:
        return Ranks(keys=(), whole=0)

    async def latencies(
        self, query: Query, by: By, among: Sequence[str | None]
    ) -> Mapping[str | None, Latency]:
        return {}

    async def keys(self, query: Query, by: By, limit: int = 200) -> Sequence[str]:
        return ()

    async def tag_names(self) -> Sequence[str]:
        return ()

    async def versions(
        self, query: Query, names: Sequence[str], step_ms: int, offset_ms: int = 0
    ) -> Sequence[Versions]:
        return ()

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        return ()

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        return ()

    async def searched(self, query: Query) -> Searched:
        return Searched(kept=0, indexed=0)

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return None

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        return ()

    async def span(self, trace_id: str, id: str) -> Span | None:  # noqa: A002 - the column's name
        return None

    async def tools(self, query: Query) -> Tools:
        return Tools()

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        return FailedSpans(0, ())

    async def extent(self, query: Query) -> Extent | None:
        return None

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        return ()

    async def score_names(self, query: Query) -> Mapping[str, int]:
        return {}

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
        return ()

    async def scored(
        self, query: Query, name: str, limit: int = 50, after: str | None = None, *, descending: bool = False
    ) -> Sequence[ScoredCall]:
        return ()

    async def rated(self, start: int, end: int, *, name: str | None = None) -> Mapping[str, Rated]:
        return {}

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
        return ()

    async def places(self, kind: Kind, after: Place | None = None, limit: int = 10_000) -> Sequence[Place]:
        return ()

    async def batch(self, kind: Kind, after: Place | None = None, limit: int = 1000) -> Batch:
        return Batch()

    async def size(self) -> int | None:
        return None

    async def close(self) -> None: ...
