"""The seam for stores: a writer, which the recorder has, and the questions, which pages ask.

Store        makes both, for one URL
Writer       keeps calls, sums them up, forgets what is too old
AsyncWriter  the same for a server: its methods are coroutines
SelfPruning  a writer whose engine forgets by itself
Erasing      a writer whose file can be written anew
Questions    answers what the dashboard asks

Money is summed in nano-dollars and is exact. A sum over no calls is zero; what is not known is ``None``
and counted beside the sum (``unpriced``), never taken for zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

from miharu.batch import Batch, Marker, MarkerKind, Score, Span
from miharu.call import Call, Cost, Status
from miharu.conditions.language import Condition
from miharu.stores.words import Role, TextsOf

__all__ = (
    "LONGEST_TAG",
    "MOST_EXPENSIVE",
    "MOST_MARKERS",
    "MOST_RATED",
    "MOST_SPANS",
    "MOST_VERSIONS",
    "NEWEST",
    "RANKED",
    "SCORES_LOOKED_THROUGH",
    "SCORES_LOOKED_UP",
    "SCORE_NAMES",
    "SPANS_LOOKED_THROUGH",
    "TOOL_STEPS",
    "AskedTool",
    "AsyncWriter",
    "By",
    "ByTag",
    "Counted",
    "Dimension",
    "Erasing",
    "Extent",
    "FailedSpans",
    "Forgotten",
    "Group",
    "Kind",
    "Latency",
    "Order",
    "Place",
    "Point",
    "Query",
    "Questions",
    "RanTool",
    "RankOrder",
    "RankedBy",
    "Ranking",
    "Ranks",
    "Rated",
    "ScoreSum",
    "ScoredCall",
    "Searched",
    "SelfPruning",
    "Session",
    "Store",
    "Tally",
    "TimedCalls",
    "Timing",
    "Tools",
    "Totals",
    "UsesTexts",
    "Versions",
    "Whose",
    "Writer",
    "checked_order",
)

Dimension = Literal[
    "model",
    "provider",
    "route",
    "user_id",
    "service",
    "status",
    "error_type",
    "prompt_name",
    "prompt_hash",
]
Timing = Literal["duration_ms", "ttft_ms"]
Ranking = Literal["timestamp", "cost_nanousd", "duration_ms", "ttft_ms", "prompt_tokens", "completion_tokens"]
RankedBy = Literal["cost_nanousd", "calls", "each", "key", "moved"]
Kind = Literal["calls", "spans", "scores", "markers"]
Place = tuple[int, str]
"""The timestamp and the id of a call, a span, a score or a marker; by both they are ordered."""
RANKED = 100_000
"""How many of the newest calls of the window a store must look through for the largest."""
MOST_SPANS = 1000
MOST_MARKERS = 500
MOST_RATED = 20
"""Names of scores."""
SPANS_LOOKED_THROUGH = 20_000
TOOL_STEPS = 24
SCORES_LOOKED_THROUGH = 100_000
"""How many scores, the newest of a window, a store must look through."""
SCORES_LOOKED_UP = 20_000
"""The same, where a query asks for more than a model, provider, route, service or user."""
SCORE_NAMES = 50
"""Names of scores that are told apart."""
MOST_VERSIONS = 50
"""Of a prompt with more of them it is not told when each was called: something in it varies."""
LONGEST_TAG = 200
"""Characters of a tag's value: a longer one is no value by which calls are told apart."""


@dataclass(frozen=True, slots=True)
class ByTag:
    """Tells calls apart by the value that a tag has; those without it, or with too long a one, have none."""

    name: str


By = Dimension | ByTag
"""By what calls are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which calls: started in [start, end), Unix milliseconds, and equal in each field that is set."""

    start: int
    end: int
    model: str | None = None
    provider: str | None = None
    route: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    call_group: str | None = None
    """The attempts of one logical call. No sums are kept by it: a narrow window spares a long look."""
    service: str | None = None
    status: Status | None = None
    error_type: str | None = None
    prompt_name: str | None = None
    prompt_hash: str | None = None
    """A version of a prompt."""
    tag: tuple[str, str] | None = None
    """A name and its value. No sums are kept by tags, so the calls of the whole window are looked through."""
    conditions: tuple[Condition, ...] = ()
    """What holds besides. Sums are kept where all fields are keys of sums; else the calls of the whole window
    are looked through."""
    words: tuple[str, ...] = ()
    """Words and phrases in what was said, all of them in the same call; a star at the end is any ending.

    Where a call has no content, none is found. A store may look through no more than the newest ``FOUND``
    calls that have the words (``stores/words.py``) for those that meet the rest of the query."""
    said_by: Role | None = None
    """Whose words they are; of anyone where ``None``. Without words it says nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of calls: unknown values come last, and of equal ones the newest first."""

    by: Ranking = "timestamp"
    descending: bool = True


