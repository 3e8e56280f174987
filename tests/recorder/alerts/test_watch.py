"""Alerts: told of once when they begin to fire, and once when that is over, whatever happens meanwhile."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from miharu._alert import Alert
from miharu.recorder.alerts import readings, watch
from tests.recorder.alerts.world import MINUTE, Process, World, near

REFUNDS = Alert("Refunds fail", "errors>5% route:/refund", over="15m", at_least=10)


async def test_it_is_told_once_when_it_fires_and_once_when_it_is_over(world: World) -> None:
    process = Process(world, REFUNDS)
    await world.calls(20, failed=20, route="/other")
    await process.settle()
    assert process.told == []
    await world.calls(40, failed=4, route="/refund")
    await process.settle()
    await process.settle()
    assert process.said == ["firing"]
    assert process.firing == ["Refunds fail"]
    (change,) = process.told
    assert (change.value, change.calls, change.text) == (0.1, 40, "10% of 40 calls")
    assert str(change) == (
        "The alert 'Refunds fail' is firing: 10% of 40 calls in 15m (errors>5% route:/refund)"
    )
    world.pass_by(15 * 60)
    await process.settle()
    await process.settle()
    assert process.said == ["firing", "resolved"]
    assert process.firing == []
    assert await world.markers() == ["firing", "resolved"]
    await world.calls(40, failed=4, route="/refund")
    await process.settle()
    assert process.said == ["firing", "resolved", "firing"]


async def test_few_calls_do_not_begin_it_and_do_not_end_it(world: World) -> None:
    process = Process(world, REFUNDS)
    await world.calls(9, failed=9, route="/refund")
    await process.settle()
    assert process.told == []
    await world.calls(1, failed=1, route="/refund")
    await process.settle()
    assert process.said == ["firing"]
    world.pass_by(14 * 60)
    await world.calls(2, failed=1, route="/refund")
    world.pass_by(2 * 60)
    await process.settle()
    assert process.said == ["firing"]  # two calls, one of which failed: it is not over


async def test_one_of_many_processes_tells(world: World) -> None:
    crew = [Process(world, REFUNDS) for _ in range(4)]
    await world.calls(40, failed=40, route="/refund")
    for process in crew:  # all see the change before any has stored its marker
        await process.look()
    assert [len(process.left) for process in crew] == [1, 1, 1, 1]
    world.pass_by(1.5)
    for process in reversed(crew):
        await process.look()
    for process in crew:
        await process.settle()
    assert [said for process in crew for said in process.said] == ["firing"]
    assert all(process.firing for process in crew)
    assert await world.markers() == ["firing"]
    world.pass_by(16 * 60)
    for process in crew:
        await process.settle()
    assert [said for process in crew for said in process.said].count("resolved") == 1


async def test_a_restart_tells_nothing_again(world: World) -> None:
    first = Process(world, REFUNDS)
    await world.calls(40, failed=40, route="/refund")
    await first.settle()
    second = Process(world, REFUNDS)
    await second.settle()
    assert (first.said, second.said, second.firing) == (["firing"], [], ["Refunds fail"])
    world.pass_by(16 * 60)
    third = Process(world, REFUNDS)
    await third.settle()
    assert third.said == ["resolved"]
    await Process(world, REFUNDS).settle()
    assert await world.markers() == ["firing", "resolved"]


async def test_a_store_that_is_away_changes_nothing_and_is_asked_again(world: World) -> None:
    process = Process(world, REFUNDS)
    await world.calls(40, failed=40, route="/refund")
    world.away = True
    await process.settle()
    assert process.told == []
    world.away = False
    await process.look()
    world.pass_by(31)
    await process.look()
    world.away = True  # before its marker was stored
    for _ in range(20):
        world.pass_by(31)
        await process.look()
    assert process.told == []
    world.away = False
    await process.settle()
    assert process.said == ["firing"]


async def test_a_marker_that_was_lost_is_left_again(world: World) -> None:
    process = Process(world, Alert("Slow", "p95>1ms", over="7d", at_least=1))
    await world.calls(5, duration_ms=50)
    await process.look()
    process.left.clear()  # such as by a queue that was full
    for _ in range(12):
        world.pass_by(31)
        await process.look()
    assert process.said == ["firing"]


@pytest.mark.parametrize("hours", [5, -5])
async def test_a_clock_that_jumps_fires_and_ends_nothing(world: World, hours: int) -> None:
    silent = Alert("Silent", "calls<1", over="15m")
    process = Process(world, REFUNDS, silent)
    await world.calls(40, failed=40, route="/refund")
    await process.settle()
    assert process.said == ["firing"]
    world.at += hours * 60 * MINUTE
    await process.settle()
    assert process.said == ["firing"]
    for _ in range(16):  # from here on the clock is as good as any
        world.pass_by(60)
        await world.calls(2, route="/refund")
        await process.look()
    await process.settle()
    assert process.said == ["firing", "resolved"]


async def test_none_at_all_fires_where_there_were_some(world: World) -> None:
    process = Process(world, Alert("Silent", "calls<1 service:shop", over="10m"))
    await process.settle()
    assert process.told == []  # there never was one
    await world.calls(1, service="shop")
    await process.settle()
    assert process.told == []
    world.pass_by(11 * 60)
    await world.calls(1, service="other")
    await process.settle()
    assert process.said == ["firing"]
    assert process.told[0].text == "0 calls"
    world.pass_by(3 * 86_400)
    await process.settle()
    assert process.said == ["firing"]
    await world.calls(1, service="shop")
    await process.settle()
    assert process.said == ["firing", "resolved"]


async def _spend(world: World) -> None:
    await world.calls(3, usd=1)


async def _slow(world: World) -> None:
    await world.calls(30, duration_ms=9000)


async def _unpriced(world: World) -> None:
    await world.calls(30)
    await world.calls(10, cost=None)


async def _fail(world: World) -> None:
    await world.calls(30, failed=3)


async def _rate(world: World) -> None:
    await world.score(*([0.25] * 30))
    await world.score(1.0, name="other")


@pytest.mark.parametrize(
    ("when", "happens", "value", "text"),
    [
        ("cost>11.9", _spend, 12 * 10**9, "$12.00 an hour"),
        ("cost>1190ct/h", _spend, 12 * 10**9, "$12.00 an hour"),
        ("p95>8s", _slow, 9000, "s over 30 calls"),
        ("p50>=8s", _slow, 9000, "s over 30 calls"),
        ("unpriced>=25%", _unpriced, 0.25, "25% of 40 calls"),
        ("unpriced>9", _unpriced, 10, "10 of 40 calls"),
        ("errors>=3", _fail, 3, "3 of 30 calls"),
        ("errors<50%", _fail, 0.1, "10% of 30 calls"),
        ("calls>29", _fail, 30, "30 calls"),
        ("score:helpful<0.5", _rate, 0.25, "0.25 of 30 scores"),
    ],
)
async def test_each_measure_is_of_the_window(
    world: World, when: str, happens: Callable[[World], Any], value: float, text: str
) -> None:
    process = Process(world, Alert("one", when, over="15m"))
    await happens(world)
    world.pass_by(16 * 60)
    await process.settle()
    assert "firing" not in process.said  # all of it is too old
    await happens(world)
    await process.settle()
    assert process.said == ["firing"]
    assert near(process.told[0].value, value)
    assert process.told[0].text.endswith(text)


async def test_it_looks_now_and_then_and_not_while_nothing_happens(world: World) -> None:
    process = Process(world, REFUNDS)
    await process.look()
    asked = world.asked
    for _ in range(10):
        world.pass_by(1)
        await world.calls(1)
        await process.look()
    assert world.asked == asked  # not per call, and not per second
    await process.settle()
    world.pass_by(20 * 60)
    await process.settle()
    queries = len(world.store.asked)
    for _ in range(10):
        world.pass_by(31)
        await process.look()
    assert len(world.store.asked) == queries  # of a store that has not changed only its revision is asked
    assert Process(world).watch.due() is None


async def test_one_that_cannot_be_measured_is_said_once_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = readings.read

    async def read(alert: Alert, *more: Any) -> Any:
        if alert.name == "broken":
            raise ZeroDivisionError
        return await real(alert, *more)

    monkeypatch.setattr(watch, "read", read)
    monkeypatch.setattr(watch, "swallowed", lambda _: None)  # in tests it raises
    process = Process(world, Alert("broken", "errors>5%"), REFUNDS)
    await world.calls(40, failed=40, route="/refund")
    with caplog.at_level(logging.WARNING, "miharu"):
        await process.settle()
        await process.settle()
    assert process.said == ["firing"]
    assert caplog.text.count("the alert 'broken' cannot be measured") == 1


async def test_a_child_that_was_forked_tells_nothing_of_its_parent(world: World) -> None:
    process = Process(world, REFUNDS)
    await world.calls(40, failed=40, route="/refund")
    await process.look()
    before = process.left[0].tags
    process.watch.after_fork()
    await process.settle()
    assert process.said == []  # the marker that was kept is the parent's
    assert before is not None
    assert process.firing == ["Refunds fail"]
