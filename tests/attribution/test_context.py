"""``miharu.context``: whose the calls are that follow, for a block or for the rest."""

import asyncio
import contextvars
import gc
import logging
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import miharu
from miharu import _guard
from miharu.attribution import context
from miharu.attribution.context import Beginning, Origin
from miharu.attribution.resolve import Attribution, attribution_of
from miharu.attribution.stated import Stated
from tests.calls import ask, rows


def here() -> Attribution:
    """Whose a call would be that is made here and now."""
    return attribution_of(*context.now())


def user() -> str | None:
    return here().user_id


def test_nobody_has_said_anything() -> None:
    assert here() == Attribution(route=here().route)


def test_a_block_says_it_and_takes_it_back() -> None:
    with miharu.context(user="ann", session="s", tags={"team": "search"}):
        assert (user(), here().session_id, here().tags) == ("ann", "s", {"team": "search"})
    assert here() == Attribution(route=here().route)


def test_blocks_add_to_those_around_them() -> None:
    with miharu.context(user="ann", tags={"a": "1", "b": "1"}):
        with miharu.context(session="s", tags={"b": "2"}):
            assert (user(), here().session_id, here().tags) == ("ann", "s", {"a": "1", "b": "2"})
        with miharu.context(user="bob"):
            assert (user(), here().session_id, here().tags) == ("bob", None, {"a": "1", "b": "1"})
        assert user() == "ann"


async def test_a_block_of_a_coroutine() -> None:
    async with miharu.context(user="ann"):
        await anyio.lowlevel.checkpoint()
        assert user() == "ann"
    assert user() is None


def test_a_block_that_raises_takes_it_back() -> None:
    with pytest.raises(LookupError), miharu.context(user="ann"):
        raise LookupError
    assert user() is None


def test_plainly_it_holds_from_there_on() -> None:
    miharu.context(user="ann")
    miharu.context(session="s")
    assert (user(), here().session_id) == ("ann", "s")


def test_plainly_in_a_block_it_ends_with_the_block() -> None:
    with miharu.context(user="ann"):
        miharu.context(user="bob")
        assert user() == "bob"
    assert user() is None


async def test_plainly_in_a_task_it_is_the_tasks_own() -> None:
    seen: list[str | None] = []

    async def say(name: str) -> None:
        miharu.context(user=name)
        await anyio.lowlevel.checkpoint()
        seen.append(user())

    async with anyio.create_task_group() as group:
        for name in ("ann", "bob", "cy"):
            group.start_soon(say, name)
    assert sorted(map(str, seen)) == ["ann", "bob", "cy"]
    assert user() is None


def test_plainly_in_a_request_it_holds_for_the_rest_wherever_that_runs() -> None:
    """A dependency of FastAPI may say it in a thread pool, of which nothing comes back."""
    with Beginning(Origin({"path": "/"})):
        before = context.now()
        copied = contextvars.copy_context()
        thread = threading.Thread(target=copied.run, args=(lambda: miharu.context(user="ann"),))
        thread.start()
        thread.join()
        assert user() == "ann"
        assert attribution_of(*before).user_id is None, "that call was made before"
    assert user() is None


def test_plainly_in_a_block_in_a_request_it_holds_for_both() -> None:
    with Beginning(Origin({"path": "/"})):
        with miharu.context(user="ann"):
            miharu.context(user="bob")
            assert user() == "bob"
        assert user() == "bob"


def test_a_block_in_a_request_is_no_more_than_a_block() -> None:
    with Beginning(Origin({"path": "/"})):
        miharu.context(user="ann")
        with miharu.context(user="bob"):
            assert user() == "bob"
        assert user() == "ann"


def test_what_was_said_at_the_start_of_a_program_holds_in_its_requests() -> None:
    miharu.context(user="system", tags={"deploy": "blue"})
    for name in ("ann", "bob"):
        with Beginning(Origin({"path": "/"})):
            assert (user(), here().tags) == ("system", {"deploy": "blue"})
            miharu.context(user=name)
            assert (user(), here().tags) == (name, {"deploy": "blue"})
    assert user() == "system"


