"""The questions to a ClickHouse server. Each is asked on a thread of a few, because the client blocks."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from miharu.errors import StoreError
from miharu.stores.base import By, ByTag, Query
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import literal, quoted_name
from miharu.stores.clickhouse.queries import markers as marking
from miharu.stores.clickhouse.queries import order, prompts, rows, scoring, sums, times, tools, traces
from miharu.stores.clickhouse.tables import counting
from miharu.stores.clickhouse.tables.schema import TYPES, local, look, prepare

__all__ = ("ClickHouseQuestions",)

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE = 4
"""Questions that are asked at the same time, at most."""


def _asked(
    function: Callable[Concatenate[Database, P], T],
) -> Callable[Concatenate["ClickHouseQuestions", P], Coroutine[Any, Any, T]]:
    """A method that asks on a thread."""

    @wraps(function)
    async def ask(self: "ClickHouseQuestions", *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.on_thread(partial(function, self.database, *args, **kwargs))

    return ask  # type: ignore[return-value] # wraps() speaks of the function


class ClickHouseQuestions:
    """Reads a database that any number of processes share."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.database = Database(url)
        self._read_only = read_only
        self._threads: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        await self.on_thread(partial(look if self._read_only else prepare, self.database))

    async def has_sums(self, query: Query, by: By | None = None) -> bool:
        return sums.has_sums(query) and not isinstance(by, ByTag)

    async def tag_names(self) -> Sequence[str]:
        return ()  # none has sums of its own

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)
        self.database.close()

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Run on one of the threads.

        Raises:
            StoreError: It may do another time, or the program ends.
        """
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="miharu-clickhouse")
        loop = asyncio.get_running_loop()
        try:
            answer = loop.run_in_executor(self._threads, work)
        except RuntimeError as error:
            raise StoreError(f"{self.database.name} is asked nothing more: {error}.") from error
        return await answer

    totals = _asked(sums.totals)
    series = _asked(sums.series)
    groups = _asked(sums.groups)
    ranks = _asked(sums.ranks)
    latencies = _asked(sums.latencies)
    keys = _asked(sums.keys)
    versions = _asked(prompts.versions)
    latency = _asked(times.latency)
    durations = _asked(times.durations)
    sessions = _asked(rows.sessions)
    searched = _asked(rows.searched)
    calls = _asked(rows.calls)
    call = _asked(rows.call)
    scores = _asked(rows.scores)
    score_names = _asked(scoring.score_names)
    score_sums = _asked(scoring.score_sums)
    scored = _asked(scoring.scored)
    span = _asked(traces.span)
    markers = _asked(marking.markers)
    rated = _asked(marking.rated)
    spans = _asked(traces.spans)
    tools = _asked(tools.tools)
    failed_spans = _asked(traces.failed_spans)
    extent = _asked(traces.extent)
    counters = _asked(counting.counters)
    places = _asked(order.places)
    batch = _asked(order.batch)

    async def revision(self) -> int:
        return await self.on_thread(partial(_revision, self.database))

    async def size(self) -> int | None:
        return await self.on_thread(partial(_size, self.database))


def _revision(database: Database) -> int:
    tables: Sequence[str] = ("llm_calls", "llm_spans", "llm_scores", "llm_markers", "miharu_changes")
    if not database.query("EXISTS TABLE llm_markers")[0][0]:  # of an older miharu
        tables = [table for table in tables if table != "llm_markers"]
    newest = " UNION ALL ".join(f"SELECT max(written) AS newest FROM {table}" for table in tables)
    return int(database.query(f"SELECT max(newest) FROM ({newest})")[0][0])


def _size(database: Database) -> int | None:
    """Bytes on disk, of all nodes; ``None`` where this user may not see it."""
    cluster = database.address.cluster
    parts = f"cluster({quoted_name(cluster)}, system.parts)" if cluster else "system.parts"
    names = ", ".join(literal(local(table, cluster)) for table in TYPES)
    try:
        ((size,),) = database.query(
            f"SELECT sum(bytes_on_disk) FROM {parts} WHERE active AND database = currentDatabase() "
            f"AND table IN ({names})"
        )
    except StoreError:
        return None
    return int(size)
