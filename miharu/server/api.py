"""What the pages are made of, as JSON: an address for each question to the store, and why costs moved."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_args

from litestar import Request, Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter

from miharu.analysis.cost_changes import Effect, cost_changes
from miharu.batch import Score, Span
from miharu.call import Body, Call
from miharu.server.asked import Moment, asked_for, moment, refuse_unknown
from miharu.stores.base import (
    MOST_SPANS,
    Dimension,
    Group,
    Latency,
    Order,
    Point,
    Query,
    Questions,
    Ranking,
    Session,
    Timing,
    Totals,
)

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("DESCRIPTION", "api")

DESCRIPTION = """The LLM calls of a Python program, as miharu has recorded them.

Every question takes the same filters, under the names of the pages (`user`, `session`, …) or of the columns
(`user_id`, …). A period is a `range` as on the pages, or `start` up to and without `end`, in Unix
milliseconds or ISO 8601; by default the day before now. A filter may be given several times, and any of its
values will do. `q` has conditions besides, as they are written in the dashboard: several values, `-` for not,
thresholds with units (`cost>0.01 model:gpt-4o,claude-x -user:u_1001`). A parameter that does not exist is
refused, and so is any other that is given two values. Money is in nano-dollars (`cost_nanousd`; 1 USD =
10^9), exactly. What is not known is null and counted beside the sums (`unpriced`), never taken for zero.
"""
T = TypeVar("T")
_MOST_STEPS = 10_000

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Step = Annotated[int, QueryParameter(description="Milliseconds.", ge=1000, le=2**40)]
By = Annotated[Dimension, QueryParameter(description="By what the calls are told apart.")]
MaybeBy = Annotated[Dimension | None, QueryParameter(description="By what the calls are told apart.")]
Sort = Annotated[
    str,
    QueryParameter(
        description="In whose order they come; with a minus before it, the largest first.",
        pattern=f"^-?({'|'.join(get_args(Ranking))})$",
    ),
]
Text = FromQuery[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWithBody:
    """A call, and what was sent and received, as text, where that was kept."""

    call: Call
    request: str | None
    response: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How the cost of one kind of calls changed; the effects add up to the change exactly."""

    key: str | None
    before: Totals
    after: Totals
    change_nanousd: int
    effects_nanousd: dict[Effect, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How many calls took about so long."""

    t: int
    ms: int
    calls: int


class MonitorReader:
    """Asks the store where the store is: on the worker's loop."""

    def __init__(self, monitor: "Monitor") -> None:
        self._monitor = monitor

    async def read(self, question: Callable[[Questions], Awaitable[T]]) -> T:
        return await self._monitor.read(lambda: question(self._monitor.questions))


def api(monitor: "Monitor", now: Callable[[], int], **options: Any) -> Router:
    """Everything below ``/api``, over the monitor's store."""
    reader = MonitorReader(monitor)
    check = options.pop("before_request", None)

    async def before(request: Request[Any, Any, Any]) -> Any:
        refused = await check(request) if check is not None else None
        if refused is None:
            refuse_unknown(request)
        return refused

    given = {
        "asked": Provide(asked_for, sync_to_thread=False),
        "now": Provide(now, sync_to_thread=False, use_cache=False),
        "reader": Provide(lambda: reader, sync_to_thread=False),
    }
    handlers = [
        *(_totals, _latency, _series, _durations, _groups, _keys, _sessions),
        *(_calls, _call, _spans, _scores, _moves),
    ]
    return Router("/api", route_handlers=handlers, dependencies=given, before_request=before, **options)


@get("/totals")
async def _totals(asked: NamedDependency[Query], reader: NamedDependency[MonitorReader]) -> Totals:
    """Sums over the calls of a period."""
    return await reader.read(lambda store: store.totals(asked))


@get("/latency")
async def _latency(asked: NamedDependency[Query], reader: NamedDependency[MonitorReader]) -> Latency:
    """How long the calls that succeeded took."""
    return await reader.read(lambda store: store.latency(asked))


@get("/series")
async def _series(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    step: Step = 1_800_000,
    by: MaybeBy = None,
) -> Sequence[Point]:
    """Sums for each step of time, for each value of a dimension where one is given."""
    _check(asked, step)
    return await reader.read(lambda store: store.series(asked, step, by))


@get("/durations")
async def _durations(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    step: Step = 1_800_000,
    of: FromQuery[Timing] = "duration_ms",
) -> Sequence[Timed]:
    """For each step of time, how many calls took how long; to within two percent."""
    _check(asked, step)
    found = await reader.read(lambda store: store.durations(asked, step, of))
    return [Timed(t=t, ms=ms, calls=calls) for t, ms, calls in found]


@get("/groups")
async def _groups(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    by: By = "model",
    limit: Limit = 100,
) -> Sequence[Group]:
    """Sums and latency for each value of a dimension, the most expensive first."""
    return await reader.read(lambda store: store.groups(asked, by, limit))


@get("/keys")
async def _keys(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    by: By = "model",
    limit: Limit = 200,
) -> Sequence[str]:
    """The values of a dimension that occur, the most expensive first."""
    return await reader.read(lambda store: store.keys(asked, by, limit))


@get("/sessions")
async def _sessions(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    limit: Limit = 50,
    before: FromQuery[int | None] = None,
) -> Sequence[Session]:
    """The sessions with the newest calls; ``before`` is the ``last`` of the last one seen."""
    return await reader.read(lambda store: store.sessions(asked, limit, before))


@get("/calls")
async def _calls(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    limit: Limit = 50,
    before: Text = None,
    sort: Sort = "-timestamp",
) -> Sequence[Call]:
    """The first calls of an order, without their bodies; ``before`` is the id of the last one seen.

    By time they are found among all calls of the period; by anything else among its newest hundred thousand,
    unless a user, a session or a trace is named.
    """
    order = Order(cast("Ranking", sort.removeprefix("-")), sort.startswith("-"))
    return await reader.read(lambda store: store.calls(asked, limit, before, order))


@get("/calls/{id:str}")
async def _call(id: FromPath[str], reader: NamedDependency[MonitorReader]) -> CallWithBody:  # noqa: A002 - the column's name
    """One call, with its body where that was kept."""
    found = await reader.read(lambda store: store.call(id))
    if found is None:
        raise NotFoundException("There is no call of that id.")
    body = found.body or Body(request=None, response=None)
    return CallWithBody(
        call=replace(found, body=None), request=_text(body.request), response=_text(body.response)
    )


@get("/spans/{trace_id:str}")
async def _spans(
    trace_id: FromPath[str],
    reader: NamedDependency[MonitorReader],
    limit: Annotated[int, QueryParameter(ge=1, le=10_000)] = MOST_SPANS,
) -> Sequence[Span]:
    """The first spans of a trace, in order of their start."""
    return await reader.read(lambda store: store.spans(trace_id, limit=limit))


@get("/scores")
async def _scores(
    reader: NamedDependency[MonitorReader], call_id: Text = None, trace_id: Text = None
) -> Sequence[Score]:
    """What was said of a call or of a trace, the oldest first."""
    return await reader.read(lambda store: store.scores(call_id=call_id, trace_id=trace_id))


@get("/moves")
async def _moves(
    asked: NamedDependency[Query],
    reader: NamedDependency[MonitorReader],
    other_start: Moment = None,
    other_end: Moment = None,
    by: By = "model",
) -> Sequence[Moved]:
    """Why the cost of a period differs from that of another one, by default the time just before it."""
    end, start = moment("other_end", other_end), moment("other_start", other_start)
    end = asked.start if end is None else end
    start = end - (asked.end - asked.start) if start is None else start
    earlier = replace(asked, start=start, end=end)
    before = await reader.read(lambda store: store.groups(earlier, by))
    after = await reader.read(lambda store: store.groups(asked, by))
    sides = [{group.key: group.totals for group in side} for side in (before, after)]
    return [
        Moved(
            key=move.key,
            before=move.before,
            after=move.after,
            change_nanousd=move.change,
            effects_nanousd=dict(move.effects),
        )
        for move in cost_changes(sides[0], sides[1], {})
    ]


def _check(query: Query, step: int) -> None:
    if (query.end - query.start) // step > _MOST_STEPS:
        raise ClientException(f"That is more than {_MOST_STEPS:,} steps: ask for longer ones.")


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")
