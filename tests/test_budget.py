import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import miharu
from miharu._budget import Budget, BudgetState, budgets_from, period_of
from miharu.config import Config
from miharu.errors import BudgetExceeded, ConfigError


def ms(*moment: int) -> int:
    return round(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def state(**facts: Any) -> BudgetState:
    defaults: dict[str, Any] = {
        "name": "10.00 USD a day",
        "key": None,
        "per": "day",
        "limit_nanousd": 10**10,
        "spent_nanousd": 0,
        "unpriced": 0,
        "starts": ms(2026, 11, 25),
        "ends": ms(2026, 11, 26),
        "refuses": False,
    }
    return BudgetState(**(defaults | facts))


@pytest.mark.parametrize(
    ("per", "at", "starts", "ends"),
    [
        ("hour", (2026, 11, 25, 18, 59, 59), (2026, 11, 25, 18), (2026, 11, 25, 19)),
        ("day", (2026, 11, 25, 0, 0, 0), (2026, 11, 25), (2026, 11, 26)),
        ("day", (2026, 12, 31, 23, 59, 59), (2026, 12, 31), (2027, 1, 1)),
        ("month", (2026, 11, 25, 18), (2026, 11, 1), (2026, 12, 1)),
        ("month", (2026, 12, 31, 23, 59, 59), (2026, 12, 1), (2027, 1, 1)),
        ("month", (2028, 2, 29), (2028, 2, 1), (2028, 3, 1)),
    ],
)
def test_a_period_is_one_of_the_clock_in_utc(per: Any, at: Any, starts: Any, ends: Any) -> None:
    assert period_of(per, ms(*at)) == (ms(*starts), ms(*ends))


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        ({"usd": 10}, "10.00 USD a day"),
        ({"usd": 0.005, "per": "hour"}, "0.005 USD an hour"),
        ({"usd": 0.000075}, "0.000075 USD a day"),
        ({"usd": 1234.5}, "1234.50 USD a day"),
        ({"usd": Decimal("2.50"), "per": "month", "each": "user"}, "2.50 USD a month, each user"),
        ({"usd": 1, "route": "POST /chat", "tag": ("team", "ads")}, "1.00 USD a day, POST /chat, team=ads"),
        ({"usd": 1, "name": "ads"}, "ads"),
    ],
)
def test_it_says_what_it_is(arguments: dict[str, Any], label: str) -> None:
    assert Budget(**arguments).label == label


def test_money_is_exact() -> None:
    assert Budget(0.1).limit_nanousd == 100_000_000
    assert Budget(Decimal("0.000000001")).limit_nanousd == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"usd": 0}, r"usd=0\): give US dollars"),
        ({"usd": -1}, "usd=-1"),
        ({"usd": float("nan")}, "usd=nan"),
        ({"usd": float("inf")}, "usd=inf"),
        ({"usd": True}, "usd=True"),
        ({"usd": "10"}, "usd='10'"),
        ({"usd": 1, "per": "week"}, r"per='week'\): choose one of 'hour', 'day', 'month'"),
        ({"usd": 1, "per": []}, "per="),
        ({"usd": 1, "each": "model"}, r"each='model'\): choose one of 'user', 'route'"),
        ({"usd": 1, "each": "user", "user": "ann"}, "user='ann' is one alone"),
        ({"usd": 1, "user": ""}, "user=''"),
        ({"usd": 1, "route": 7}, "route=7"),
        ({"usd": 1, "tag": "team"}, r"tag='team'\): .*\('team', 'search'\)"),
        ({"usd": 1, "tag": ("team",)}, "tag="),
        ({"usd": 1, "tag": ("team", 7)}, "tag="),
        ({"usd": 1, "refuse": "yes"}, r"refuse='yes'\): give True or False"),
        ({"usd": 1, "on_exceeded": "log"}, "on_exceeded='log'"),
        ({"usd": 1, "webhook": "example.com"}, r"webhook=…\): .*https://"),  # it may be a secret
        ({"usd": 1, "webhook": "https://[oops"}, "webhook="),
    ],
)
def test_nonsense_raises_and_says_what_would_make_sense(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Budget(**arguments)


def test_the_environment_says_the_commonest() -> None:
    assert budgets_from("10/day") == (Budget(10),)
    assert budgets_from("10") == (Budget(10),)
    assert budgets_from(" 0.5 / hour, 200/month ") == (Budget(0.5, "hour"), Budget(200, "month"))
    config = Config.resolve(environ={"MIHARU_BUDGET": "10/day"})
    assert config.budgets == (Budget(10),)


@pytest.mark.parametrize("text", ["ten", "10/week", "-1/day", "nan", ",", "10//day"])
def test_a_nonsense_environment_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"MIHARU_BUDGET=.*10/day") as raised:
        Config.resolve(environ={"MIHARU_BUDGET": text})
    assert raised.value.setting == "MIHARU_BUDGET"


def test_an_argument_wins_over_the_environment() -> None:
    environ = {"MIHARU_BUDGET": "10/day"}
    assert Config.resolve(budgets=[Budget(1)], environ=environ).budgets == (Budget(1),)
    assert Config.resolve(budgets=[], environ=environ).budgets == ()


def test_only_budgets_are_budgets() -> None:
    with pytest.raises(ConfigError, match=r"budgets=10: give miharu.Budget"):
        miharu.init(":memory:", budgets=[10])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="give a list"):
        miharu.init(":memory:", budgets=Budget(1))  # type: ignore[arg-type]


def test_a_state_says_how_it_stands() -> None:
    assert str(state(spent_nanousd=85 * 10**8)) == (
        "The budget '10.00 USD a day' is used to 85 percent: 8.50 of 10.00 USD since 2026-11-25 00:00 UTC"
    )
    over = state(spent_nanousd=10**10, key="ann", unpriced=3)
    assert str(over) == (
        "The budget '10.00 USD a day' of 'ann' is used up: 10.00 of 10.00 USD since 2026-11-25 00:00 UTC, "
        "besides 3 calls without a known price"
    )
    assert str(state(spent_nanousd=10**10, unpriced=1)).endswith("besides 1 call without a known price")
    assert (over.exceeded, over.share, over.limit_usd, over.spent_usd) == (True, 1.0, 10.0, 10.0)
    assert over.ends_at == "2026-11-26 00:00 UTC"


def test_the_exception_can_travel_between_processes() -> None:
    error: BudgetExceeded = pickle.loads(pickle.dumps(BudgetExceeded("no", state())))
    assert (str(error), error.state) == ("no", state())
    assert issubclass(BudgetExceeded, RuntimeError)
