"""Behind a host that nobody knows the price goes by the name that was answered, and by nothing like it."""

from types import SimpleNamespace
from typing import Any

import pytest

from miharu.pricing.matching.names import is_plainly
from tests.pricing.paid import answer, chat, claude, nano, paid

OPEN = SimpleNamespace(id="gpt-oss-20b", match=SimpleNamespace(equals="house-model"))
CLOSED = SimpleNamespace(id="gpt-4o", match=SimpleNamespace(equals="house-model"))


def test_an_open_model_is_not_told_by_a_name_of_its_own_either() -> None:
    names: list[Any] = [OPEN, CLOSED]
    assert [is_plainly("house-model", info) for info in names] == [False, True]


PROXY = "http://proxy.internal:4000/v1/chat/completions"
GPT_4O = 1000 * 2500 + 100 * 10_000


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("gpt-4o", GPT_4O),
        ("gpt-4o-2024-08-06", GPT_4O),
        ("openai/gpt-4o", GPT_4O),
        ("azure/gpt-4o", GPT_4O),
        ("GPT-4o", GPT_4O),
        ("claude-sonnet-4-5-20250929", 1000 * 3000 + 100 * 15_000),
        ("anthropic/claude-sonnet-4-5", 1000 * 3000 + 100 * 15_000),
        ("gemini-3.5-flash", 1000 * 1500 + 100 * 9000),
        ("gemini/gemini-3.5-flash", 1000 * 1500 + 100 * 9000),
        ("vertex_ai/gemini-3.5-flash", 1000 * 1500 + 100 * 9000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", (1000 * 3000 + 100 * 15_000) * 11 // 10),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 1000 * 3000 + 100 * 15_000),
        ("xai/grok-4.5", 1000 * 2000 + 100 * 6000),
    ],
)
def test_closed_models_have_their_makers_price(model: str, cost: int) -> None:
    assert chat(model, PROXY) == cost


@pytest.mark.parametrize(
    "model",
    [
        # weights that anybody serves
        *("gpt-oss-120b", "openai/gpt-oss-20b", "gpt-oss:20b", "gpt-oss-safeguard-20b", "grok-2", "grok-1"),
        *("xai-org/grok-2", "gemma-3-27b-it", "google/gemma-2-27b-it", "gemma3:1b", "whisper-1", "gpt-2"),
        *("qwen3-8b.gguf", "gpt-4o.gguf", "gpt-4o-q4_k_m.gguf", "llama3.2:3b", "mistral:7b", "deepseek-r1"),
        # names that only contain one
        *(
            "my-gpt-4o",
            "gpt-4o-distill",
            "gpt-4o-finetuned",
            "qwen-claude-sonnet-4-5",
            "not-gemini-3.5-flash",
        ),
        *("claude-sonnet-4-5-distill-qwen3", "gemini-3.5-flash-distilled-8b", "gpt-4o:latest", "gpt-4o-mlx"),
        *("team/gpt-4o-clone", "ft:gpt-4o-2024-08-06:acme::1", "gpt-4o@house", "gpt-5.4-abliterated"),
    ],
)
def test_open_weights_and_names_like_a_closed_one_have_none(model: str) -> None:
    assert chat(model, PROXY) is None
    assert chat(model, "http://127.0.0.1:8080/v1/chat/completions") is None


def test_what_was_asked_for_says_nothing_of_who_answers() -> None:
    assert chat("qwen3-8b", PROXY, asked="gpt-4o") is None
    assert nano(PROXY, {"model": "gpt-4o", "messages": []}, answer(None)) is None
    assert nano(PROXY, {"model": "gpt-4o", "messages": []}, answer("")) is None


def test_a_stream_that_names_no_model_has_no_price_and_one_that_does_has() -> None:
    asked = {"model": "gpt-4o", "messages": [], "stream": True}
    assert nano(PROXY, asked, events=[answer(None)]) is None
    assert nano(PROXY, asked, events=[answer("gpt-4o")]) == GPT_4O


def test_other_formats_go_by_the_answered_model_as_well() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": []}
    relay = "http://relay.internal/v1/messages"
    assert nano(relay, asked, claude(usage, "claude-sonnet-4-5")) == 1000 * 3000 + 100 * 15_000
    assert nano(relay, asked, claude(usage, "glm-4.6")) is None
    assert nano(relay, asked, {**claude(usage), "model": None}) is None


def test_it_is_said_that_the_price_goes_by_the_name() -> None:
    call = paid(PROXY, {"model": "gpt-4o", "messages": []}, answer("gpt-4o"))
    assert call.cost is not None
    assert call.cost.cost_source == "genai-prices:model"


def test_a_fine_tuned_model_of_openai_has_its_own_price_or_none() -> None:
    assert chat("ft:gpt-4o-2024-08-06:acme::1") == 1000 * 3750 + 100 * 15_000
    assert chat("ft:gpt-4.1-2025-04-14:acme::1") is None
