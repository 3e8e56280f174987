"""A cost, line by line: the lines are the cost."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Call, Outcome, Usage
from miharu.pricing.explain import explain, list_price
from miharu.pricing.genai import GenaiPrices

PRICES = GenaiPrices()
AT = 1_795_443_630_000


def call(model: str, provider: str | None, **usage: object) -> Call:
    return Call(
        id="x",
        timestamp=AT,
        api="openai.responses",
        model=model,
        provider=provider,
        outcome=Outcome(status="success"),
        usage=Usage(usage_source="provider", **usage),  # type: ignore[arg-type]
    )


def test_names_each_kind_with_its_price() -> None:
    found = explain(
        PRICES,
        call(
            "claude-sonnet-4-5",
            "anthropic",
            prompt_tokens=24_837,
            cached_tokens=15_386,
            completion_tokens=1930,
        ),
    )
    assert found is not None
    assert [(line.kind, int(line.count), line.price.normalize(), line.per) for line in found.lines] == [
        ("Input", 9451, Decimal(3), "million"),
        ("Read from cache", 15_386, Decimal("0.3"), "million"),
        ("Output", 1930, Decimal(15), "million"),
    ]
    assert found.source.startswith("genai-prices ")
    assert (found.provider, found.model) == ("Anthropic", "Claude Sonnet 4.5")
    assert found.page is not None
    assert found.page.startswith("https://")


def test_names_what_is_paid_beside_tokens() -> None:
    raw = json.dumps({"tool_calls": {"web_search_call": 2}})
    found = explain(PRICES, call("gpt-5", "openai", prompt_tokens=10, completion_tokens=1, usage_raw=raw))
    assert found is not None
    assert [(line.kind, line.per) for line in found.lines] == [
        ("Input", "million"),
        ("Output", "million"),
        ("Web searches", "thousand"),
    ]


@given(
    st.sampled_from(
        [("gpt-5", "openai"), ("claude-sonnet-4-5", "anthropic"), ("gemini-3.5-flash", "gcp.gemini")]
    ),
    st.integers(1, 400_000),
    st.floats(0, 1),
    st.integers(0, 50_000),
)
def test_adds_up_to_the_cost(model: tuple[str, str], prompt: int, share: float, completion: int) -> None:
    one = call(*model, prompt_tokens=prompt, cached_tokens=int(prompt * share), completion_tokens=completion)
    cost, found = PRICES.cost(one), explain(PRICES, one)
    assert cost is not None
    assert found is not None
    assert found.nanousd == cost.cost_nanousd
    assert round(sum(line.nanousd for line in found.lines)) == cost.cost_nanousd


@pytest.mark.parametrize("model", ["house-7b", ""])
def test_explains_nothing_of_what_has_no_price(model: str) -> None:
    assert explain(PRICES, call(model, None, prompt_tokens=10)) is None


def test_knows_the_list_price_of_a_model() -> None:
    found = list_price(PRICES, "gpt-5-mini", "openai", AT)
    assert found is not None
    assert (found.input, found.output, found.cached) == (Decimal("0.25"), Decimal(2), Decimal("0.025"))
    assert list_price(PRICES, "house-7b", None, AT) is None
    tiers = list_price(PRICES, "claude-sonnet-4-5", "anthropic", AT)
    assert tiers is not None
    assert tiers.input == Decimal(3)


def test_half_a_nano_dollar_goes_to_the_even_one() -> None:
    """As it does in the cost that is explained: 2.5 nano-dollars."""
    one = call("gpt-5-nano", "openai", prompt_tokens=1, cached_tokens=1, completion_tokens=0)
    flex = replace(one, service_tier="flex")
    assert explain(PRICES, replace(flex, cost=PRICES.cost(flex))) is not None
