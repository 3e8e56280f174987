"""A table of one's own prices, on top of the built-in ones."""

import json
from typing import Any

import pytest

from miharu import Price
from miharu.call import Call, Cost, Outcome, Usage
from miharu.pricing.own import OwnPrices
from tests.pricing.paid import PRICES

TABLE = {
    "my-model": Price(input=0.5, output=2),
    "cheap-*": Price(input=0.1, output=0.2),
    "cheap-but-good-*": Price(input=0.3, output=0.4),
    "cheap-exact": Price(input=9, output=9),
    "azure.ai.openai/gpt-4o": Price(input=1, output=1),
    "llm.internal:8000/qwen3*": Price(input=0, output=0),
    "Org/Named-Model": Price(input=4, output=4),
    "cached": Price(input=1, output=1, cached_input=0.25, cache_write=2, cache_write_1h=3),
    "written": Price(input=1, output=1, cache_write=2),
    "by-request": Price(per_request=0.01),
    "both": Price(input=1, output=1, per_request=0.01, per_search=0.02),
    "heard": Price(input=1, output=1, audio_input=10, audio_output=20),
    "embedding": Price(input=1),
}
OWN = OwnPrices(TABLE, PRICES)


def cost(
    model: str | None, usage: dict[str, Any] | None = None, raw: dict[str, Any] | None = None, **facts: Any
) -> Cost | None:
    counted = {"prompt_tokens": 1000, "completion_tokens": 100, **(usage or {})}
    return OWN.cost(
        Call(
            id="x",
            timestamp=1_795_443_630_000,
            outcome=Outcome(status="success"),
            usage=Usage(**counted, usage_raw=json.dumps(raw) if raw else None, usage_source="provider"),
            **{"api": "openai.chat", "model": model, **facts},
        )
    )


def nano(*arguments: Any, **facts: Any) -> int | None:
    found = cost(*arguments, **facts)
    return found.cost_nanousd if found else None


def test_dollars_a_million_tokens() -> None:
    found = cost("my-model")
    assert found == Cost(cost_nanousd=1000 * 500 + 100 * 2000, cost_source="own")


@pytest.mark.parametrize(
    ("facts", "each"),
    [
        ({"model": "MY-MODEL"}, (500, 2000)),
        ({"model": "gpt-4o-2024-08-06", "request_model": "my-model"}, (500, 2000)),
        ({"model": "my-model-2"}, None),
        ({"model": "cheap-1"}, (100, 200)),
        ({"model": "cheap-but-good-1"}, (300, 400)),
        ({"model": "cheap-exact"}, (9000, 9000)),
        ({"model": "org/named-model"}, (4000, 4000)),
        ({"model": "named-model"}, None),
        ({"model": "gpt-4o", "provider": "azure.ai.openai"}, (1000, 1000)),
        ({"model": "gpt-4o", "provider": "openai"}, (2500, 10_000)),
        ({"model": "qwen3-8b", "host": "llm.internal:8000"}, (0, 0)),
        ({"model": "qwen3-8b", "host": "llm.internal:9000"}, None),
        ({"model": "qwen3-8b"}, None),
        ({"model": None}, None),
    ],
)
def test_names_are_exact_or_patterns_and_may_say_whose_they_are(
    facts: dict[str, Any], each: tuple[int, int] | None
) -> None:
    assert nano(**facts) == (None if each is None else 1000 * each[0] + 100 * each[1])


