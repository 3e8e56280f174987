"""Each kind of token that was used has a price of its own kind, or the call has none."""

from typing import Any

import pytest

from miharu.pricing.billing.bill import _by_kind
from tests.pricing.paid import CHAT, CLAUDE, GEMINI, answer, chat, claude, gemini, nano


def details(**tokens: int) -> dict[str, Any]:
    return {"prompt_tokens_details": tokens}


@pytest.mark.parametrize(("count", "kept"), [(2**53 - 1, {"input_audio_tokens": 2**53 - 1}), (2**53, {})])
def test_a_count_that_cannot_be_is_none(count: int, kept: dict[str, int]) -> None:
    assert _by_kind({"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": count}]}) == kept


@pytest.mark.parametrize(
    "usage",
    [
        details(audio_tokens=50),
        {"completion_tokens_details": {"audio_tokens": 50}},
        {"completion_tokens_details": {"image_tokens": 50}},
        {"completion_tokens_details": {"video_tokens": 50}},
        details(cache_write_tokens=50),  # gpt-4o has no price for what is written
        {"prompt_tokens_details": {"cached_tokens": 50, "hologram_tokens": 1}},
        {"hologram_tokens": 1},
        {"agents": [{"model": "other", "input_tokens": 5}]},
        {"holograms": {"requests": 2}},
    ],
)
def test_the_price_of_text_does_not_stand_for_another_kind(usage: dict[str, Any]) -> None:
    assert chat("gpt-4o") == 1000 * 2500 + 100 * 10_000
    assert chat("gpt-4o", **usage) is None


@pytest.mark.parametrize(
    "usage",
    [
        details(text_tokens=1000, audio_tokens=0, image_tokens=0),
        details(image_tokens=200),  # pictures are read at the price of text
        {"completion_tokens_details": {"accepted_prediction_tokens": 5, "rejected_prediction_tokens": 4}},
        {"completion_tokens_details": {"reasoning_tokens": 60, "text_tokens": 40}},
        {"total_time": 1.5, "queue_time": 0.1, "time_per_token": 3, "hologram_tokens": 0},
        {"hologram_tokens": None, "note": "1 token", "tokens_per_second": 50.5},
    ],
)
def test_what_is_part_of_another_count_or_counts_nothing_changes_nothing(usage: dict[str, Any]) -> None:
    assert chat("gpt-4o", **usage) == 1000 * 2500 + 100 * 10_000


@pytest.mark.parametrize(
    "model", ["gpt-4o-audio-preview-2025-06-03", "gpt-4o-audio-preview", "gpt-4o-mini-audio-preview"]
)
def test_sound_whose_price_the_list_lacks(model: str) -> None:
    assert chat(model, **details(audio_tokens=50)) is None


def test_sound_whose_price_the_list_has() -> None:
    usage = {**details(audio_tokens=50), "completion_tokens_details": {"audio_tokens": 40}}
    assert chat("gpt-audio", **usage) == 950 * 2500 + 50 * 32_000 + 60 * 10_000 + 40 * 64_000


def test_cached_sound_is_not_taken_for_cached_text() -> None:
    """What was read from a cache costs by its kind; where the kind is not told, nobody knows."""
    mini = "gpt-realtime-mini"
    told = {"cached_tokens_details": {"text_tokens": 100, "audio_tokens": 40}}
    assert chat(mini, **details(audio_tokens=50, cached_tokens=140)) is None
    found = chat(mini, prompt_tokens_details={"audio_tokens": 50, "cached_tokens": 140, **told})
    # 0.60 $, cached 0.06 $; sound 10 $, cached 0.30 $; 2.40 $
    assert found == 850 * 600 + 100 * 60 + 10 * 10_000 + 40 * 300 + 100 * 2400


GOOGLE = {"contents": [{"parts": [{"text": "x"}]}]}


