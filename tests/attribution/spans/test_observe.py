"""``@miharu.observe``: a span for each run, of whatever kind of function."""

import asyncio
import contextvars
import functools
import gc
import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import anyio
import pytest

import miharu
from miharu.attribution import context
from miharu.attribution.spans.span import OpenSpan
from miharu.errors import ConfigError
from tests.attribution.conftest import Fail

pytestmark = pytest.mark.usefixtures("spans")


def running() -> str | None:
    """The name of the span that holds here."""
    here = context.current()
    return here.span.name if here is not None and here.span is not None else None


@miharu.observe
def plain(value: int) -> tuple[int, str | None]:
    """Its own words."""
    return value, running()


@miharu.observe(name="waits")
async def coroutine(value: int) -> tuple[int, str | None]:
    await anyio.lowlevel.checkpoint()
    return value, running()


@miharu.observe
def numbers(upto: int) -> Iterator[tuple[int, str | None]]:
    for number in range(upto):
        yield number, running()


@miharu.observe
async def letters(text: str) -> AsyncIterator[tuple[str, str | None]]:
    for letter in text:
        await anyio.lowlevel.checkpoint()
        yield letter, running()


def ended(spans: list[OpenSpan]) -> list[tuple[str, str]]:
    return [(span.name, span.status) for span in spans]


# --- the kinds of functions


def test_a_plain_function(spans: list[OpenSpan]) -> None:
    assert plain(3) == (3, "plain")
    assert ended(spans) == [("plain", "success")]


async def test_a_coroutine(spans: list[OpenSpan]) -> None:
    assert await coroutine(3) == (3, "waits")
    assert ended(spans) == [("waits", "success")]


def test_a_generator(spans: list[OpenSpan]) -> None:
    seen = []
    for number, inside in numbers(3):
        seen.append((number, inside, running()))
        assert not spans
    assert seen == [(number, "numbers", None) for number in range(3)]
    assert ended(spans) == [("numbers", "success")]


async def test_an_asynchronous_generator(spans: list[OpenSpan]) -> None:
    seen = [(letter, inside, running()) async for letter, inside in letters("ab")]
    assert seen == [("a", "letters", None), ("b", "letters", None)]
    assert ended(spans) == [("letters", "success")]


def test_methods_of_all_kinds(spans: list[OpenSpan]) -> None:
    class Agent:
        name = "agent"

        @miharu.observe
        def run(self) -> str:
            return self.name

        @classmethod
        @miharu.observe
        def make(cls) -> str:
            return cls.name

        @miharu.observe
        @staticmethod
        def help() -> str:
            return "help"

    assert (Agent().run(), Agent.make(), Agent.help()) == ("agent", "agent", "help")
    assert [span.name for span in spans] == ["Agent.run", "Agent.make", "Agent.help"]


def test_it_stays_what_it_was() -> None:
    """FastAPI and others ask what kind of function they have been given."""
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(letters)
    assert (plain.__name__, plain.__doc__) == ("plain", "Its own words.")
    assert str(inspect.signature(numbers)).startswith("(upto: int)")


def test_a_class_or_a_value_is_refused() -> None:
    for nonsense in (str, 3, None):
        with pytest.raises(ConfigError, match="observe"):
            miharu.observe(name="x")(nonsense)  # type: ignore[type-var]


async def test_what_only_begins_to_run_later_is_observed_to_its_end(spans: list[OpenSpan]) -> None:
    class Callable:
        async def __call__(self) -> str | None:
            await anyio.lowlevel.checkpoint()
            return running()

    def makes_numbers() -> Iterator[str | None]:
        return (running() for _ in range(2))

    def makes_letters() -> AsyncIterator[str | None]:
        async def made() -> AsyncIterator[str | None]:
            yield running()

        return made()

    assert await miharu.observe(Callable())() == "Callable"
    assert list(miharu.observe(makes_numbers)()) == ["makes_numbers"] * 2
    assert [name async for name in miharu.observe(makes_letters)()] == ["makes_letters"]
    assert ended(spans) == [
        ("Callable", "success"),
        ("makes_numbers", "success"),
        ("makes_letters", "success"),
    ]