def test_a_route_of_ones_own() -> None:
    with miharu.context(route="dramatiq send_mail"):
        assert here().route == "dramatiq send_mail"


def test_one_block_used_again_and_inside_itself() -> None:
    ann = miharu.context(user="ann")
    with ann:
        with miharu.context(user="bob"), ann:
            assert user() == "ann"
        assert user() == "ann"
    assert user() is None
    with ann:
        assert user() == "ann"
    assert user() is None


def test_a_generator_that_is_closed_in_another_context_raises_nothing() -> None:
    def work() -> Iterator[None]:
        with miharu.context(user="ann"):
            yield

    running = work()
    contextvars.copy_context().run(next, running)
    with miharu.context(user="bob"):
        running.close()  # type: ignore[attr-defined]
        assert user() == "bob"
    assert user() is None


async def test_an_asynchronous_generator_that_another_task_closes_raises_nothing() -> None:
    async def work() -> AsyncIterator[None]:
        async with miharu.context(user="ann"):
            yield

    running: Any = work()
    async with anyio.create_task_group() as group:
        group.start_soon(running.__anext__)
    await running.aclose()
    assert user() is None


def test_blocks_that_are_left_out_of_order() -> None:
    """A generator that leaked its block is closed while its consumer is in a block of its own."""
    outer = miharu.context(user="leaked")
    outer.__enter__()
    with miharu.context(session="own"):
        outer.__exit__(None, None, None)
        assert here().session_id == "own"
    assert user() is None


def test_a_block_that_strayed_does_not_own_what_comes_after_it() -> None:
    def work() -> Iterator[None]:
        with miharu.context(user="ann"):
            yield

    running = work()
    next(running)  # its block is this context's now: generators have none of their own
    during = context.now()
    contextvars.Context().run(running.close)  # type: ignore[attr-defined]
    later = time.perf_counter_ns()
    assert attribution_of(*during, started=1).user_id == "ann"
    assert attribution_of(*context.now(), started=later).user_id is None


@pytest.mark.parametrize(("started", "user"), [(5, "ann"), (6, None)])
def test_a_block_holds_for_calls_that_began_before_it_strayed(started: int, user: str | None) -> None:
    block = context.Block()
    block.before, block.strayed = None, 5
    inside = context.Context(block=block, stated=Stated(user="ann"))
    assert attribution_of(inside, started=started).user_id == user


def test_what_cannot_be_printed_is_named_by_its_kind() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    with miharu.context(user=Odd(), session=7, tags={"n": 1}):  # type: ignore[dict-item]
        found = here()
    assert found.user_id is not None
    assert found.user_id.endswith("Odd>")
    assert (found.session_id, found.tags) == ("7", {"n": "1"})


def test_nonsense_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Mapping[str, str]):
        def __getitem__(self, name: str) -> str:
            raise RuntimeError

        def __iter__(self) -> Iterator[str]:
            return iter("a")

        def __len__(self) -> int:
            return 1

    monkeypatch.delenv("MIHARU_UNGUARDED")
    with miharu.context(user="ann", tags=Odd()):
        assert user() is None
    assert "miharu.context() failed" in caplog.text


def test_calls_of_the_store_have_it(database: Path) -> None:
    miharu.init(database)
    with miharu.context(user="ann", session="s", tags={"team": "search"}):
        ask()
    ask()
    assert miharu.flush()
    found = {(row["user_id"], row["session_id"], row["tags"]) for row in rows(database)}
    assert found == {("ann", "s", '{"team": "search"}'), (None, None, None)}


async def test_a_hundred_tasks_keep_their_own() -> None:
    async def work(number: int) -> None:
        async with miharu.context(user=f"u{number}"):
            await anyio.lowlevel.checkpoint()
            async with miharu.context(session=f"s{number}"):
                await anyio.lowlevel.checkpoint()
                assert (user(), here().session_id) == (f"u{number}", f"s{number}")

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(work, number)