def by_kind(name: str, **tokens: int) -> dict[str, Any]:
    return {name: [{"modality": kind.upper(), "tokenCount": count} for kind, count in tokens.items()]}


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        # one price for all kinds of input
        ("gemini-3.5-flash", by_kind("promptTokensDetails", text=500, audio=500), 1000 * 1500 + 200 * 9000),
        ("gemini-3.5-flash", by_kind("promptTokensDetails", text=500, video=500), 1000 * 1500 + 200 * 9000),
        # sound is dearer
        (
            "gemini-2.5-flash",
            by_kind("promptTokensDetails", text=600, audio=400),
            600 * 300 + 400 * 1000 + 200 * 2500,
        ),
        (
            "gemini-2.5-flash",
            {"promptTokensDetails": [{"modality": 4, "tokenCount": 400}, {"modality": 1, "tokenCount": 600}]},
            600 * 300 + 400 * 1000 + 200 * 2500,
        ),
        # pictures are drawn at a price of their own
        (
            "gemini-2.5-flash-image",
            by_kind("candidatesTokensDetails", image=150, text=50),
            1000 * 300 + 50 * 2500 + 150 * 30_000,
        ),
        ("gemini-2.5-flash", by_kind("candidatesTokensDetails", image=150), None),
        ("gemini-2.5-flash", by_kind("candidatesTokensDetails", audio=150), None),
        ("gemini-2.5-pro-tts", by_kind("candidatesTokensDetails", audio=200), 1000 * 1000 + 200 * 20_000),
        ("gemini-3.5-flash", by_kind("promptTokensDetails", smell=5), None),
        ("gemini-3.5-flash", {"smellTokenCount": 5}, None),
        # what was read from a cache: by its kind
        ("gemini-2.5-flash", {"cachedContentTokenCount": 100}, 900 * 300 + 100 * 30 + 200 * 2500),
        (
            "gemini-2.5-flash",
            {"cachedContentTokenCount": 100, **by_kind("promptTokensDetails", text=600, audio=400)},
            None,
        ),
        (
            "gemini-2.5-flash",
            {
                "cachedContentTokenCount": 100,
                **by_kind("promptTokensDetails", text=600, audio=400),
                **by_kind("cacheTokensDetails", text=100),
            },
            500 * 300 + 400 * 1000 + 100 * 30 + 200 * 2500,
        ),
        (
            "gemini-2.5-flash",
            {
                "cachedContentTokenCount": 100,
                **by_kind("promptTokensDetails", text=600, audio=400),
                **by_kind("cacheTokensDetails", text=50),
            },
            None,
        ),
        # no price of its own for what was cached
        ("gemini-2.5-flash-image", {"cachedContentTokenCount": 100}, None),
    ],
)
def test_modalities_of_gemini(model: str, usage: dict[str, Any], cost: int | None) -> None:
    assert nano(GEMINI.format(model), GOOGLE, gemini(model, **usage)) == cost


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "gemini-embedding-2"])
def test_films_where_the_list_tells_pictures_from_text(model: str) -> None:
    told = by_kind("promptTokensDetails", video=1000)
    found = nano(GEMINI.format(model), GOOGLE, gemini(model, candidatesTokenCount=0, **told))
    assert found == (1000 * 300 if model == "gemini-2.5-flash-image" else 1000 * 12_000)


SOL = 1000 * 2000 + 100 * 10_000


@pytest.mark.parametrize(
    ("lifetimes", "cost"),
    [
        ({}, 500 * 2000 + 500 * 2500 + 100 * 10_000),
        ({"ttl_30m_tokens": 500, "ttl_12h_tokens": 0}, 500 * 2000 + 500 * 2500 + 100 * 10_000),
        ({"ttl_30m_tokens": 0, "ttl_12h_tokens": 500}, None),
        ({"ttl_30m_tokens": 499, "ttl_12h_tokens": 1}, None),
        ({"ttl_99d_tokens": 500}, None),
    ],
)
@pytest.mark.parametrize("format_", ["chat", "responses", "top"])
def test_what_openai_keeps_for_twelve_hours_has_a_price_of_its_own(
    lifetimes: dict[str, int], cost: int | None, format_: str
) -> None:
    written = {"cache_write_tokens": 500, "cache_write_tokens_details": lifetimes}
    if format_ == "chat":
        found = chat("gpt-6.1-sol", prompt_tokens_details=written)
    else:
        usage: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 100}
        usage |= written if format_ == "top" else {"input_tokens_details": written}
        whole = {
            "object": "response",
            "status": "completed",
            "model": "gpt-6.1-sol",
            "output": [],
            "usage": usage,
        }
        asked = {"model": "gpt-6.1-sol", "input": "x"}
        found = nano("https://api.openai.com/v1/responses", asked, whole)
    assert found == cost