def test_a_partial_function_has_the_name_of_the_whole() -> None:
    assert miharu.observe(functools.partial(running))() == "running"


# --- the tree


def test_one_that_calls_itself(spans: list[OpenSpan]) -> None:
    @miharu.observe
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)

    down(2)
    inner, middle, outer = spans
    assert [span.outer.span if span.outer else None for span in spans] == [middle, outer, None]
    assert inner.trace_id == middle.trace_id == outer.trace_id


def test_generators_that_are_read_in_turns_keep_their_own(spans: list[OpenSpan]) -> None:
    @miharu.observe(name="other")
    def others() -> Iterator[tuple[int, str | None]]:
        yield 0, running()
        with miharu.span("inside"):
            yield 1, running()
            yield 2, running()

    pairs = [(one[1], other[1]) for one, other in zip(numbers(3), others(), strict=True)]
    assert pairs == [("numbers", "other"), ("numbers", "inside"), ("numbers", "inside")]
    assert [span.outer.span if span.outer else None for span in spans] == [None, spans[-1], None]


def test_what_is_said_inside_a_generator_stays_there() -> None:
    @miharu.observe
    def work() -> Iterator[Any]:
        with miharu.context(user="ann"):
            yield miharu_user()
            yield miharu_user()

    assert [(inside, miharu_user()) for inside in work()] == [("ann", None), ("ann", None)]


def miharu_user() -> Any:
    here = context.current()
    return here.stated.user if here is not None else None


async def test_a_hundred_at_once_do_not_mix(spans: list[OpenSpan]) -> None:
    @miharu.observe
    async def inner(number: int) -> None:
        await anyio.lowlevel.checkpoint()

    async def run(number: int) -> None:
        @miharu.observe(name=f"outer {number}")
        async def outer() -> None:
            async for _ in letters("ab"):
                await inner(number)

        await outer()

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(run, number)
    roots = {span.trace_id: span.name for span in spans if span.outer is None}
    assert len(roots) == 100
    for span in spans:
        if span.name != roots[span.trace_id]:
            assert span.outer is not None
            assert span.outer.span is not None
            assert span.outer.span.name == roots[span.trace_id]


# --- how they end


def test_an_error(spans: list[OpenSpan]) -> None:
    @miharu.observe
    def fails() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        fails()
    assert (spans[0].status, spans[0].error_message) == ("error", "no such thing")


def test_an_error_half_way_through_a_generator(spans: list[OpenSpan]) -> None:
    @miharu.observe
    def fails() -> Iterator[int]:
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        list(fails())
    assert ended(spans)[0][1] == "error"


def test_a_generator_that_is_left_early(spans: list[OpenSpan]) -> None:
    for _ in numbers(3):
        break
    gc.collect()
    assert ended(spans) == [("numbers", "cancelled")]


def test_one_that_was_never_begun(spans: list[OpenSpan]) -> None:
    numbers(3).close()  # type: ignore[attr-defined]
    assert not spans


def test_one_that_is_closed_in_another_context(spans: list[OpenSpan]) -> None:
    walk = numbers(3)
    contextvars.copy_context().run(next, walk)
    with miharu.context(user="bob"):
        walk.close()  # type: ignore[attr-defined]
        assert miharu_user() == "bob"
    assert ended(spans) == [("numbers", "cancelled")]


def test_what_is_sent_and_thrown_into_a_generator_arrives() -> None:
    @miharu.observe
    def echo() -> Any:
        said = None
        while said != "end":
            try:
                said = yield said
            except LookupError as error:
                said = str(error)
        return "returned"

    talk = echo()
    assert next(talk) is None
    assert talk.send("one") == "one"
    assert talk.throw(LookupError("two")) == "two"
    with pytest.raises(StopIteration) as stopped:
        talk.send("end")
    assert stopped.value.value == "returned"