NEWEST = Order()


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOrder:
    """The order of the values of a dimension, and which of them are ranked."""

    by: RankedBy = "cost_nanousd"
    """``each`` is the cost of a call, one without a price among them as nothing; ``key`` is the value itself;
    ``moved`` is by how much the cost differs from that of another time, whether it grew or fell."""
    descending: bool = True
    against: tuple[int, int] | None = None
    """The other time, as [start, end) in Unix milliseconds; ``moved`` needs one. Values of that time only
    are ranked as well then."""
    only_new: bool = False
    """Only values that had no call at the other time."""
    matching: str | None = None
    """Only values that have this in them, in upper or lower case; no value is no match."""


MOST_EXPENSIVE = RankOrder()


def checked_order(order: RankOrder) -> RankOrder:
    """The order, if it is one.

    Raises:
        ValueError: It is not; without this check it would become SQL.
    """
    if order.by not in get_args(RankedBy):
        raise ValueError(f"ranked by {order.by!r}: choose one of {', '.join(get_args(RankedBy))}.")
    if order.against is None and (order.by == "moved" or order.only_new):
        raise ValueError("what moved and what is new is so against another time: name it.")
    return order


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over calls."""

    calls: int = 0
    errors: int = 0
    cancelled: int = 0
    rate_limited: int = 0
    """Errors with HTTP status 429; a part of ``errors``."""
    cost_nanousd: int = 0
    """Of the calls with a known price."""
    unpriced: int = 0
    """Calls that used tokens, or may have, and have no price: neither in ``cost_nanousd`` nor free."""
    estimated: int = 0
    """Calls whose usage is an estimate of ours."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    duration_ms: int = 0
    retries: int = 0
    """Calls that were the second or a later attempt of one logical call."""
    duplicates: int = 0
    """Calls whose request was the same, byte for byte, as one answered before."""
    duplicate_nanousd: int = 0
    cache_missed_tokens: int = 0
    """Prompt tokens shared with an earlier request that were not read from a cache."""
    cache_missed_nanousd: int = 0
    """What a cache would have saved on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Durations of successful calls in milliseconds; ``None`` over none of them.

    Errors and cancelled calls are not counted: they say nothing about speed.
    """

    p50_ms: int | None = None
    p95_ms: int | None = None
    ttft_p50_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One cell of a series: the calls of one key in one step of time."""

    t: int
    """Unix milliseconds at the start of the step."""
    key: str | None
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The calls that share one value of a dimension; ``key`` is ``None`` where they have none."""

    key: str | None
    totals: Totals
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Some of the values of a dimension, the most expensive first, and how many there are."""

    keys: Sequence[str | None]
    whole: int
    """All values, those that are not among these included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A counter of the calls that have these in common; ``None`` where they have none."""

    model: str | None
    provider: str | None
    route: str | None
    service: str | None
    status: Status
    error_type: str | None
    totals: Totals
    """Of these: calls, retries, unpriced, tokens and cost. The others need not be counted, and may be 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedCalls:
    """How many successful calls took how long, of those that have these in common."""

    model: str | None
    provider: str | None
    route: str | None
    service: str | None
    of: Timing
    counts: Sequence[tuple[int, int]]
    """(ms, calls), the quickest first. The milliseconds may be rounded by two percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counters over all calls that were ever there. No number in them is ever less than it was before.

    So a call that was deleted is still counted, as it was; and where a price became lower, or a call ended in
    another way than it began, what was counted before remains.
    """

    sums: Sequence[Tally]
    times: Sequence[TimedCalls]


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one prompt."""

    name: str
    number: int
    """How many there are; one that is not known is one of them."""
    points: Sequence[tuple[int, str | None, int]]
    """(start of the step, version, calls) in time order; nothing where there are more than
    ``MOST_VERSIONS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How much of a range can be searched for words."""

    kept: int
    """Calls that kept their content."""
    indexed: int
    """Those of them whose words are in the index; the others follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The calls of a range that share a session."""

    id: str
    user_id: str | None
    """Of its newest call that names one."""
    first: int
    """Unix milliseconds at the start of its first call in the range."""
    last: int
    """Unix milliseconds at the start of its last call in the range."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class Extent:
    """From when to when something lasted, in Unix milliseconds."""

    first: int
    """When the first of it started."""
    end: int
    """When the last of it ended."""