def test_twelve_hours_that_were_asked_for_and_are_not_told_are_not_taken_for_thirty_minutes() -> None:
    asked = {"model": "gpt-6.1-sol", "messages": [], "prompt_cache_options": {"ttl": "12h"}}
    written = answer("gpt-6.1-sol", prompt_tokens_details={"cache_write_tokens": 500})
    assert nano(CHAT, asked, written) is None
    assert nano(CHAT, {**asked, "prompt_cache_options": {"ttl": "30m"}}, written) is not None
    assert nano(CHAT, asked, answer("gpt-6.1-sol")) == SOL


HOUR = {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}
WRITTEN = {"input_tokens": 100, "output_tokens": 100, "cache_creation_input_tokens": 500}


@pytest.mark.parametrize(
    ("parts", "asked", "written"),
    [
        ({"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 0}, {}, 500 * 3750),
        ({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 500}, HOUR, 500 * 6000),
        ({"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 300}, HOUR, 200 * 3750 + 300 * 6000),
        ({"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}, HOUR, None),
        ({"ephemeral_9d_input_tokens": 500}, {}, None),
        (None, {}, 500 * 3750),
        (None, HOUR, None),
    ],
)
def test_what_anthropic_keeps_has_a_price_by_its_lifetime(
    parts: Any, asked: Any, written: int | None
) -> None:
    usage = {**WRITTEN, **({"cache_creation": parts} if parts else {})}
    request = {"model": "claude-sonnet-4-6", "messages": [], "max_tokens": 9, **asked}
    expected = None if written is None else 100 * 3000 + written + 100 * 15_000
    assert nano(CLAUDE, request, claude(usage)) == expected


def test_an_hour_where_the_list_has_no_price_for_it() -> None:
    url = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models/{}"
    usage = {**WRITTEN, "cache_creation": {"ephemeral_1h_input_tokens": 500}}
    asked = {"messages": [], **HOUR}
    old = "claude-3-7-sonnet@20250219"
    assert nano(url.format(f"{old}:rawPredict"), asked, claude(usage, "claude-3-7-sonnet-20250219")) is None


def test_bedrock_tells_lifetimes_in_its_own_words() -> None:
    url = (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0/converse"
    )
    usage = {"inputTokens": 100, "outputTokens": 100, "cacheWriteInputTokens": 500}
    told = {"output": {"message": {"content": []}}, "stopReason": "end_turn"}

    def cost(**more: Any) -> int | None:
        return nano(url, {"messages": []}, {**told, "usage": {**usage, **more}})

    plain = 100 * 3000 + 100 * 15_000
    assert cost(cacheDetails=[{"ttl": "5m", "inputTokens": 500}]) == plain + 500 * 3750
    assert cost(cacheDetails=[{"ttl": "1h", "inputTokens": 500}]) == plain + 500 * 6000
    assert cost(serverToolUsage={"webSearchRequests": 1}) is None
    assert cost(serverToolUsage={}) == plain + 500 * 3750


def test_what_is_read_from_a_cache_needs_a_price_for_that() -> None:
    url = "https://api.groq.com/openai/v1/chat/completions"
    assert chat("llama-3.3-70b-versatile", url) is not None
    assert chat("llama-3.3-70b-versatile", url, **details(cached_tokens=500)) is None


def test_cohere_bills_what_it_says_it_bills_however_it_came_by_it() -> None:
    url = "https://api.cohere.com/v2/chat"
    told = {
        "id": "c",
        "message": {"role": "assistant", "content": []},
        "finish_reason": "COMPLETE",
        "usage": {
            "billed_units": {"input_tokens": 10, "output_tokens": 20},
            "tokens": {"input_tokens": 500, "output_tokens": 25},
            "cached_tokens": 400,
        },
    }
    asked = {"model": "command-r-08-2024", "messages": []}
    assert nano(url, asked, told) == 10 * 150 + 20 * 600
    told["usage"]["billed_units"]["classifications"] = 1  # type: ignore[index]
    assert nano(url, asked, told) is None
