import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Call, Cost, Outcome, Usage
from miharu.pricing.genai import GenaiPrices
from tests.nested import nested

PRICES = GenaiPrices()
NESTED = nested(
    [
        *("server_tool_use", "tool_calls", "tool_usage", "web_search", "web_search_requests"),
        *("num_requests", "web_search_call", "seconds", "prompt_audio_seconds", "speed"),
        *("cacheTokensDetails", "modality", "tokenCount", "inference_geo", "prompt_tokens"),
    ],
    most=5,
)
FORMATS = {
    "anthropic": "anthropic.messages",
    "aws.bedrock": "bedrock.converse",
    "cohere": "cohere.chat",
    "gcp.gemini": "gemini.generate",
    "gcp.vertex_ai": "gemini.generate",
}
NOVEMBER = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)


def cost(
    model: str | None, provider: str | None = "openai", *, when: int = NOVEMBER, **facts: Any
) -> Cost | None:
    names = ("service_tier", "request_model", "host", "finish_reason", "api", "status")
    own = {name: facts.pop(name) for name in names if name in facts}
    own.setdefault("api", FORMATS.get(provider or "", "openai.chat"))
    usage = Usage(**{"prompt_tokens": 1000, "completion_tokens": 10, **facts})
    return PRICES.cost(
        Call(
            id="1",
            timestamp=when,
            model=model,
            provider=provider,
            outcome=Outcome(status=own.pop("status", "success")),
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


def priced(model: str, provider: str | None, usage: dict[str, Any], **facts: Any) -> int | None:
    """The nano-dollars of a call with that usage object of the provider's own."""
    return nano(model, provider, usage_raw=json.dumps(usage), **facts)


NOTHING: dict[str, Any] = {"prompt_tokens": None, "completion_tokens": None}


@pytest.mark.parametrize(
    ("usage", "searches"),
    [
        ({"tool_calls": {"web_search_call": 2}}, 2),
        ({"tool_usage": {"web_search": {"num_requests": 3}}, "tool_calls": {"web_search_call": 4}}, 3),
        ({"tool_usage": {"web_search": {"num_requests": 0}}, "tool_calls": {}}, 0),
    ],
)
def test_web_searches_of_openai_cost_a_cent_each(usage: dict[str, Any], searches: int) -> None:
    # gpt-4o: 10 $ for a thousand
    assert priced("gpt-4o", "openai", usage) == 1000 * 2500 + 10 * 10_000 + searches * 10_000_000


def test_web_searches_of_anthropic() -> None:
    # claude-sonnet-5: 2 $, 10 $; 10 $ for a thousand searches
    usage = {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5}}
    assert priced("claude-sonnet-5", "anthropic", usage) == 1000 * 2000 + 10 * 10_000 + 2 * 10_000_000


def test_file_searches() -> None:
    # 2.50 $ for a thousand
    usage = {"tool_calls": {"file_search_call": 1}}
    assert priced("gpt-4o", "openai", usage) == 1000 * 2500 + 10 * 10_000 + 2_500_000


def test_cache_writes_have_a_price_by_their_lifetime() -> None:
    # claude-sonnet-5: 2 $; writes 2.50 $ for five minutes, 4 $ for an hour; reads 0.20 $; 10 $
    assert nano(
        "claude-sonnet-5",
        "anthropic",
        cached_tokens=100,
        cache_write_tokens=300,
        cache_write_5m_tokens=200,
        cache_write_1h_tokens=100,
    ) == (600 * 2000 + 100 * 200 + 200 * 2500 + 100 * 4000 + 10 * 10_000)


def test_fast_mode_has_its_price() -> None:
    fast = priced("claude-opus-4-8", "anthropic", {"speed": "fast"})
    assert fast is not None
    # 10 $ and 50 $ where the standard is 5 $ and 25 $
    assert fast == 2 * (priced("claude-opus-4-8", "anthropic", {"speed": "standard"}) or 0)
    assert fast == 1000 * 10_000 + 10 * 50_000


def test_a_batch_is_half_the_price() -> None:
    assert nano("gpt-4o", service_tier="batch") == 1000 * 1250 + 10 * 5000
    assert nano("claude-sonnet-5", "anthropic", service_tier="batch") == 1000 * 1000 + 10 * 5000


def test_tiers_of_google_are_spelled_in_two_ways() -> None:
    assert nano("gemini-2.5-flash", "gcp.vertex_ai", service_tier="ON_DEMAND") == 1000 * 300 + 10 * 2500
    assert nano("gemini-2.5-flash", "gcp.vertex_ai", service_tier="1") == 1000 * 300 + 10 * 2500
    assert nano("gemini-2.5-flash", "gcp.vertex_ai", service_tier="ON_DEMAND_FLEX") is None
    # gemini-3.8-flash-tts: half of 0.50 $ and 9 $
    flex = nano("gemini-3.8-flash-tts", "gcp.gemini", service_tier="flex")
    assert flex == 1000 * 250 + 10 * 4500
    assert nano("gemini-3.8-flash-tts", "gcp.vertex_ai", service_tier="ON_DEMAND_FLEX") == flex


@pytest.mark.parametrize(
    ("model", "provider", "usage", "cost"),
    [
        # 0.36 $ an hour is 0.1 thousandth of a dollar a second
        ("whisper-1", "openai", {"type": "duration", "seconds": 3.5}, 350_000),
        # 0.111 $ an hour, of at least ten seconds
        ("whisper-large-v3", "groq", {"duration": 3.0}, 308_333),
        # 15 $ for a million characters
        ("tts-1", "openai", {"input_characters": 13}, 13 * 15_000),
        # 2 $ for a thousand pages
        ("mistral-ocr-2512", "mistral_ai", {"pages_processed": 3, "doc_size_bytes": 9}, 3 * 2_000_000),
        # annotated ones: 3 $
        ("mistral-ocr-2512", "mistral_ai", {"pages_processed": 3, "annotated_pages": 3}, 3 * 3_000_000),
    ],
)
def test_what_is_not_paid_by_the_token(model: str, provider: str, usage: dict[str, Any], cost: int) -> None:
    assert priced(model, provider, usage, **NOTHING) == cost


def test_sound_that_is_paid_by_the_second_is_not_paid_by_the_token_too() -> None:
    # voxtral-small: 0.10 $ and 0.40 $ a million tokens, 0.24 $ an hour; 375 of the 380 tokens are sound
    usage = {"prompt_tokens": 5, "completion_tokens": 24, "total_tokens": 404, "prompt_audio_seconds": 30}
    assert priced(
        "voxtral-small-24b-2507",
        "mistral_ai",
        usage,
        prompt_tokens=380,
        completion_tokens=24,
        cached_tokens=368,
    ) == (5 * 10 + 24 * 400 + 30 * 240_000_000 // 3600)


def test_pictures_are_paid_by_the_token() -> None:
    # gpt-image-1.5: 5 $ text in, 8 $ picture in, 32 $ picture out
    assert nano(
        "gpt-image-1.5",
        prompt_tokens=50,
        completion_tokens=4160,
        image_input_tokens=40,
        image_output_tokens=4160,
    ) == (10 * 5000 + 40 * 8000 + 4160 * 32_000)


def test_cached_sound_of_gemini_has_its_price() -> None:
    # gemini-2.5-flash: 0.30 $, sound 1 $, cached 0.03 $, cached sound 0.10 $, 2.50 $
    usage = {
        "cacheTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 100},
            {"modality": "TEXT", "tokenCount": 50},
        ]
    }
    assert priced("gemini-2.5-flash", "gcp.gemini", usage, audio_input_tokens=300, cached_tokens=150) == (
        650 * 300 + 200 * 1000 + 50 * 30 + 100 * 100 + 10 * 2500
    )


def test_what_is_free_costs_nothing_and_only_then() -> None:
    assert nano("text-moderation-007", **NOTHING) == 0
    assert nano("google/gemini-2.0-flash-exp:free", "openrouter") == 0
    assert nano("google/gemini-2.0-flash-exp:free", "openrouter", status="error") is None
    # a router that was asked for a free model, and took one that nobody has a price for
    assert nano("x-ai/grok-4", "openrouter", request_model="google/gemini-2.0-flash-exp:free") is None


@pytest.mark.parametrize(
    ("model", "provider", "usage"),
    [
        ("gpt-4o", "openai", {"tool_calls": {"code_interpreter_call": 1}}),
        ("gpt-5.4", "openai", {"tool_calls": {"image_generation_call": 1}}),
        ("gpt-4o-search-preview", "openai", {}),
        ("gpt-4o", "azure.ai.openai", {"tool_calls": {"web_search_call": 1}}),
        ("claude-sonnet-5", "anthropic", {"server_tool_use": {"code_execution_requests": 1}}),
        ("claude-sonnet-5", "anthropic", {"inference_geo": "us"}),
        ("claude-haiku-4-5", "anthropic", {"speed": "fast"}),
        ("claude-opus-4-8", "anthropic", {"speed": "fast", "service_tier": "priority"}),
        ("tts-1", "openai", {}),  # tokens of a model that is paid by the character
        ("gpt-4o", "openai", {"seconds": 3}),
    ],
)
def test_what_has_no_price_leaves_the_whole_without(model: str, provider: str, usage: dict[str, Any]) -> None:
    tier = usage.get("service_tier")
    assert priced(model, provider, usage, service_tier=tier) is None


@pytest.mark.parametrize(
    ("model", "provider", "as_if"),
    [
        ("models/gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"),
        ("google/gemini-2.5-flash", "gcp.vertex_ai", "gemini-2.5-flash"),
        ("publishers/google/models/gemini-2.5-flash", "gcp.vertex_ai", "gemini-2.5-flash"),
    ],
)
def test_names_of_google_resolve(model: str, provider: str, as_if: str) -> None:
    assert nano(model, provider) == nano(as_if, provider) == 1000 * 300 + 10 * 2500


def test_names_of_bedrock_resolve() -> None:
    # 3 $ and 15 $; in one region a tenth more
    name = "anthropic.claude-sonnet-4-20250514-v1:0"
    regional = nano(f"us.{name}", "aws.bedrock")
    assert regional == 1000 * 3000 + 10 * 15_000
    assert nano(f"arn:aws:bedrock:us-east-1:1:inference-profile/us.{name}", "aws.bedrock") == regional
    assert nano(f"us.{name}", None) == 1000 * 3000 + 10 * 15_000


def test_the_router_of_hugging_face_has_the_prices_of_whom_it_was_told_to_ask() -> None:
    known = nano("meta-llama/Llama-3.3-70B-Instruct", "huggingface_together")
    assert known is not None
    asked = "meta-llama/Llama-3.3-70B-Instruct:together"
    assert nano("meta-llama/Llama-3.3-70B-Instruct", "huggingface", request_model=asked) == known
    assert nano(asked, "huggingface", request_model=asked) == known
    assert nano("meta-llama/Llama-3.3-70B-Instruct", "huggingface") is None


@given(st.text(max_size=40) | NESTED.map(json.dumps))
def test_a_usage_object_of_any_shape_never_raises(raw: str) -> None:
    for model, provider in (
        ("gpt-4o", "openai"),
        ("claude-sonnet-5", "anthropic"),
        ("voxtral-small-24b-2507", "mistral_ai"),
    ):
        cost(model, provider, usage_raw=raw)


@pytest.mark.parametrize(("tokens", "nano"), [(1, 2), (3, 8), (5, 12), (7, 18)])
def test_half_a_nano_dollar_goes_to_the_even_one(tokens: int, nano: int) -> None:
    """2.5 nano-dollars a token."""
    found = cost(
        "gpt-5-nano", service_tier="flex", prompt_tokens=tokens, cached_tokens=tokens, completion_tokens=0
    )
    assert found is not None
    assert found.cost_nanousd == nano
