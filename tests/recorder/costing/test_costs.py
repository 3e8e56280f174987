from typing import Any

import pytest

from miharu.call import Call, Cost, Usage
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.costing.costs import priced
from miharu.testing.store_contract import make_call


@pytest.fixture(scope="module")
def prices() -> GenaiPrices:
    return GenaiPrices()


def used(
    model: str = "gpt-4o", provider: str | None = "openai", missed: int | None = 4096, **usage: Any
) -> Call:
    tokens: dict[str, Any] = {
        "prompt_tokens": 5000,
        "completion_tokens": 100,
        "usage_source": "provider",
    } | usage
    return make_call(
        model=model, provider=provider, cost=None, cache_missed_tokens=missed, usage=Usage(**tokens)
    )


def test_a_miss_costs_what_a_cache_would_have_saved(prices: GenaiPrices) -> None:
    """4,096 tokens at 2.50 instead of 1.25 dollars a million."""
    call = priced(used(), prices)
    assert call.cost is not None
    assert (call.cost.cost_nanousd, call.cache_missed_tokens) == (13_500_000, 4096)
    assert call.cache_missed_nanousd == 4096 * 1250


def test_what_was_written_to_the_cache_would_not_have_been(prices: GenaiPrices) -> None:
    """Claude Sonnet 4.5: 3.75 to write, 0.30 to read, a million tokens."""
    written = {"cached_tokens": 0, "cache_write_tokens": 4500, "cache_write_5m_tokens": 4500}
    call = priced(used("claude-sonnet-4-5", "anthropic", **written), prices)
    assert call.cache_missed_nanousd == 4096 * (3750 - 300)


def test_what_is_written_for_an_hour_would_not_have_been_either(prices: GenaiPrices) -> None:
    written = {
        "cached_tokens": 0,
        "cache_write_tokens": 5000,
        "cache_write_5m_tokens": 1000,
        "cache_write_1h_tokens": 4000,
    }
    call = priced(used("claude-sonnet-4-5", "anthropic", **written), prices)
    assert call.cache_missed_nanousd == 1000 * (3750 - 300) + 3096 * (6000 - 300)


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4", "openai"), ("nobody-knows", "openai"), ("llama3", None)],
    ids=["no cheaper cache", "no price", "no provider"],
)
def test_without_a_cheaper_cache_there_is_no_miss(
    prices: GenaiPrices, model: str, provider: str | None
) -> None:
    call = priced(used(model, provider), prices)
    assert (call.cache_missed_tokens, call.cache_missed_nanousd) == (None, None)


def test_without_prices_there_is_no_miss() -> None:
    assert priced(used(), None).cache_missed_tokens is None


def test_a_cost_that_was_stated_stays_and_the_miss_goes_by_the_price_list(prices: GenaiPrices) -> None:
    stated = Cost(cost_nanousd=7, cost_source="provider")
    call = used()
    call = priced(make_call(**{**_facts(call), "cost": stated}), prices)
    assert call.cost == stated
    assert call.cache_missed_nanousd == 4096 * 1250


def test_it_is_the_same_when_it_is_done_again(prices: GenaiPrices) -> None:
    once = priced(used(), prices)
    assert priced(once, prices) == once


def test_prices_that_fail_cost_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")

    class Broken:
        def cost(self, call: Call) -> Cost | None:
            raise ValueError

    assert priced(used(), Broken()).cost is None


def _facts(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in Call.__slots__}
