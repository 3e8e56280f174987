from typing import Any

import pytest

from miharu._budget import Budget, period_of
from miharu.recorder.budgets.account import WHOLE
from miharu.recorder.budgets.sums import SETTLES_MS, SumsByScan, SumsKept, sums_for

from .world import HOUR, MORNING, USD, Counting, Desk

MINUTE = 60_000
TEAM = ("team", "ads")


@pytest.mark.parametrize(
    ("budget", "kind"),
    [
        ({}, SumsKept),
        ({"service": "s", "user": "u"}, SumsKept),
        ({"service": "s", "each": "route"}, SumsKept),
        ({"tag": TEAM}, SumsByScan),
        ({"route": "r", "user": "u"}, SumsByScan),
        ({"route": "r", "each": "user"}, SumsByScan),
    ],
)
def test_what_the_store_sums_up_is_not_looked_through(budget: dict[str, Any], kind: type) -> None:
    made = Budget(1, **budget)
    by = {"user": "user_id", "route": "route", None: None}[made.each]
    assert type(sums_for(made, by)) is kind  # type: ignore[arg-type]


async def test_what_has_settled_is_looked_through_once(store: Counting) -> None:
    desk = Desk(store=store)
    start, end = period_of("month", MORNING)
    await desk.store_away(
        *(desk.call(1, timestamp=at, tags=dict([TEAM])) for at in range(start, MORNING, 6 * HOUR))
    )
    sums = SumsByScan(Budget(1, "month", tag=TEAM), None, timer=lambda: 0.0)
    whole = await sums.ask(store, start, end, MORNING, {})
    assert sums.is_complete
    assert whole[WHOLE].nanousd == 98 * USD
    store.asked.clear()
    now = MORNING + 3 * MINUTE
    await desk.store_away(desk.call(5, timestamp=now, tags=dict([TEAM])), desk.call(50, timestamp=now))
    assert (await sums.ask(store, start, end, now, {}))[WHOLE].nanousd == 103 * USD
    [query] = store.asked
    assert query.start == MORNING - SETTLES_MS
    later = MORNING + 2 * HOUR
    assert (await sums.ask(store, start, end, later, {}))[WHOLE].nanousd == 103 * USD
    assert store.asked[-1].start == later - SETTLES_MS


async def test_much_is_looked_through_in_pieces(store: Counting) -> None:
    """It takes its time, and meanwhile tells what it knows."""
    desk = Desk(store=store)
    start, end = period_of("day", MORNING)
    await desk.store_away(
        *(desk.call(1, timestamp=at, user_id="u", route="r") for at in range(start, MORNING, HOUR // 6))
    )
    sums = SumsByScan(Budget(1, user="u", route="r"), None, timer=lambda: len(store.asked) * 0.3)
    seen, slices = [], []
    while not sums.is_complete:
        seen.append((await sums.ask(store, start, end, MORNING, {}))[WHOLE].nanousd // USD)
        slices.append(sums._slice)
    assert seen == sorted(seen)
    assert seen[-1] == 63
    assert len(seen) > 10
    assert min(slices) == 5 * MINUTE


async def test_each_of_them_is_added_up(store: Counting) -> None:
    desk = Desk(store=store)
    start, end = period_of("day", MORNING)
    for hours in (1, 5, 0):
        await desk.store_away(
            *(
                desk.call(1, timestamp=MORNING - hours * HOUR, user_id=user, tags=dict([TEAM]))
                for user in ("ann", "bob", None)
            )
        )
    sums = SumsByScan(Budget(1, tag=TEAM, each="user"), "user_id")
    found = await sums.ask(store, start, end, MORNING, {})
    assert {key: spent.nanousd // USD for key, spent in found.items()} == {"ann": 3, "bob": 3}


async def test_a_new_period_is_looked_through_anew(store: Counting) -> None:
    desk = Desk(store=store)
    await desk.store_away(desk.call(1, timestamp=MORNING - 2 * HOUR, tags=dict([TEAM])))
    sums = SumsByScan(Budget(1, tag=TEAM), None)
    start, end = period_of("day", MORNING)
    assert (await sums.ask(store, start, end, MORNING, {}))[WHOLE].nanousd == USD
    assert (await sums.ask(store, end, end + 24 * HOUR, end, {}))[WHOLE].nanousd == 0


async def test_budgets_that_differ_in_their_limit_alone_share_an_answer(store: Counting) -> None:
    memo: dict[object, Any] = {}
    start, end = period_of("day", MORNING)
    for usd in (1, 2):
        await SumsKept(Budget(usd, each="user"), "user_id").ask(store, start, end, MORNING, memo)
    assert len(store.asked) == 1
