"""What is answered and not billed costs nothing, and says why."""

from dataclasses import replace
from typing import Any

import pytest

from tests.pricing.paid import CHAT, CLAUDE, PRICES, answer, chat, claude, nano, paid

GATEWAY = "https://gateway.ai.cloudflare.com/v1/acc/gw/openai/chat/completions"
PROXY = "http://proxy.internal:4000/v1/chat/completions"
ASKED = {"model": "gpt-5.4", "messages": []}
FULL = 1000 * 2500 + 100 * 15_000


@pytest.mark.parametrize(
    ("headers", "gateway"),
    [
        ({"cf-aig-cache-status": "HIT"}, "cloudflare"),
        ({"helicone-cache": "HIT"}, "helicone"),
        ({"x-portkey-cache-status": "HIT"}, "portkey"),
        ({"x-portkey-cache-status": "SEMANTIC HIT"}, "portkey"),
        ({"x-litellm-cache-key": "k", "x-litellm-response-cost": "0.0"}, "litellm"),
        ({"x-litellm-cache-key": "k", "x-litellm-response-cost": "0"}, "litellm"),
        ({"x-litellm-cache-hit": "True"}, "litellm"),
        ({"x-openrouter-cache-status": "HIT"}, "openrouter"),
        ({"x-bt-cached": "HIT"}, "braintrust"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_gateway_that_answers_out_of_its_cache_costs_nothing(
    headers: dict[str, str], gateway: str, streamed: bool
) -> None:
    asked = {**ASKED, "stream": streamed}
    facts: Any = {"events": [answer("gpt-5.4")]} if streamed else {"answered": answer("gpt-5.4")}
    call = paid(PROXY, asked, headers=headers, **facts)
    assert call.cost is not None
    assert (call.cost.cost_nanousd, call.cost.cost_source) == (0, f"gateway-cache:{gateway}")
    assert call.usage.prompt_tokens == 1000
    assert not call.is_unpriced


@pytest.mark.parametrize(
    "headers",
    [
        {"cf-aig-cache-status": "MISS"},
        {"helicone-cache": "MISS"},
        {"x-portkey-cache-status": "SEMANTIC MISS"},
        {"x-portkey-cache-status": "DISABLED"},
        {"x-litellm-cache-key": "k"},
        {"x-litellm-response-cost": "0.0"},  # LiteLLM knows no price; the list does
        {"x-cache": "HIT"},  # some CDN's; of what nobody knows
    ],
)
def test_anything_else_costs_what_it_costs(headers: dict[str, str]) -> None:
    assert nano(PROXY, ASKED, answer("gpt-5.4"), headers=headers) == FULL


def test_what_litellm_states_beside_a_key_stands() -> None:
    headers = {"x-litellm-cache-key": "k", "x-litellm-response-cost": "0.000002"}
    assert nano(PROXY, ASKED, answer("gpt-5.4"), headers=headers) == 2000


def test_a_failed_call_is_no_hit() -> None:
    call = paid(PROXY, ASKED, {"error": "no"}, status=500, headers={"cf-aig-cache-status": "HIT"})
    assert call.cost is None


REFUSED = {"stop_reason": "refusal", "content": [], "stop_details": {"type": "refusal"}}
FABLE = "claude-fable-5-1"


def test_a_refusal_of_claude_before_any_output_costs_nothing() -> None:
    usage = {"input_tokens": 5000, "output_tokens": 0, "cache_read_input_tokens": 10}
    call = paid(CLAUDE, {"model": FABLE, "messages": []}, claude(usage, FABLE, **REFUSED))
    assert call.cost is not None
    assert (call.cost.cost_nanousd, call.cost.cost_source) == (0, "not-billed:refusal")
    assert PRICES.cost(replace(call, cost=None)) == call.cost


def test_so_does_one_that_is_streamed() -> None:
    usage = {"input_tokens": 5000, "output_tokens": 1}  # the first token, which message_delta takes back
    events = [
        {"type": "message_start", "message": claude(usage, FABLE, content=[], stop_reason=None)},
        {"type": "message_delta", "delta": {"stop_reason": "refusal"}, "usage": {"output_tokens": 0}},
        {"type": "message_stop"},
    ]
    assert nano(CLAUDE, {"model": FABLE, "messages": [], "stream": True}, events=events) == 0


def test_a_refusal_in_the_middle_is_billed() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 7}
    cost = nano(CLAUDE, {"model": FABLE, "messages": []}, claude(usage, FABLE, stop_reason="refusal"))
    assert cost == 1000 * 10_000 + 7 * 50_000


@pytest.mark.parametrize(
    "url",
    [
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-fable-5-1/invoke",
        "https://aiplatform.googleapis.com/v1/publishers/anthropic/models/claude-fable-5-1:rawPredict",
        "http://relay.internal/v1/messages",
    ],
)
def test_elsewhere_it_is_not_known_whether_refusals_are_billed(url: str) -> None:
    usage = {"input_tokens": 5000, "output_tokens": 0}
    assert nano(url, {"model": FABLE, "messages": []}, claude(usage, FABLE, **REFUSED)) is None


def test_a_refusal_after_a_search_is_not_free() -> None:
    usage = {"input_tokens": 5000, "output_tokens": 0, "server_tool_use": {"web_search_requests": 1}}
    assert nano(CLAUDE, {"model": FABLE, "messages": []}, claude(usage, FABLE, **REFUSED)) is None


def test_what_a_provider_marks_as_not_billed_costs_nothing() -> None:
    assert chat("gpt-5.4", billed=False) == 0
    assert nano(CHAT, ASKED, {**answer("gpt-5.4"), "billing": {"payer": "openai"}}) == 0
    assert nano(CHAT, ASKED, {**answer("gpt-5.4"), "billing": {"payer": "developer"}}) == FULL
    call = paid(CHAT, ASKED, answer("gpt-5.4", billable=False))
    assert call.cost is not None
    assert call.cost.cost_source == "not-billed:provider"
