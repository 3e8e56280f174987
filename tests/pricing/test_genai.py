from datetime import UTC, datetime
from typing import Any

import pytest

from miharu.call import Call, Cost, Outcome, Usage
from miharu.pricing.genai import GenaiPrices

PRICES = GenaiPrices()
NOVEMBER = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)


def cost(
    model: str | None, provider: str | None = "openai", *, when: int = NOVEMBER, **facts: Any
) -> Cost | None:
    names = ("service_tier", "request_model")
    own = {name: facts.pop(name) for name in names if name in facts}
    usage = Usage(**{"prompt_tokens": 1000, "completion_tokens": 10, **facts})
    return PRICES.cost(
        Call(
            id="1",
            timestamp=when,
            api="openai.chat",
            model=model,
            provider=provider,
            outcome=Outcome(status="success"),
            usage=usage,
            **own,
        )
    )


def nano(*arguments: Any, **facts: Any) -> int | None:
    found = cost(*arguments, **facts)
    return found.cost_nanousd if found else None


def test_tokens_times_price() -> None:
    # gpt-4o: 2.50 $ and 10 $ a million
    assert nano("gpt-4o") == 1000 * 2500 + 10 * 10_000


def test_a_cached_token_is_cheaper_and_counted_once() -> None:
    assert nano("gpt-4o", cached_tokens=400) == 600 * 2500 + 400 * 1250 + 10 * 10_000


def test_a_cache_write_has_its_price() -> None:
    # gpt-6.1-sol: 2 $, 2.50 $ for writes, 0.10 $ for reads, 10 $
    assert nano("gpt-6.1-sol", cache_write_tokens=500, cached_tokens=100) == (
        400 * 2000 + 500 * 2500 + 100 * 100 + 10 * 10_000
    )


def test_reasoning_is_part_of_the_completion() -> None:
    assert nano("gpt-6.1-sol", reasoning_tokens=8) == nano("gpt-6.1-sol")


def test_a_service_tier_has_its_price() -> None:
    assert nano("gpt-4o", service_tier="priority") == 1000 * 4250 + 10 * 17_000
    assert nano("gpt-4o", service_tier="default") == nano("gpt-4o")
    assert nano("gpt-4o", service_tier="auto") == nano("gpt-4o")


@pytest.mark.parametrize(
    "facts",
    [
        {"model": "gpt-4o", "service_tier": "flex"},  # gpt-4o has no flex price
        {"model": "gpt-4o", "service_tier": "scale"},
        {"model": "gpt-4o", "provider": "azure.ai.openai", "service_tier": "priority"},
        {"model": "gpt-from-the-future-99"},
        {"model": None},
        {"model": "llama3.2:3b", "provider": None},
        {"model": "mistral:7b", "provider": None},
        {"model": "gpt-4o", "prompt_tokens": None, "completion_tokens": None},
        {"model": "gpt-4o", "prompt_tokens": 10, "cached_tokens": 100},  # a part larger than its whole
    ],
)
def test_what_is_not_known_has_no_price(facts: dict[str, Any]) -> None:
    assert cost(facts.pop("model"), facts.pop("provider", "openai"), **facts) is None


def test_long_prompts_have_their_tier() -> None:
    assert nano("gpt-5.4", prompt_tokens=272_001) == 272_001 * 5000 + 10 * 22_500


def test_a_price_has_its_date() -> None:
    june = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
    assert nano("gpt-5.6-terra", when=june) == 1000 * 2500 + 10 * 15_000
    assert nano("gpt-5.6-terra") == 1000 * 2000 + 10 * 12_000


def test_the_requested_model_helps_where_the_answer_names_a_deployment() -> None:
    assert nano("my-deployment", "azure.ai.openai", request_model="gpt-4o") == nano("gpt-4o")


def test_behind_an_unknown_host_the_name_is_enough_for_closed_models_and_says_so() -> None:
    found = cost("gpt-4o", None)
    assert found is not None
    assert found.cost_source == "genai-prices:model"
    known = cost("gpt-4o")
    assert known is not None
    assert (known.cost_source, found.cost_nanousd) == ("genai-prices", known.cost_nanousd)
    assert (known.price_version or "").startswith("genai-prices ")
    assert nano("openai/gpt-4o", None) == nano("gpt-4o")
    assert nano("text-embedding-3-small", None, completion_tokens=None) == 1000 * 20


def test_rounding_is_half_even_to_a_nano_dollar() -> None:
    # 0.02 $ a million is 20 nano-dollars a token; cached gpt-5-nano is 5 a thousand tokens
    assert nano("text-embedding-3-small", prompt_tokens=1, completion_tokens=None) == 20
