"""The questions that have the same answer on every engine: a store adds how a function gets its snapshot."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from miharu.stores.sql.ever import counters
from miharu.stores.sql.markers import markers, rated
from miharu.stores.sql.order import batch, places
from miharu.stores.sql.prompts import versions
from miharu.stores.sql.ranking import keys, ranks, tag_names
from miharu.stores.sql.rows import call, scores, sessions
from miharu.stores.sql.scoring import score_names, score_sums, scored
from miharu.stores.sql.source import Engine, has_sums, searched
from miharu.stores.sql.sums import groups, latencies, series, totals
from miharu.stores.sql.times import durations, latency
from miharu.stores.sql.tools import tools
from miharu.stores.sql.traces import extent, failed_spans, span, spans

__all__ = ("Answers",)

P = ParamSpec("P")
T = TypeVar("T")


def _asked(
    function: Callable[Concatenate[Connection, Engine, P], T],
) -> Callable[Concatenate["Answers", P], Coroutine[Any, Any, T]]:
    """A method that runs the function on one snapshot."""

    @wraps(function)
    async def ask(self: "Answers", *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.read(partial(_on, function, self.engine, args, kwargs))

    return ask  # type: ignore[return-value] # wraps() speaks of the function


def _on(function: Any, engine: Engine, args: Any, kwargs: Any, connection: Connection) -> Any:
    return function(connection, engine, *args, **kwargs)


class Answers(ABC):
    """Part of a store's ``Questions``."""

    engine: ClassVar[Engine]

    @abstractmethod
    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run on one snapshot."""

    totals = _asked(totals)
    has_sums = _asked(has_sums)
    latency = _asked(latency)
    series = _asked(series)
    durations = _asked(durations)
    counters = _asked(counters)
    groups = _asked(groups)
    ranks = _asked(ranks)
    latencies = _asked(latencies)
    keys = _asked(keys)
    tag_names = _asked(tag_names)
    versions = _asked(versions)
    sessions = _asked(sessions)
    searched = _asked(searched)
    call = _asked(call)
    places = _asked(places)
    batch = _asked(batch)
    span = _asked(span)
    spans = _asked(spans)
    tools = _asked(tools)
    failed_spans = _asked(failed_spans)
    extent = _asked(extent)
    scores = _asked(scores)
    score_names = _asked(score_names)
    score_sums = _asked(score_sums)
    scored = _asked(scored)
    markers = _asked(markers)
    rated = _asked(rated)
