from pathlib import Path
from typing import Any

import pytest

from miharu._budget import Budget, Each, period_of
from miharu.errors import BudgetExceeded, StoreError
from miharu.recorder.budgets import Caller, ledger, sums
from miharu.recorder.budgets.account import NEAR

from .world import HOUR, MORNING, Counting, Desk


async def test_a_call_counts_from_its_reading_on_and_once(store: Counting) -> None:
    desk = Desk(Budget(10), store=store)
    first = desk.spend(3)
    await desk.store_away(first)
    await desk.refresh()
    assert desk.spent == [(None, 3.0, 0)]
    desk.spend(4)
    await desk.refresh(0.6)
    assert desk.spent == [(None, 7.0, 0)]


async def test_what_others_spend_counts_too(store: Counting) -> None:
    desk, other = Desk(Budget(10), store=store), Desk(store=store)
    await desk.store_away(other.call(2), other.call(3))
    await desk.refresh()
    assert desk.spent == [(None, 5.0, 0)]


async def test_what_has_no_price_is_told_beside_the_sum(store: Counting) -> None:
    desk = Desk(Budget(10), store=store)
    await desk.store_away(desk.spend(None), desk.spend(1))
    assert desk.ledger.states[0].is_known is False
    await desk.refresh()
    desk.spend(None)
    await desk.refresh(0.6)
    assert desk.spent == [(None, 1.0, 2)]
    assert desk.ledger.states[0].is_known is True


async def test_it_refuses_from_the_limit_on(store: Counting) -> None:
    desk = Desk(Budget(2, refuse=True), store=store)
    desk.spend(1.99)
    assert not desk.refuses()
    desk.spend(0.01)
    assert desk.refuses()
    assert desk.refuses()
    assert desk.ledger.refusals.count == 2


async def test_without_refuse_nobody_is_refused(store: Counting) -> None:
    desk = Desk(Budget(2), store=store)
    desk.spend(5)
    assert not desk.refuses()


async def test_the_message_names_budget_limit_spending_end_and_remedy() -> None:
    desk = Desk(Budget(2, each="user", refuse=True))
    desk.spend(2.5, user_id="ann")
    with pytest.raises(BudgetExceeded) as raised:
        desk.ledger.refusals.admit(lambda: Caller(user_id="ann"))
    text = str(raised.value)
    for part in (
        "2.00 USD a day, each user",
        "'ann'",
        "2.50 of 2.00 USD",
        "2026-11-26 00:00 UTC",
        "refuse=False",
    ):
        assert part in text
    assert raised.value.state is not None
    assert raised.value.state.exceeded


async def test_it_is_said_once_near_the_limit_and_once_at_it(store: Counting) -> None:
    desk = Desk(Budget(10), store=store)
    for _ in range(12):
        await desk.store_away(desk.spend(1))
        await desk.refresh()
    assert [round(state.share, 1) for state in desk.told.states] == [NEAR, 1.0]
    desk = Desk(Budget(10), store=store)
    await desk.refresh()
    assert [state.spent_usd for state in desk.told.states] == [12.0]


async def test_a_new_period_begins_with_nothing(store: Counting) -> None:
    """A refusal ends by the clock, though no worker came by; a call belongs to the period of its start."""
    desk = Desk(Budget(2, "hour", refuse=True), Budget(100), store=store)
    late = desk.spend(5)
    await desk.store_away(late)
    await desk.refresh()
    assert desk.refuses()
    desk.at += HOUR
    assert not desk.refuses()
    await desk.store_away(desk.spend(7, timestamp=desk.at - HOUR))
    await desk.refresh(0)
    assert desk.spent == [(None, 0.0, 0), (None, 12.0, 0)]
    desk.spend(2)
    assert desk.refuses()
    assert [state.name for state in desk.told.states] == ["2.00 USD an hour"] * 2
    assert desk.told.states[0].ends == desk.told.states[1].starts


@pytest.mark.parametrize(
    ("budget", "mine", "others"),
    [
        ({"user": "ann"}, {"user_id": "ann"}, {"user_id": "bob"}),
        ({"route": "POST /chat"}, {"route": "POST /chat"}, {"route": "GET /"}),
        ({"service": "shop"}, {"service": "shop"}, {"service": "desk"}),
        ({"tag": ("team", "ads")}, {"tags": {"team": "ads"}}, {"tags": {"team": "search"}}),
        (
            {"user": "ann", "route": "POST /chat"},
            {"user_id": "ann", "route": "POST /chat"},
            {"user_id": "ann", "route": "GET /"},
        ),
        ({"each": "user", "tag": ("a", "b")}, {"user_id": "ann", "tags": {"a": "b"}}, {"user_id": "ann"}),
    ],
)
async def test_a_budget_is_for_whom_it_says(
    store: Counting, budget: dict[str, Any], mine: dict[str, Any], others: dict[str, Any]
) -> None:
    desk = Desk(Budget(2, refuse=True, **budget), store=store)
    calls = [desk.spend(1.5, **mine), desk.spend(9, **others), desk.spend(9)]
    assert not desk.refuses(**mine)
    await desk.store_away(*calls)
    await desk.refresh()
    assert [spent for _, spent, _ in desk.spent] == [1.5]
    desk.spend(1, **mine)
    assert desk.refuses(**mine)
    assert not desk.refuses(**others)
    assert not desk.refuses()


