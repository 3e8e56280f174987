"""What stores are asked: which calls, by what they are told apart, in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from miharu.call import Status
from miharu.conditions.language import Condition
from miharu.stores.words import Role

__all__ = (
    "LONGEST_TAG",
    "MOST_EXPENSIVE",
    "MOST_MARKERS",
    "MOST_RATED",
    "MOST_SPANS",
    "MOST_VERSIONS",
    "NEWEST",
    "NUMBER_OF",
    "RANKED",
    "SCORES_LOOKED_THROUGH",
    "SCORES_LOOKED_UP",
    "SCORE_NAMES",
    "SPANS_LOOKED_THROUGH",
    "TOOL_STEPS",
    "By",
    "ByTag",
    "Dimension",
    "Kind",
    "Order",
    "Place",
    "Query",
    "RankOrder",
    "RankedBy",
    "Ranking",
    "Timing",
    "Whose",
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
RankedBy = Literal["cost_nanousd", "calls", "each", "key", "moved", "errors", "last"]
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
    """A name and its value. Sums are kept by the tags that ``tag_sums`` names; for others, the calls of the
    whole window are looked through."""
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
    ``moved`` is by how much the cost differs from that of another time, whether it grew or fell; ``last`` is
    when the newest call began, for which a store may look through no more than the newest ``RANKED`` calls of
    the window: values that have none of these were seen before all others, and stand by their cost."""
    descending: bool = True
    against: tuple[int, int] | None = None
    """The other time, as [start, end) in Unix milliseconds; ``moved`` needs one. Values of that time only
    are ranked as well then."""
    only_new: bool = False
    """Only values that had no call at the other time."""
    matching: str | None = None
    """Only values that have this in them, in upper or lower case; no value is no match."""
    errors: tuple[Condition, ...] = ()
    """Only values with so many errors: conditions on the number of calls that failed, each with one value."""


MOST_EXPENSIVE = RankOrder()
NUMBER_OF: Mapping[str, str] = {"in": "=", "not in": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
"""How a number of errors is compared, as SQL has it."""


def checked_order(order: RankOrder) -> RankOrder:
    """The order, if it is one.

    Raises:
        ValueError: It is not; without this check it would become SQL.
    """
    if order.by not in get_args(RankedBy):
        raise ValueError(f"ranked by {order.by!r}: choose one of {', '.join(get_args(RankedBy))}.")
    if order.against is None and (order.by == "moved" or order.only_new):
        raise ValueError("what moved and what is new is so against another time: name it.")
    if any(len(one.values) != 1 or not isinstance(one.values[0], int) for one in order.errors) or any(
        one.operator not in NUMBER_OF for one in order.errors
    ):
        raise ValueError("a number of errors is compared with one number.")
    return order


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Those whose calls are to be forgotten."""

    users: Sequence[str] = ()
    sessions: Sequence[str] = ()

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """The names, by the column that holds them."""
        return {"user_id": self.users, "session_id": self.sessions}
