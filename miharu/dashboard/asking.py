"""Questions to the store: several at once, and each of them only once for a page.

A page is made of parts that do not know of each other, and each asks for what it needs. So the same question
comes from several of them, and none of them waits for another's answer.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from miharu.batch import Score, Span
from miharu.call import Call
from miharu.stores.base import (
    MOST_SPANS,
    NEWEST,
    Dimension,
    Extent,
    FailedSpans,
    Group,
    Latency,
    Order,
    Point,
    Query,
    Ranks,
    Session,
    Timing,
    Totals,
)

__all__ = ("Answer", "Once", "Questions", "Top", "together", "top")

T = TypeVar("T")
P = ParamSpec("P")


class Questions(Protocol):
    """What a view may ask of a store; see ``stores.base.Store``."""

    async def revision(self) -> int: ...
    async def totals(self, query: Query) -> Totals: ...
    async def has_sums(self, query: Query, by: Dimension | None = None) -> bool: ...
    async def latency(self, query: Query) -> Latency: ...
    async def series(
        self,
        query: Query,
        step_ms: int,
        by: Dimension | None = None,
        among: Sequence[str | None] | None = None,
        offset_ms: int = 0,
    ) -> Sequence[Point]: ...
    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]: ...
    async def groups(
        self,
        query: Query,
        by: Dimension,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
    ) -> Sequence[Group]: ...
    async def ranks(self, query: Query, by: Dimension, limit: int = 200, offset: int = 0) -> Ranks: ...
    async def keys(self, query: Query, by: Dimension, limit: int = 200) -> Sequence[str]: ...
    async def sessions(
        self, query: Query, limit: int = 50, before: int | None = None
    ) -> Sequence[Session]: ...
    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]: ...
    async def call(self, id: str) -> Call | None: ...  # noqa: A002 - the column's name
    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]: ...
    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans: ...
    async def extent(self, query: Query) -> Extent | None: ...
    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]: ...
    async def size(self) -> int | None: ...


class Answer(Generic[T]):
    """What was asked for; there once the block that asks is left."""

    __slots__ = ("value",)
    value: T


class _Ask(Protocol):
    def __call__(
        self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Answer[T]: ...


@asynccontextmanager
async def together() -> AsyncIterator[_Ask]:
    """Await several functions at once. The first that fails ends the others, and comes out as it is."""
    import anyio

    try:
        async with anyio.create_task_group() as group:

            def ask(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
                answer: Answer[T] = Answer()

                async def run() -> None:
                    answer.value = await function(*args, **kwargs)

                group.start_soon(run)
                return answer

            yield ask
    except BaseExceptionGroup as failures:
        raise _first(failures) from None


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    error = failures.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


class _Known:
    __slots__ = ("error", "event", "value")

    def __init__(self) -> None:
        import anyio

        self.event = anyio.Event()
        self.value: Any = None
        self.error: Exception | None = None


class Once:
    """A store that is asked each question once, however often and by whomever; for the length of a page."""

    def __init__(self, store: Questions) -> None:
        self.store = store
        self._known: dict[Hashable, _Known] = {}

    async def revision(self) -> int:
        return await self._ask(self.store.revision)

    async def totals(self, query: Query) -> Totals:
        return await self._ask(self.store.totals, query)

    async def has_sums(self, query: Query, by: Dimension | None = None) -> bool:
        return await self._ask(self.store.has_sums, query, by)

    async def latency(self, query: Query) -> Latency:
        return await self._ask(self.store.latency, query)

    async def series(
        self,
        query: Query,
        step_ms: int,
        by: Dimension | None = None,
        among: Sequence[str | None] | None = None,
        offset_ms: int = 0,
    ) -> Sequence[Point]:
        return await self._ask(self.store.series, query, step_ms, by, _fixed(among), offset_ms)

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        return await self._ask(self.store.durations, query, step_ms, of, offset_ms)

    async def groups(
        self,
        query: Query,
        by: Dimension,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
    ) -> Sequence[Group]:
        return await self._ask(self.store.groups, query, by, limit, _fixed(among))

    async def ranks(self, query: Query, by: Dimension, limit: int = 200, offset: int = 0) -> Ranks:
        return await self._ask(self.store.ranks, query, by, limit, offset)

    async def keys(self, query: Query, by: Dimension, limit: int = 200) -> Sequence[str]:
        return await self._ask(self.store.keys, query, by, limit)

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        return await self._ask(self.store.sessions, query, limit, before)

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        return await self._ask(self.store.calls, query, limit, before, order)

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return await self._ask(self.store.call, id)

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        return await self._ask(self.store.spans, trace_id, during, limit)

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        return await self._ask(self.store.failed_spans, query, limit)

    async def extent(self, query: Query) -> Extent | None:
        return await self._ask(self.store.extent, query)

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        return await self._ask(self._scores, call_id, trace_id)

    async def _scores(self, call_id: str | None, trace_id: str | None) -> Sequence[Score]:
        return await self.store.scores(call_id=call_id, trace_id=trace_id)

    async def size(self) -> int | None:
        return await self._ask(self.store.size)

    async def worked_out(self, function: Callable[..., Awaitable[T]], *args: Hashable) -> T:
        """What is made of answers, once as well."""
        return await self._ask(function, *args)

    async def _ask(self, function: Callable[..., Awaitable[T]], *args: Hashable) -> T:
        key = (function.__name__, *args)
        while (known := self._known.get(key)) is not None:
            await known.event.wait()
            if self._known.get(key) is known:
                if known.error is not None:
                    raise known.error
                return known.value  # type: ignore[no-any-return]
        known = self._known[key] = _Known()
        try:
            known.value = await function(*args)
        except Exception as error:
            known.error = error
            raise
        except BaseException:  # whoever asked was cancelled, which is no answer for the others
            del self._known[key]
            raise
        finally:
            known.event.set()
        return known.value  # type: ignore[no-any-return]


def _fixed(keys: Sequence[str | None] | None) -> tuple[str | None, ...] | None:
    return None if keys is None else tuple(keys)


@dataclass(frozen=True, slots=True)
class Top:
    """The most expensive groups, and how many there are."""

    groups: Sequence[Group]
    whole: int


async def top(store: Questions, query: Query, by: Dimension, most: int, offset: int = 0) -> Top:
    """Some groups, from that place on. Who ranks how is asked once for a page, whatever each part shows."""
    ranks = await store.ranks(query, by)
    keys = tuple(ranks.keys[offset : offset + most])
    if offset + most > len(ranks.keys) < ranks.whole:
        keys = tuple((await store.ranks(query, by, most, offset)).keys)
    return Top(await store.groups(query, by, None, keys), ranks.whole)