async def test_each_user_has_a_limit_of_their_own(store: Counting) -> None:
    desk = Desk(Budget(2, each="user", refuse=True), store=store)
    await desk.store_away(
        *(desk.call(1, user_id=user) for user in ("ann", "ann", "bob", "carl")), desk.call(50)
    )
    await desk.refresh()
    assert [desk.refuses(user_id=user) for user in ("ann", "bob", "carl", None)] == [
        True,
        False,
        False,
        False,
    ]
    assert desk.spent == [("ann", 2.0, 0), ("carl", 1.0, 0), ("bob", 1.0, 0)]
    desk.spend(1.5, user_id="dora")
    desk.spend(1, user_id="bob")
    assert [desk.refuses(user_id=user) for user in ("bob", "dora")] == [True, False]
    assert [state.key for state in desk.told.states] == ["ann", "bob"]


async def test_nobody_near_the_limit_is_missed_among_many(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MOST", 5)
    desk = Desk(*(Budget(2, each=each, refuse=True) for each in ("user", "route")), store=store)
    names = [f"n{i}" for i in range(40)]
    await desk.store_away(
        *(desk.call(2 + i / 100, user_id=name, route=name) for i, name in enumerate(names)),
        desk.call(1, user_id="x", route="x"),
    )
    await desk.refresh()
    assert all(desk.refuses(user_id=name) and desk.refuses(route=name) for name in names)
    assert not desk.refuses(user_id="x", route="x")
    few = Desk(Budget(100, each="user", refuse=True), store=store)
    store.asked.clear()
    await few.refresh()
    assert len(store.asked) == 1


async def test_a_restart_keeps_the_sum(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}"
    store = Counting(url)
    await store.open()
    desk = Desk(Budget(2, "month", refuse=True), store=store)
    await desk.store_away(desk.spend(3, timestamp=MORNING - 20 * 24 * HOUR))
    await store.close()
    store = Counting(url)
    await store.open()
    desk = Desk(Budget(2, "month", refuse=True), store=store)
    assert not desk.refuses()
    await desk.refresh()
    assert desk.refuses()
    await store.close()


async def test_a_store_that_is_gone_leaves_what_was_known_and_our_own(store: Counting) -> None:
    desk = Desk(Budget(10, refuse=True), store=store)
    await desk.store_away(desk.spend(6))
    await desk.refresh()
    store.refuses = True
    await desk.store_away(desk.spend(3))
    await desk.refresh()
    assert desk.spent == [(None, 9.0, 0)]
    desk.spend(1)
    assert desk.refuses()
    store.refuses = False
    await desk.refresh(60)
    assert desk.spent == [(None, 9.0, 0)]
    assert not desk.refuses()


@pytest.mark.parametrize("error", [StoreError("locked"), ArithmeticError("integer overflow")])
@pytest.mark.parametrize("question", ["revision", "totals", "groups"])
async def test_what_cannot_be_read_is_not_taken_for_zero(
    store: Counting,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    question: str,
) -> None:
    """Each process would else begin with nothing spent."""
    monkeypatch.delenv("MIHARU_UNGUARDED")
    each: Each | None = "user" if question == "groups" else None

    async def broken(*_: Any, **__: Any) -> Any:
        raise error

    desk = Desk(Budget(5, refuse=True, each=each), Budget(5, name="soft", each=each), store=store)
    assert not desk.refuses(user_id="ann")  # nothing was asked yet
    with monkeypatch.context() as failing:
        failing.setattr(store, question, broken)
        await desk.refresh()
        assert not desk.refuses(user_id="ann")  # once is a moment's trouble
        await desk.refresh(3)
        with pytest.raises(BudgetExceeded, match=r"cannot be read from the database. This call was not sent"):
            desk.ledger.refusals.admit(lambda: Caller(user_id="ann"))
        assert all(state.is_unread for state in desk.ledger.states)
        if each:  # calls without a user are none of its affair
            assert not desk.refuses()
        assert "'soft' since" in caplog.text
        assert "only this process's own count" in caplog.text
        assert "its calls are refused" in caplog.text
    await desk.refresh(6)
    assert not desk.refuses(user_id="ann")
    assert not any(state.is_unread for state in desk.ledger.states)
    with monkeypatch.context() as failing:
        failing.setattr(store, question, broken)
        for wait in (9, 12, 15):
            await desk.refresh(wait)
        assert not desk.refuses(user_id="ann")  # what was known before still counts


async def test_a_failure_of_ours_stops_nothing(store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    desk = Desk(Budget(2, refuse=True), store=store)
    desk.spend(3)

    async def broken() -> int:
        raise LookupError

    monkeypatch.setattr(store, "revision", broken)
    await desk.refresh()
    assert desk.spent == [(None, 3.0, 0)]

    def nobody() -> Caller:
        raise LookupError

    desk.ledger.refusals.admit(nobody)
    assert desk.ledger.refusals.count == 0


async def test_the_store_is_asked_when_something_has_changed_and_not_too_often(store: Counting) -> None:
    desk = Desk(Budget(10), Budget(20, refuse=True), store=store)
    await desk.refresh()
    assert len(store.asked) == 1
    await desk.refresh()
    assert len(store.asked) == 1
    await desk.store_away(desk.spend(0.5))
    await desk.refresh(1)
    assert len(store.asked) == 1
    await desk.refresh(1.1)
    assert len(store.asked) == 2
    await desk.store_away(desk.spend(16))
    await desk.refresh(2.1)
    assert len(store.asked) == 3
    await desk.store_away(desk.spend(1))
    await desk.refresh(0.6)
    assert len(store.asked) == 4
    await desk.refresh(0, at_once=True)
    assert len(store.asked) == 4


async def test_the_store_is_asked_in_haste_while_much_is_spent(store: Counting) -> None:
    """Others may be spending as much, and the limit is near before anybody knows."""
    desk = Desk(Budget(100, refuse=True), Budget(1000), store=store)
    await desk.refresh()
    await desk.store_away(desk.spend(4))
    await desk.refresh(0.3)
    assert len(store.asked) == 1
    await desk.store_away(desk.spend(1))
    await desk.refresh(0)
    assert len(store.asked) == 2
    await desk.store_away(desk.spend(5))
    await desk.refresh(0.1)
    assert len(store.asked) == 2
    await desk.refresh(0.2)
    assert len(store.asked) == 3


async def test_a_store_that_takes_long_is_asked_less(store: Counting) -> None:
    desk = Desk(Budget(10), store=store)
    real = store.totals

    async def slow(query: Any) -> Any:
        desk.seconds += 1
        return await real(query)

    store.totals = slow  # type: ignore[method-assign]
    await desk.refresh()
    await desk.store_away(desk.spend(1))
    await desk.refresh(19)
    assert len(store.asked) == 1
    await desk.refresh(2)
    assert len(store.asked) == 2


async def test_what_is_charged_while_the_store_is_asked_is_not_forgotten(store: Counting) -> None:
    """Calls are read meanwhile, by the thread that waits for the answer."""
    desk = Desk(Budget(10), store=store)
    real = store.totals

    async def meanwhile(query: Any) -> Any:
        desk.spend(4)
        return await real(query)

    await desk.store_away(desk.spend(3))
    store.totals = meanwhile  # type: ignore[method-assign]
    await desk.refresh()
    assert desk.spent == [(None, 7.0, 0)]


async def test_in_a_child_what_is_known_still_holds(store: Counting) -> None:
    desk = Desk(Budget(2, refuse=True), store=store)
    await desk.store_away(desk.spend(3))
    await desk.refresh()
    assert desk.refuses()
    desk.ledger.after_fork()
    assert desk.ledger.refusals.count == 0
    assert desk.refuses()


async def test_without_budgets_there_is_nothing_to_do(store: Counting) -> None:
    desk = Desk(store=store)
    desk.spend(3)
    await desk.refresh()
    assert (desk.spent, store.asked, desk.refuses()) == ([], [], False)
    desk.ledger.close()


async def test_a_period_has_its_first_moment_and_not_that_of_the_next(store: Counting) -> None:
    desk = Desk(Budget(100, "hour"), store=store)
    start, end = period_of("hour", MORNING)
    await desk.refresh()
    for usd, at in ((1, start - 1), (2, start), (4, end - 1), (8, end)):
        desk.spend(usd, timestamp=at)
    await desk.refresh(0.6)
    assert desk.spent == [(None, 6.0, 0)]


async def test_the_store_is_asked_again_until_all_of_a_period_is_looked_through(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing has changed in it: an incomplete sum is not a known one."""

    def slowly(budget: Budget, by: Any) -> sums.SumsByScan:
        return sums.SumsByScan(budget, by, timer=lambda: len(store.asked) * 0.3)

    monkeypatch.setattr(ledger, "sums_for", slowly)
    desk = Desk(Budget(100, tag=("team", "a")), store=store)
    start, _ = period_of("day", MORNING)
    await desk.store_away(
        *(desk.call(1, timestamp=at, tags={"team": "a"}) for at in range(start, MORNING, HOUR // 6))
    )
    await desk.refresh()
    assert desk.spent[0][1] < 63.0
    for _ in range(200):
        await desk.refresh()
    assert desk.spent == [(None, 63.0, 0)]
