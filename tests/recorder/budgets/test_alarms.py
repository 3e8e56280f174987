import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miharu._budget import Budget, BudgetState
from miharu.interceptor import Interceptor, handoff
from miharu.providers.base import Rule
from miharu.recorder.budgets import Alarms, Webhook, webhook
from miharu.recorder.threads.loop import LoopThread
from tests.test_budget import state

from .receiver import Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "PAUSE_S", 0.0)
    monkeypatch.setattr(webhook, "CLOSE_S", 30.0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Receiver() as receiver:
        yield receiver


LOOP = LoopThread("miharu-test", handoff.unseen)


@pytest.fixture(autouse=True)
def nothing_on_its_way() -> Iterator[None]:
    """Into the next test."""
    yield
    LOOP.stop(for_good=False)


OVER = state(spent_nanousd=12 * 10**9, key="ann", unpriced=2, refuses=True)


async def tell(budget: Budget, *states: BudgetState) -> Alarms:
    alarms = Alarms(Webhook(LOOP))
    for each in states or (OVER,):
        alarms.tell(budget, each)
    await asyncio.to_thread(alarms.close)
    return alarms


async def test_the_log_says_it(caplog: pytest.LogCaptureFixture) -> None:
    await tell(Budget(10), state(spent_nanousd=8 * 10**9), state(spent_nanousd=10**10), OVER)
    near, over, refusing = [record.getMessage() for record in caplog.records]
    assert "is used to 80 percent: 8.00 of 10.00 USD" in near
    assert "is used up: 10.00 of 10.00 USD" in over
    assert "Calls go on" in over
    assert "'ann' is used up" in refusing
    assert "2 calls without a known price" in refusing
    assert "Calls are refused until 2026-11-26 00:00 UTC" in refusing
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_the_program_is_told_at_the_limit() -> None:
    told: list[BudgetState] = []
    await tell(Budget(10, on_exceeded=told.append), state(spent_nanousd=8 * 10**9), OVER)
    assert told == [OVER]


async def test_what_the_program_does_wrong_stops_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")

    def broken(_: BudgetState) -> None:
        raise LookupError("mine")

    await tell(Budget(10, on_exceeded=broken, webhook=receiver.url))
    assert len(receiver.posts) == 1
    assert "on_exceeded" in caplog.text
    assert "mine" in caplog.text


async def test_a_webhook_gets_a_few_figures(receiver: Receiver) -> None:
    await tell(Budget(10, webhook=receiver.url))
    [(path, headers, content)] = receiver.posts
    assert path == "/hooks/s3cret/chat/completions"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("miharu/")
    assert content == {
        "text": content["text"],
        "budget": "10.00 USD a day",
        "key": "ann",
        "per": "day",
        "limit_usd": 10.0,
        "spent_usd": 12.0,
        "unpriced": 2,
        "starts": "2026-11-25T00:00:00+00:00",
        "ends": "2026-11-26T00:00:00+00:00",
        "refuses": True,
    }
    assert "12.00 of 10.00 USD" in content["text"]


async def test_a_webhook_is_tried_once_more(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answers = [503, 200]
    await tell(Budget(10, webhook=receiver.url))
    assert len(receiver.posts) == 2
    assert "webhook" not in caplog.text


@pytest.mark.parametrize(("status", "tries"), [(500, 2), (404, 1), (302, 1)])
async def test_a_webhook_that_fails_is_said_once_without_its_path(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int, tries: int
) -> None:
    receiver.answers = [status]
    alarms = await tell(Budget(10, webhook=receiver.url))
    alarms.tell(Budget(10, webhook=receiver.url), OVER)
    await asyncio.to_thread(alarms.close)
    assert len(receiver.posts) == 2 * tries
    said = [record.getMessage() for record in caplog.records if "webhook" in record.getMessage()]
    assert len(said) == 1
    assert str(status) in said[0]
    assert "127.0.0.1" in said[0]
    assert "s3cret" not in caplog.text


async def test_a_webhook_that_nobody_answers_is_said(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.server.shutdown()
    receiver.server.server_close()
    await tell(Budget(10, webhook=receiver.url))
    assert "ConnectError" in caplog.text


async def test_nobody_waits_for_a_webhook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "CLOSE_S", 0.05)
    receiver.gate.clear()
    alarms = Alarms(Webhook(LOOP))
    alarms.tell(Budget(10, webhook=receiver.url), OVER)
    await asyncio.to_thread(alarms.close)
    assert alarms._webhook._posts  # it was not waited for until it had arrived
    receiver.gate.set()


async def test_a_webhook_is_never_recorded(receiver: Receiver) -> None:
    """Though it looks like a call to a model."""
    import httpx

    seen: list[object] = []
    interceptor = Interceptor(seen.append, [Rule("/completions")])
    interceptor.install()
    try:
        alarms = Alarms(Webhook(LOOP))
        alarms.tell(Budget(10, webhook=receiver.url), OVER)
        await asyncio.to_thread(alarms.close)
        assert len(receiver.posts) == 1
        assert not seen
        async with httpx.AsyncClient() as client:
            await client.post(receiver.url, json={})
        assert len(seen) == 1
    finally:
        interceptor.uninstall()


async def test_a_child_sends_nothing_of_its_parents(receiver: Receiver) -> None:
    alarms = Alarms(Webhook(LOOP))
    alarms.tell(Budget(10, webhook=receiver.url), OVER)
    parents: Callable[[], Any] = alarms._webhook.close
    alarms.after_fork()
    assert not alarms._webhook._posts
    await asyncio.to_thread(parents)