@dataclass(frozen=True, slots=True)
class FailedSpans:
    """Spans that ended in an error."""

    number: int
    newest: Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Those whose calls are to be forgotten."""

    users: Sequence[str] = ()
    sessions: Sequence[str] = ()

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """The names, by the column that holds them."""
        return {"user_id": self.users, "session_id": self.sessions}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many of each were deleted."""

    calls: int = 0
    bodies: int = 0
    spans: int = 0
    scores: int = 0
    sums: int = 0
    """Rows of sums that were kept by the name of a user."""

    def __add__(self, other: "Forgotten") -> "Forgotten":
        return Forgotten(**{name: getattr(self, name) + getattr(other, name) for name in Forgotten.__slots__})

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in Forgotten.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTool:
    """A tool that answers asked for."""

    name: str
    times: int
    """How often; one answer may ask several times."""
    models: Mapping[str | None, int]
    """How often by the model that asked, most first."""
    over: Sequence[int]
    """How often in each of ``TOOL_STEPS`` equal parts of the window."""
    last: int
    """Unix milliseconds at the start of the last call that asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RanTool:
    """A tool that ran: spans of one name whose kind is ``execute_tool``."""

    name: str
    runs: int
    errors: int
    kinds: Mapping[str, int]
    """How many of the errors were of which type, most first."""
    p50_ms: int | None
    """Of all runs that ended by themselves, those that failed included."""
    p95_ms: int | None
    over: Sequence[int]
    """Runs in each of ``TOOL_STEPS`` equal parts of the window."""
    failed_over: Sequence[int]
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Which tools were asked for, and which ran, most first."""

    asked: Sequence[AskedTool] = ()
    ran: Sequence[RanTool] = ()
    asked_since: int | None = None
    """From when on calls were looked through, where there are more of them; Unix milliseconds."""
    ran_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSum:
    """What the scores of one name come to, of the calls of one key in one step of time.

    A score of a call counts for that call. One of a trace counts once, for the last call of the trace that
    had begun when the score was given: the one whose answer was judged.
    """

    t: int
    """Unix milliseconds at the start of the step; of the window where it is not divided."""
    key: str | None
    number: int
    """How many scores there are."""
    total: float

    @property
    def mean(self) -> float:
        return self.total / self.number


@dataclass(frozen=True, slots=True)
class ScoredCall:
    """A call with a score that counts for it."""

    score_id: str
    value: float
    call: Call


@dataclass(frozen=True, slots=True)
class Rated:
    """The scores of one name."""

    number: int
    mean: float


class Writer(Protocol):
    """Changes the store. Its methods block, and are called from one thread at a time.

    A failure that may pass, such as a locked database, is raised as a ``StoreError`` whose message names the
    database without its password, and the batch is tried again; any other exception means that the batch
    itself cannot be stored.
    """

    def open(self) -> None:
        """Connect; make or migrate the schema.

        Raises:
            StoreError: It cannot be used as it is.
        """
        ...

    def add(self, batch: Batch) -> int:
        """Keep all of it in one transaction and return how many calls were new; what is there is skipped."""
        ...

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        """Give calls, by id, another cost; return how many were there."""
        ...

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        """Forget what started before that moment (Unix milliseconds), at most ``limit`` calls of it.

        What an engine can drop as a whole at no cost to readers, such as a day's table, may be more.
        With ``content_only`` the calls stay, without their bodies. Returns how many were forgotten.
        """
        ...

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        """Forget all of some users and sessions, at most about ``limit`` calls of it at a time.

        Their calls with bodies and scores go, their spans, and whole traces of which no other call is left.
        Sums stay exact, and none is kept under the name of a user who has no calls any more. Counters over
        all calls that ever were stay as they are: no name of a user or a session is in them. Returns how
        many were deleted; nothing at all where nothing is left.
        """
        ...

    def roll_up(self) -> bool:
        """Do one step of deferred work, such as summing up; whether more is left. Called between batches."""
        ...

    def close(self) -> None:
        """Close all connections. Batches for which ``add`` has returned are not lost."""
        ...


class SelfPruning(Protocol):
    """What a ``Writer`` may have besides, where its engine forgets by itself."""

    def keep_for(self, calls_ms: int | None, content_ms: int | None) -> None:
        """Have calls, and their bodies, forgotten when they are that old, in milliseconds.

        Called once, in place of ``prune`` by the hour. ``None`` leaves as it is what the engine does.
        """
        ...


class Erasing(Protocol):
    """What a ``Writer`` may have besides, where deleted rows can stand in its file for a while."""

    def erase(self) -> None:
        """Write the whole file anew, without anything that was deleted. All other writers wait meanwhile."""
        ...


@runtime_checkable
class UsesTexts(Protocol):
    """What a ``Writer`` may have besides, where it can make what is said searchable."""

    def use_texts(self, texts: TextsOf) -> None:
        """Keep the words of calls from now on, and of those that are there; called once, before ``open``."""
        ...


class AsyncWriter(Protocol):
    """A ``Writer`` whose methods are coroutines. They run on miharu's asyncio loop, one at a time."""

    async def open(self) -> None: ...
    async def add(self, batch: Batch) -> int: ...
    async def reprice(self, costs: Mapping[str, Cost | None]) -> int: ...
    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int: ...
    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten: ...
    async def roll_up(self) -> bool: ...
    async def close(self) -> None: ...


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


class Store(Protocol):
    """Makes the two sides of one database; nothing is open before they are.

    Its entry point is called with the URL and ``read_only=``, which means: never make or change anything.
    """

    def writer(self, meanwhile: Callable[[], object] = bool) -> Writer | AsyncWriter:
        """The writer of the database.

        Args:
            meanwhile: To be called about ten times a second while a ``Writer`` waits for others.

        Raises:
            StoreError: It is for reading only, or a package is missing.
        """
        ...

    def questions(self) -> Questions:
        """The questions, which read the database."""
        ...
