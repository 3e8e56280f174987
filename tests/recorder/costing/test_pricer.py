"""What budgets are charged: each call of this process once, as soon as its price is known."""

import pytest

from miharu.call import Call, Cost
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.costing.pricer import Pricer
from miharu.testing.store_contract import make_call


@pytest.fixture
def charged() -> list[str]:
    return []


@pytest.fixture
def pricer(charged: list[str]) -> Pricer:
    return Pricer(GenaiPrices, charge=lambda call: charged.append(call.id))


def unpriced(model: str = "gpt-4o") -> Call:
    return make_call(model=model, provider="openai", cost=None)


def test_a_call_that_waited_for_prices_is_charged_once_it_has_one(pricer: Pricer, charged: list[str]) -> None:
    waited = unpriced()
    assert pricer.at_once(waited).cost is None
    pricer.need()
    assert charged == []
    assert pricer.later(waited).cost is not None
    assert charged == [waited.id]


def test_a_call_of_another_process_is_priced_and_not_charged(pricer: Pricer, charged: list[str]) -> None:
    pricer.need()
    assert pricer.later(unpriced(), own=False).cost is not None
    assert charged == []


def test_a_call_that_had_its_price_was_charged_before(pricer: Pricer, charged: list[str]) -> None:
    pricer.need()
    stated = make_call(cost=Cost(cost_nanousd=5, cost_source="provider"))
    assert pricer.later(stated).cost == stated.cost
    assert charged == []


def test_a_call_without_a_price_is_not_charged(pricer: Pricer, charged: list[str]) -> None:
    pricer.need()
    assert pricer.later(unpriced("nobody-knows")).cost is None
    assert charged == []


def test_a_spooled_call_is_charged_when_prices_come_and_not_again(pricer: Pricer, charged: list[str]) -> None:
    waited = pricer.at_once(unpriced())
    pricer.spooled([waited])
    pricer.need()
    assert charged == [waited.id]
    assert pricer.of_a_spool([waited], own=True)[0].cost is not None
    assert charged == [waited.id]


def test_the_spool_of_another_process_is_not_charged(pricer: Pricer, charged: list[str]) -> None:
    assert pricer.of_a_spool([unpriced()], own=False)[0].cost is not None
    assert charged == []