def test_a_task_that_outlives_the_block_keeps_what_it_was_started_with() -> None:
    async def main() -> None:
        go_on, seen = asyncio.Event(), list[str | None]()

        async def later() -> None:
            await go_on.wait()
            seen.append(user())

        with miharu.context(user="ann"):
            task = asyncio.create_task(later())
        go_on.set()
        await task
        assert seen == ["ann"]

    asyncio.run(main())


def said() -> tuple[object, object]:
    """The user and the tags of a call made here."""
    whose = here()
    return whose.user_id, dict(whose.tags or {})


def test_a_generator_keeps_its_block_in_whatever_context_it_goes_on() -> None:
    """Starlette takes each step of a plain generator in a thread, with a copy of the request's context."""

    def steps() -> Iterator[tuple[object, object]]:
        with miharu.context(user="ann", tags={"team": "search"}):
            yield said()
            yield said()
            with miharu.context(tags={"step": "last"}):
                yield said()
            yield said()
        yield said()

    ann = ("ann", {"team": "search"})
    running = steps()
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(contextvars.copy_context().run, next, running).result() for _ in range(5)]
    assert found == [ann, ann, ("ann", {"team": "search", "step": "last"}), ann, (None, {})]
    assert said() == (None, {})


async def test_two_that_are_stepped_in_turn_keep_their_own() -> None:
    async def steps(user: str) -> AsyncGenerator[tuple[object, object], None]:
        async with miharu.context(user=user):
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
                yield said()

    ann, bob, found = steps("ann"), steps("bob"), []
    for _ in range(3):
        found += [await anext(ann), await anext(bob)]
    assert [user for user, _ in found] == ["ann", "bob"] * 3
    await ann.aclose()
    await bob.aclose()
    assert not context._of_generators


def test_what_a_generator_calls_may_say_more() -> None:
    def call() -> tuple[object, object]:
        with miharu.context(user="eve"):
            return said()

    def steps() -> Iterator[tuple[object, object]]:
        with miharu.context(user="ann"):
            yield call()
            yield call()

    assert [user for user, _ in steps()] == ["eve", "eve"]


def test_the_body_of_a_context_manager_is_in_its_block() -> None:
    @contextmanager
    def as_ann() -> Iterator[None]:
        with miharu.context(user="ann"):
            yield

    with as_ann():
        assert said()[0] == "ann"
    assert said()[0] is None


def test_a_generator_that_is_dropped_leaves_nothing() -> None:
    def steps() -> Iterator[int]:
        with miharu.context(user="ann"):
            yield 1

    running = steps()
    next(running)
    assert context._of_generators
    del running
    gc.collect()
    assert not context._of_generators


@pytest.fixture
def said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(_guard, "_said", set())
    caplog.set_level(logging.WARNING, "miharu")
    return caplog


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=contextvars.Context().run, args=(work,))
    thread.start()
    thread.join()


def test_a_thread_that_goes_on_for_somebody_else_is_warned_of_once(
    said_once: pytest.LogCaptureFixture,
) -> None:
    in_a_thread(lambda: miharu.context(user="ann"))
    in_a_thread(lambda: miharu.context(session="s"))
    assert said_once.text.count("with miharu.context(user=…):") == 1


def test_a_server_in_the_main_thread_is_warned_too(
    said_once: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    contextvars.copy_context().run(miharu.context, user="ann")
    assert not said_once.text
    monkeypatch.setitem(sys.modules, "gunicorn", ModuleType("gunicorn"))
    contextvars.copy_context().run(miharu.context, user="ann")
    assert "the next visitor" in said_once.text


def test_who_cannot_be_wrong_is_not_warned(said_once: pytest.LogCaptureFixture) -> None:
    def block() -> None:
        with miharu.context(user="ann"):
            pass

    def request() -> None:
        with Beginning(Origin({"type": "http"})):
            miharu.context(user="ann")

    for work in (block, request, lambda: miharu.context(tags={"team": "search"})):
        in_a_thread(work)
    assert not said_once.text
