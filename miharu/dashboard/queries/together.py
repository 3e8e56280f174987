"""Questions to the store: several at once, and each of them only once for a page.

A page is made of parts that do not know of each other, and each asks for what it needs. So the same question
comes from several of them, and none of them waits for another's answer.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from miharu.conditions.language import Condition
from miharu.stores.base import By, Group, Point, Query, Questions, RankOrder, Ranks

__all__ = ("Answer", "Once", "Top", "once", "together", "top")

T = TypeVar("T")
P = ParamSpec("P")


def once(store: Questions) -> Questions:
    """The same questions, each of which is asked once."""
    return cast("Questions", Once(store))


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
    """Questions of which each is asked once, however often and by which part; for the length of a page."""

    def __init__(self, store: Questions) -> None:
        self.store = store
        self._known: dict[Hashable, _Known] = {}

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """A question of the store: ``stores.base.Questions`` says which there are."""
        question = getattr(self.store, name)

        async def ask(*args: Hashable, **kwargs: Hashable) -> Any:
            return await self._ask(question, *args, **kwargs)

        return ask

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
        """Of some keys it is a part of what was asked for of all, where it was."""
        question, kwargs = self.store.series, {"measures": measures}
        everything = (query, step_ms, by, None, offset_ms)
        if among is not None and _key(question, everything, kwargs) in self._known:
            points = await self._ask(question, *everything, **kwargs)
            return [point for point in points if point.key in among]
        return await self._ask(question, query, step_ms, by, among, offset_ms, **kwargs)

    async def worked_out(self, function: Callable[..., Awaitable[T]], *args: Hashable) -> T:
        """What is made of answers, once as well."""
        return await self._ask(function, *args)

    async def _ask(self, function: Callable[..., Awaitable[T]], *args: Hashable, **kwargs: Hashable) -> T:
        key = _key(function, args, kwargs)
        while (known := self._known.get(key)) is not None:
            await known.event.wait()
            if self._known.get(key) is known:
                if known.error is not None:
                    raise known.error
                return known.value  # type: ignore[no-any-return]
        known = self._known[key] = _Known()
        try:
            known.value = await function(*args, **kwargs)
        except Exception as error:
            known.error = error
            raise
        except BaseException:  # the task that asked was cancelled, which is not an answer for the others
            del self._known[key]
            raise
        finally:
            known.event.set()
        return known.value  # type: ignore[no-any-return]


def _key(function: Callable[..., object], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Hashable:
    return (
        function.__name__,
        *_given(tuple(map(_fixed, args))),
        *sorted((name, _fixed(value)) for name, value in kwargs.items() if value is not None),
    )


def _given(args: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Without what is the default anyway."""
    return _given(args[:-1]) if args and args[-1] is None else args


def _fixed(value: Any) -> Hashable:
    """As it may be a part of a key."""
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Top:
    """The most expensive groups, and how many there are."""

    groups: Sequence[Group]
    whole: int


async def top(
    store: Questions,
    query: Query,
    by: By,
    most: int,
    offset: int = 0,
    *,
    timed: bool = True,
    errors: tuple[Condition, ...] = (),
) -> Top:
    """Some groups, from that place on. The ranking is asked once for a page, for all of its parts."""

    async def ranked(*part: int) -> Ranks:
        if not errors:
            return await store.ranks(query, by, *part)
        return await store.ranks(query, by, *part, order=RankOrder(errors=errors))

    ranks = await ranked()
    keys = tuple(ranks.keys[offset : offset + most])
    if offset + most > len(ranks.keys) < ranks.whole:
        keys = tuple((await ranked(most, offset)).keys)
    groups = (
        await store.groups(query, by, None, keys)
        if timed
        else await store.groups(query, by, None, keys, timed=False)
    )
    return Top(groups, ranks.whole)
