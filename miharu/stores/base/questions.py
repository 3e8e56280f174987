"""The side of a store that pages ask."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from miharu.batch import Batch, Marker, MarkerKind, Score, Span
from miharu.call import Call
from miharu.stores.base.answered import (
    Counted,
    Extent,
    FailedSpans,
    Group,
    Latency,
    Point,
    Ranks,
    Rated,
    ScoredCall,
    ScoreSum,
    Searched,
    Session,
    Tools,
    Totals,
    Versions,
)
from miharu.stores.base.asked import (
    MOST_EXPENSIVE,
    MOST_MARKERS,
    MOST_SPANS,
    NEWEST,
    By,
    Kind,
    Order,
    Place,
    Query,
    RankOrder,
    Timing,
)

__all__ = ("Questions",)


class Questions(Protocol):
    """Reads the store. Every method runs on miharu's asyncio loop, several at once.

    Each answer is of one moment: what is written meanwhile is in it as a whole or not at all.
    """

    async def open(self) -> None:
        """Connect. Unless the store is for reading only, make what is missing.

        Raises:
            NoDatabase: For reading only, and there is nothing.
            StoreError: It cannot be used as it is.
        """
        ...

    async def revision(self) -> int:
        """A number that changes with every write, by any process."""
        ...

    async def totals(self, query: Query) -> Totals: ...

    async def has_sums(self, query: Query, by: By | None = None) -> bool:
        """Whether totals and groups are answered from sums, or from few calls.

        Else it takes as long as there are calls in the window.
        """
        ...

    async def latency(self, query: Query) -> Latency: ...

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
        """Totals per step and key, in order of time.

        Of all keys, or of those that ``among`` names; ``None`` in it is the key of calls that have none.
        Steps begin at ``offset_ms`` plus any multiple of ``step_ms`` since the epoch, so that a day can be
        that of any time zone. Where ``measures`` names some of the sums, the others need not be added up,
        and may be 0.
        """
        ...

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        """How many successful calls took how long: (start of the step, ms, calls), in time order.

        Steps are those of ``series``. The milliseconds may be rounded by two percent.
        """
        ...

    async def counters(self) -> Counted:
        """Counters for a monitoring system, in work that does not grow with the number of calls."""
        ...

    async def groups(
        self,
        query: Query,
        by: By,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
        *,
        timed: bool = True,
    ) -> Sequence[Group]:
        """One group per value, most expensive first, then most calls.

        All of them, as many as asked, or those that ``among`` names. Where they need not be ``timed``, their
        latency is empty, which spares most of the work.
        """
        ...

    async def ranks(
        self,
        query: Query,
        by: By,
        limit: int = 200,
        offset: int = 0,
        *,
        order: RankOrder = MOST_EXPENSIVE,
    ) -> Ranks:
        """The values in an order, that of ``groups`` by default, from that place on.

        Much cheaper than all their sums.
        """
        ...

    async def latencies(
        self, query: Query, by: By, among: Sequence[str | None]
    ) -> Mapping[str | None, Latency]:
        """How long the calls of some values took, of users too, whose groups do not say it.

        Of users that is for a few at a time, as those with few calls have no sums of their own. Of users and
        of a tag's values only whole calls are timed, and calls without the tag need not be.
        """
        ...

    async def keys(self, query: Query, by: By, limit: int = 200) -> Sequence[str]:
        """The values that occur, the most expensive first; cheaper than ``groups``."""
        ...

    async def tag_names(self) -> Sequence[str]:
        """The names of the tags by which sums are kept, of those that are known."""
        ...

    async def versions(
        self, query: Query, names: Sequence[str], step_ms: int, offset_ms: int = 0
    ) -> Sequence[Versions]:
        """Of prompts by their names, which versions were called when; of those that were called at all.

        Steps are those of ``series``.
        """
        ...

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        """Sessions with the newest calls first; ``before`` is the ``last`` of the last one already seen."""
        ...

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        """The first calls of an order, without their bodies; ``before`` is the id of the last one seen.

        By time they are found among all. By anything else a store may look through no more than the newest
        ``RANKED`` calls of the window, whether they match or not, unless the query names a user, a session
        or a trace. When the last one seen was deleted, its place is not known, and there are no more.
        """
        ...

    async def searched(self, query: Query) -> Searched:
        """How many calls of the window can be searched for words; the filters of the query say nothing."""
        ...

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        """One call, with its body where that was kept."""
        ...

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        """The first spans of a trace that overlap the time, if one is given, in order of their start.

        They come without what was given and returned, and without the traceback.
        """
        ...

    async def span(self, trace_id: str, id: str) -> Span | None:  # noqa: A002 - the column's name
        """One span of a trace, whole."""
        ...

    async def tools(self, query: Query) -> Tools:
        """The tools that were asked for, and those that ran.

        A store may look through no more than the newest ``SPANS_LOOKED_THROUGH`` calls that asked for tools,
        and spans in which one ran; it says from when on. Spans are asked for by service, route, user,
        session, trace and kind of error only.
        """
        ...

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        """Spans that failed: all of a session or a trace are counted, otherwise the newest.

        A store may look through no more than the newest ``SPANS_LOOKED_THROUGH`` spans of the window, unless
        the query names a session or a trace. Spans have no model, provider or status of their own: only
        service, route, user and kind of error are asked for.
        """
        ...

    async def extent(self, query: Query) -> Extent | None:
        """When the first of the calls and their traces' spans started, and the last ended; ``None`` of none.

        The query names a session or a trace.
        """
        ...

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        """The scores of a call or of a trace, the oldest first."""
        ...

    async def score_names(self, query: Query) -> Mapping[str, int]:
        """The names of the scores of these calls, and how many there are of each, most first.

        Of scores, what is said of ``ScoreSum`` holds here and below. A store may look through no more than
        the newest ``SCORES_LOOKED_THROUGH`` (or ``SCORES_LOOKED_UP``), and name no more than ``SCORE_NAMES``.
        A score may be counted a little later than it is kept: with the deferred work of the writer.
        """
        ...

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
        """How many scores of that name these calls have, and their sum, by step and key.

        Args:
            query: Which calls.
            name: Of the scores.
            by: By what calls are told apart.
            among: Only these values of ``by``.
            step_ms: Steps of time, as in ``series``; the whole window where it is ``None``.
            offset_ms: Where a step begins.
        """
        ...

    async def scored(
        self, query: Query, name: str, limit: int = 50, after: str | None = None, *, descending: bool = False
    ) -> Sequence[ScoredCall]:
        """Calls, those with the lowest scores of that name first, or the highest; of equal ones the newest.

        Args:
            query: Which calls.
            name: Of the scores.
            limit: How many.
            after: The id of a score: only those that come behind it.
            descending: The highest first.
        """
        ...

    async def rated(self, start: int, end: int, *, name: str | None = None) -> Mapping[str, Rated]:
        """The scores that were given in a time, by name; of many names those with the most scores."""
        ...

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
        """Markers of a time, the newest first: all, or of those kinds, that name and that id."""
        ...

    async def places(self, kind: Kind, after: Place | None = None, limit: int = 10_000) -> Sequence[Place]:
        """The first places of all of a kind, or the first behind one, in their order."""
        ...

    async def batch(self, kind: Kind, after: Place | None = None, limit: int = 1000) -> Batch:
        """The first of all calls, spans, scores or markers as they were added, or behind one, in order.

        Calls come with their bodies; of large ones there are fewer than asked for, but at least one. There
        is nothing in it where nothing follows.
        """
        ...

    async def size(self) -> int | None:
        """Bytes on disk, with all that belongs to it; ``None`` where there is no disk or it is not known."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