@pytest.mark.parametrize(
    ("model", "usage", "expected"),
    [
        # what is not told costs as the input does
        ("my-model", {"cached_tokens": 400}, 1000 * 500 + 100 * 2000),
        ("my-model", {"cache_write_tokens": 400}, 1000 * 500 + 100 * 2000),
        ("cached", {"cached_tokens": 400}, 600 * 1000 + 400 * 250 + 100 * 1000),
        (
            "written",
            {"cache_write_tokens": 400, "cache_write_5m_tokens": 300, "cache_write_1h_tokens": 100},
            600 * 1000 + 400 * 2000 + 100 * 1000,
        ),
        ("cached", {"cache_write_tokens": 400}, 600 * 1000 + 400 * 2000 + 100 * 1000),
        (
            "cached",
            {"cache_write_tokens": 400, "cache_write_5m_tokens": 300, "cache_write_1h_tokens": 100},
            600 * 1000 + 300 * 2000 + 100 * 3000 + 100 * 1000,
        ),
        ("by-request", {}, 10_000_000),
        ("by-request", {"prompt_tokens": None, "completion_tokens": None}, 10_000_000),
        ("both", {}, 1000 * 1000 + 100 * 1000 + 10_000_000),
        ("my-model", {"audio_input_tokens": 10}, None),
        ("heard", {"audio_input_tokens": 10}, 990 * 1000 + 10 * 10_000 + 100 * 1000),
        ("my-model", {"image_input_tokens": 10}, 1000 * 500 + 100 * 2000),
        ("embedding", {"completion_tokens": None}, 1000 * 1000),
        ("embedding", {}, None),
        ("my-model", {"prompt_tokens": None, "completion_tokens": None}, None),
        ("my-model", {"cached_tokens": 4000}, None),  # a part larger than its whole
    ],
)
def test_every_kind_needs_a_price(model: str, usage: dict[str, Any], expected: int | None) -> None:
    assert nano(model, usage) == expected


def test_a_search_needs_one_too() -> None:
    raw = {"server_tool_use": {"web_search_requests": 2}}
    assert nano("my-model", raw=raw) is None
    assert nano("both", raw=raw) == 1100 * 1000 + 10_000_000 + 2 * 20_000_000
    assert nano("both", raw={"mystery_tokens": 1}) is None
    queries = {"miharu": {"quantities": {"google_search_queries": 3, "google_search_prompts": 1}}}
    assert nano("both", raw=queries) == 1100 * 1000 + 10_000_000 + 3 * 20_000_000


def test_a_tier_other_than_the_standard_one_has_no_price_in_the_table() -> None:
    assert nano("my-model", service_tier="default") == 700_000
    assert nano("my-model", service_tier="flex") is None


def test_what_is_not_in_the_table_has_the_price_of_the_list() -> None:
    found = cost("gpt-4o", provider="openai")
    assert found is not None
    assert (found.cost_source, found.cost_nanousd) == ("genai-prices", 3_500_000)
    assert (
        OwnPrices(TABLE, None).cost(
            Call(id="x", timestamp=0, api="openai.chat", model="gpt-4o", outcome=Outcome(status="success"))
        )
        is None
    )


def test_a_pattern_is_a_star_and_nothing_else() -> None:
    odd = OwnPrices({"a.b[c]*": Price(input=1, output=1)}, None)

    def found(model: str) -> bool:
        call = Call(
            id="x",
            timestamp=0,
            api="openai.chat",
            model=model,
            outcome=Outcome(status="success"),
            usage=Usage(prompt_tokens=1, completion_tokens=1),
        )
        return odd.cost(call) is not None

    assert found("a.b[c]")
    assert found("A.B[C]-2")
    assert not found("axb[c]")
    assert not found("a.bc")


@pytest.mark.parametrize(("tokens", "nano"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_half_a_nano_dollar_goes_to_the_even_one(tokens: int, nano: int) -> None:
    usage = Usage(prompt_tokens=tokens, completion_tokens=0, usage_source="provider")
    call = Call(
        id="x",
        timestamp=1_795_443_630_000,
        api="openai.chat",
        model="fine",
        outcome=Outcome(status="success"),
        usage=usage,
    )
    assert OwnPrices({"fine": Price(input=0.0005)}, PRICES).cost(call) == Cost(
        cost_nanousd=nano, cost_source="own"
    )
