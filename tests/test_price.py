from decimal import Decimal
from typing import Any

import pytest

import miharu
from miharu.config import Config


def test_amounts_are_taken_as_they_were_written() -> None:
    price = miharu.Price(input=0.1, output="0.30", cached_input=Decimal("0.01"), per_search=1)
    assert price.amounts() == {
        "input": Decimal("0.1"),
        "output": Decimal("0.30"),
        "cached_input": Decimal("0.01"),
        "per_search": Decimal(1),
    }


def test_a_free_model_has_a_price_of_nothing() -> None:
    assert miharu.Price(input=0, output=0).amounts() == {"input": Decimal(0), "output": Decimal(0)}


@pytest.mark.parametrize(
    "amount", [-1, -0.5, "much", "", float("nan"), float("inf"), True, [], 1j, "1e400", Decimal("sNaN")]
)
@pytest.mark.parametrize("name", ["input", "output", "cached_input", "per_request", "per_search"])
def test_a_nonsense_amount_is_refused_by_name(name: str, amount: Any) -> None:
    with pytest.raises(miharu.ConfigError, match=rf"Price\({name}=.*give US dollars"):
        miharu.Price(**{name: amount})


def test_a_price_without_any_amount_is_refused() -> None:
    with pytest.raises(miharu.ConfigError, match="at least one amount"):
        miharu.Price()


def test_it_is_frozen() -> None:
    with pytest.raises(AttributeError):
        miharu.Price(input=1).input = 2  # type: ignore[misc]


PRICE = miharu.Price(input=0.5, output=2)


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ({"m": 0.5}, r"prices\['m'\]=0.5: give miharu.Price objects by model"),
        ({"m": {"input": 1}}, r"prices\['m'\]="),
        ({7: PRICE}, "prices=7: it is not the name of a model"),
        ({"": PRICE}, "it is not the name of a model"),
        ({"  ": PRICE}, "it is not the name of a model"),
        ([PRICE], "has no method cost"),
        (PRICE, "has no method cost"),
    ],
)
def test_a_nonsense_table_is_refused(prices: Any, words: str) -> None:
    with pytest.raises(miharu.ConfigError, match=words):
        Config.resolve(":memory:", prices=prices, environ={})


def test_a_table_that_changes_later_changes_nothing() -> None:
    table = {"m": PRICE}
    config = Config.resolve(":memory:", prices=table, environ={})
    same = Config.resolve(":memory:", prices={"m": miharu.Price(input=0.5, output=2)}, environ={})
    assert config == same
    table["other"] = PRICE
    assert config == same


def test_updates_are_off_unless_asked_for() -> None:
    assert not Config.resolve(":memory:", environ={}).update_prices
    assert Config.resolve(":memory:", update_prices=True, environ={}).update_prices
    with pytest.raises(miharu.ConfigError, match="update_prices='yes': give True or False"):
        Config.resolve(":memory:", update_prices="yes", environ={})  # type: ignore[arg-type]
