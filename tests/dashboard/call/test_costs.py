"""What a cost is made of, and what is said where that cannot be told."""

from dataclasses import replace

import pytest

from miharu.call import Call, Cost, Outcome, Usage
from miharu.dashboard.call.costs import costs
from miharu.dashboard.queries import list_prices
from miharu.pricing.genai import GenaiPrices

pytestmark = pytest.mark.anyio

CALL = Call(
    id="x",
    timestamp=1_795_000_000_000,
    api="openai.chat",
    model="gpt-4o-mini",
    provider="openai",
    outcome=Outcome(status="success", http_status=200),
    usage=Usage(prompt_tokens=1_000_000, completion_tokens=2000, usage_source="provider"),
)


def priced(call: Call) -> Call:
    return replace(call, cost=GenaiPrices().cost(call))


async def test_each_kind_has_a_line_and_they_add_up() -> None:
    found = await costs(priced(CALL), "")
    assert [(line.kind, line.count, line.price) for line in found.lines] == [
        ("Input", "1,000,000", "$0.15 a million"),
        ("Output", "2,000", "$0.60 a million"),
    ]
    assert found.source.startswith("OpenAI's price for ")
    assert "November 2026" in found.source
    assert found.page is not None
    assert not found.differs


async def test_without_a_cost_there_is_the_reason() -> None:
    assert (await costs(CALL, "No known price.")).source == "No known price."


async def test_a_cost_of_the_provider_is_its_own_word() -> None:
    stated = Cost(cost_nanousd=5, cost_source="provider", price_version=None)
    found = await costs(replace(CALL, cost=stated), "")
    assert found.source == "The provider stated this cost itself."
    assert not found.lines


async def test_a_price_by_the_name_alone_is_said_to_be_one() -> None:
    found = await costs(priced(replace(CALL, provider=None)), "")
    assert found.source.endswith(", found by the model's name alone.")


async def test_a_cost_of_another_list_is_kept_and_the_difference_said() -> None:
    recorded = Cost(cost_nanousd=7, cost_source="genai-prices", price_version="genai-prices 0.0.1")
    found = await costs(replace(CALL, cost=recorded), "")
    assert not found.lines
    assert found.differs.startswith("Recorded by genai-prices 0.0.1.")
    assert found.differs.endswith("says $0.1512.")


async def test_a_price_of_somebody_elses_is_named_as_it_is() -> None:
    own = Cost(cost_nanousd=7, cost_source="contract", price_version="contract 2026")
    assert (await costs(replace(CALL, cost=own), "")).source == "Price from contract 2026."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("own", "By a price of your own, given to miharu.init(prices=…)."),
        ("gateway-cache:cloudflare", "Cloudflare answered out of its cache, so no provider was asked."),
        ("not-billed:refusal", "A refusal before any output is not billed."),
        ("not-billed:provider", "The provider says that it is not billed."),
        ("not-billed:something-new", "It is not billed."),
    ],
)
async def test_each_source_is_said_in_words(source: str, said: str) -> None:
    found = await costs(replace(CALL, cost=Cost(cost_nanousd=0, cost_source=source)), "")
    assert (found.source, list(found.lines)) == (said, [])


async def test_a_surcharge_of_the_place_is_said_and_in_the_lines() -> None:
    used = Usage(prompt_tokens=1000, completion_tokens=10, usage_source="provider")
    regional = replace(CALL, model="gpt-5.4", host="eu.api.openai.com", usage=used)
    found = await costs(priced(regional), "")
    assert [line.price for line in found.lines] == ["$2.75 a million", "$16.50 a million"]
    assert found.source.endswith(", 1.1 times the list's price, for where it was answered.")


async def test_without_a_list_the_source_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    call = priced(CALL)

    def broken(_: GenaiPrices) -> None:
        raise ImportError

    list_prices._load.cache_clear()
    monkeypatch.setattr(GenaiPrices, "__init__", broken)
    found = await costs(call, "")
    list_prices._load.cache_clear()
    assert found.source.startswith("Price from genai-prices")
    assert not found.lines