async def test_what_is_sent_and_thrown_into_an_asynchronous_generator_arrives(spans: list[OpenSpan]) -> None:
    @miharu.observe
    async def echo() -> Any:
        said = None
        while said != "end":
            try:
                said = yield said
            except LookupError as error:
                said = str(error)

    talk = echo()
    assert await anext(talk) is None
    assert await talk.asend("one") == "one"
    assert await talk.athrow(LookupError("two")) == "two"
    with pytest.raises(ValueError, match="three"):
        await talk.athrow(ValueError("three"))
    assert ended(spans)[0][1] == "error"


async def test_an_asynchronous_generator_that_is_left_early(spans: list[OpenSpan]) -> None:
    async with aclosing(letters("abc")) as walk:  # type: ignore[type-var]
        async for _ in walk:
            break
    assert ended(spans) == [("letters", "cancelled")]


async def test_one_that_another_task_closes(spans: list[OpenSpan]) -> None:
    walk: Any = letters("abc")
    async with anyio.create_task_group() as group:
        group.start_soon(walk.__anext__)
    async with miharu.context(user="bob"):
        await walk.aclose()
        assert miharu_user() == "bob"
    assert ended(spans) == [("letters", "cancelled")]


async def test_one_that_is_cancelled(spans: list[OpenSpan]) -> None:
    @miharu.observe
    async def forever() -> AsyncIterator[int]:
        yield 1
        await anyio.sleep_forever()

    async def read() -> None:
        async for _ in forever():
            entered.set()

    entered = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await entered.wait()
        group.cancel_scope.cancel()
    assert ended(spans) == [("forever", "cancelled")]


def test_a_coroutine_that_is_closed_from_elsewhere(spans: list[OpenSpan]) -> None:
    class Pause:
        def __await__(self) -> Iterator[None]:
            yield

    @miharu.observe
    async def waits() -> None:
        await Pause()  # type: ignore[misc]

    work = waits()
    contextvars.Context().run(work.send, None)
    work.close()
    assert ended(spans) == [("waits", "cancelled")]


def test_a_step_that_is_closed_from_elsewhere_leaves_that_place_alone() -> None:
    class Pause:
        def __await__(self) -> Iterator[None]:
            yield

    @miharu.observe
    async def walk() -> AsyncIterator[int]:
        await Pause()  # type: ignore[misc]
        yield 1

    step: Any = walk().__anext__()
    contextvars.Context().run(step.send, None)
    with miharu.context(user="bob"):
        step.close()
        assert miharu_user() == "bob"


def test_one_that_the_loop_closes_at_its_end(spans: list[OpenSpan]) -> None:
    left: list[Any] = []

    async def main() -> None:
        left.append(letters("abc"))
        await anext(left[0])

    asyncio.run(main())
    assert ended(spans) == [("letters", "cancelled")]


async def test_what_is_observed_later_may_fail(spans: list[OpenSpan]) -> None:
    class Fails:
        async def __call__(self) -> None:
            raise LookupError

    with pytest.raises(LookupError):
        await miharu.observe(Fails())()
    assert ended(spans) == [("Fails", "error")]


def test_a_generator_that_fails_when_it_is_closed(spans: list[OpenSpan]) -> None:
    @miharu.observe
    def work() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise LookupError

    walk = work()
    next(walk)
    with pytest.raises(LookupError):
        walk.close()  # type: ignore[attr-defined]
    assert ended(spans) == [("work", "error")]


def test_a_mistake_of_ours_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fail: Fail
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("miharu.attribution.tracing.new_span_id", fail)
        assert plain(3) == (3, None)
        assert list(numbers(2)) == [(0, None), (1, None)]
    with monkeypatch.context() as broken:
        broken.setattr("miharu.attribution.records.leave", fail)
        assert plain(3) == (3, "plain")
    assert "miharu.observe() failed" in caplog.text
