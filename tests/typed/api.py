"""The public surface, as a program with strict type checks uses it. It is read by checkers and never run."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import miharu
from miharu import (
    Budget,
    BudgetExceeded,
    BudgetState,
    Call,
    Calls,
    ConfigError,
    MiharuError,
    Stats,
    StoreError,
)


def start() -> None:
    miharu.init()
    miharu.init("calls.db", service="shop", capture_content=True, estimate_usage=False)
    miharu.init(Path("calls.db"), retention="90d", content_retention=timedelta(days=3))
    miharu.init(retention=90, content_retention=None, tag_sums=("team", "release"))
    miharu.init(budgets=[Budget(10), Budget(Decimal("0.5"), "hour", each="user", refuse=True)])


def stop() -> None:
    assert_type(miharu.flush(1), bool)
    assert_type(miharu.shutdown(timeout=0.5), bool)


async def stop_later() -> None:
    assert_type(await miharu.aflush(), bool)
    assert_type(await miharu.ashutdown(1.5), bool)


def figures() -> int:
    found: Stats = miharu.stats()
    assert_type(found["budgets"], list[BudgetState])
    assert_type(found["last_write"], float | None)
    return found["written"]


def whose(thread: int) -> None:
    with miharu.context(user="ann", session=thread, tags={"team": "search"}, route="queue job"):
        pass
    miharu.context(user=7)


async def whose_async() -> None:
    async with miharu.context(user="ann"), miharu.span("retrieve") as span:
        assert_type(span.trace_id, str)


@miharu.observe
def plain(question: str, *, loud: bool = False) -> str:
    return question.upper() if loud else question


@miharu.observe(name="stream")
def turns(count: int) -> Iterator[int]:
    yield from range(count)


@miharu.observe
async def later(question: str) -> int:
    return len(question)


async def observed() -> None:
    assert_type(plain("hello", loud=True), str)
    assert_type(turns(3), Iterator[int])
    assert_type(await later("hello"), int)


def judged(call: Call) -> None:
    assert_type(miharu.trace_id(), str | None)
    miharu.score(call, "helpful", value=True, comment="from the thumb")
    miharu.score(miharu.trace_id(), "grade", 0.5)
    with miharu.span("retrieve") as span:
        miharu.score(span, "found", 3)


def captured() -> list[str | None]:
    with miharu.capture() as calls:
        plain("hello")
    assert_type(calls, Calls)
    assert_type(calls[0], Call)
    assert_type(calls.tokens + calls.cost_nanousd, int)
    return names(calls)


def names(calls: Sequence[Call]) -> list[str | None]:
    return [call.model for call in calls]


def test_with_the_fixture(miharu_calls: Calls) -> None:
    assert len(miharu_calls) <= 1
    for call in miharu_calls:
        assert_type(call.usage.prompt_tokens, int | None)
        assert_type(call.cost.cost_nanousd if call.cost else None, int | None)


def told(state: BudgetState) -> None:
    assert_type(state.spent_usd, float)


def limited(user: str) -> str:
    Budget(10, tag=("team", "search"), on_exceeded=told, webhook="https://example.com/hook")
    try:
        miharu.check_budget(user=user, route="POST /chat", tags={"team": "search"})
    except BudgetExceeded as error:
        assert_type(error.state, BudgetState)
        return error.state.ends_at
    except ConfigError as error:
        assert_type(error.setting, str | None)
    except (StoreError, MiharuError):
        raise
    return miharu.__version__
