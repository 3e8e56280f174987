"""What stores answer: sums, times, groups, and what they are sums of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from miharu.batch import Span
from miharu.call import Call, Status
from miharu.stores.base.asked import Timing

__all__ = (
    "AskedTool",
    "Counted",
    "Extent",
    "FailedSpans",
    "Forgotten",
    "Group",
    "Latency",
    "Point",
    "RanTool",
    "Ranks",
    "Rated",
    "ScoreSum",
    "ScoredCall",
    "Searched",
    "Session",
    "Tally",
    "TimedCalls",
    "Tools",
    "Totals",
    "Versions",
)


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
    recognised: int = 0
    """Runs that nobody has measured: what each took is an upper bound (``batch.RECOGNISED``)."""
    untold: int = 0
    """Runs of which it is not known whether they failed (``batch.UNTOLD``)."""
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
    squares: float | None = None
    """The sum of their squares, which says how much they vary; ``None`` where a store does not add it up."""

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
