"""A cost is that of the place where a call was answered, or there is none."""

from typing import Any

import pytest

from miharu.pricing.matching.places import STANDARD, factor_of
from tests.pricing.paid import PRICES, answer, chat, claude, gemini, nano, paid

GPT_54, GPT_4O = 1000 * 2500 + 100 * 15_000, 1000 * 2500 + 100 * 10_000


@pytest.mark.parametrize(
    ("host", "model", "cost"),
    [
        ("api.openai.com", "gpt-5.4", GPT_54),
        ("eu.api.openai.com", "gpt-5.4", GPT_54 * 11 // 10),
        ("us.api.openai.com", "gpt-5.4-2026-03-05", GPT_54 * 11 // 10),
        ("eu.api.openai.com", "gpt-6.1-sol", (1000 * 2000 + 100 * 10_000) * 11 // 10),
        ("eu.api.openai.com", "gpt-4o", GPT_4O),
        ("jp.api.openai.com", "gpt-4o", GPT_4O),
        ("eu.api.openai.com", "gpt-5.1", 1000 * 1250 + 100 * 10_000),
        ("eu.api.openai.com", "o3", 1000 * 2000 + 100 * 8000),
        ("jp.api.openai.com", "gpt-5.4", None),  # stored there; nobody says where it is processed
        ("gov.api.openai.com", "gpt-4o", None),
        ("eu.api.openai.com", "gpt-5.6-cyber", None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_regional_hosts_of_openai_cost_a_tenth_more_for_newer_models(
    host: str, model: str, cost: int | None, streamed: bool
) -> None:
    url = f"https://{host}/v1/chat/completions"
    if not streamed:
        assert chat(model, url) == cost
    else:
        asked = {"model": model, "messages": [], "stream": True}
        assert nano(url, asked, events=[answer(model)]) == cost


def test_so_do_all_its_formats() -> None:
    whole = {
        "object": "response",
        "status": "completed",
        "model": "gpt-5.4",
        "output": [],
        "usage": {"input_tokens": 1000, "output_tokens": 100},
    }
    asked = {"model": "gpt-5.4", "input": "x"}
    assert nano("https://eu.api.openai.com/v1/responses", asked, whole) == GPT_54 * 11 // 10


def test_the_fee_of_a_search_in_a_region_is_not_known() -> None:
    searched = {"web_search": {"num_requests": 1}}
    asked = {"model": "gpt-5.4", "input": "x"}
    whole: dict[str, Any] = {
        "object": "response",
        "status": "completed",
        "model": "gpt-5.4",
        "output": [],
        "usage": {"input_tokens": 1000, "output_tokens": 100},
        "tool_usage": searched,
    }
    assert nano("https://eu.api.openai.com/v1/responses", asked, whole) is None
    assert nano("https://api.openai.com/v1/responses", asked, whole) == GPT_54 + 10_000_000


def vertex(host: str, place: str, publisher: str, model: str, verb: str) -> str:
    return f"https://{host}/v1/projects/p/locations/{place}/publishers/{publisher}/models/{model}:{verb}"


GLOBAL, EUROPE, SEVERAL = (
    ("aiplatform.googleapis.com", "global"),
    ("europe-west1-aiplatform.googleapis.com", "europe-west1"),
    ("aiplatform.eu.rep.googleapis.com", "eu"),
)
USAGE = {"input_tokens": 1000, "output_tokens": 100}
SONNET = 1000 * 3000 + 100 * 15_000


@pytest.mark.parametrize(
    ("place", "model", "cost"),
    [
        (GLOBAL, "claude-sonnet-4-5@20250929", SONNET),
        (EUROPE, "claude-sonnet-4-5@20250929", SONNET * 11 // 10),
        (SEVERAL, "claude-sonnet-4-5@20250929", SONNET * 11 // 10),
        (("aiplatform.googleapis.com", "us-east5"), "claude-sonnet-4-6", SONNET * 11 // 10),
        (EUROPE, "claude-opus-5-5", (1000 * 4000 + 100 * 20_000) * 11 // 10),
        (EUROPE, "claude-sonnet-4@20250514", SONNET),
        (EUROPE, "claude-3-7-sonnet@20250219", SONNET),
        (EUROPE, "claude-opus-4-1@20250805", 1000 * 15_000 + 100 * 75_000),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_claude_in_a_region_of_vertex_costs_a_tenth_more(
    place: tuple[str, str], model: str, cost: int, streamed: bool
) -> None:
    url = vertex(*place, "anthropic", model, "streamRawPredict" if streamed else "rawPredict")
    whole = claude(USAGE, model.replace("@", "-"))
    events = [
        {"type": "message_start", "message": whole},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    asked = {"messages": [], "anthropic_version": "vertex-2023-10-16", "stream": streamed}
    assert nano(url, asked, **({"events": events} if streamed else {"answered": whole})) == cost


@pytest.mark.parametrize(
    ("place", "model", "cost"),
    [
        (GLOBAL, "gemini-3.5-flash", 1000 * 1500 + 200 * 9000),
        (EUROPE, "gemini-3.5-flash", (1000 * 1500 + 200 * 9000) * 11 // 10),
        (SEVERAL, "gemini-3.8-flash", (1000 * 750 + 200 * 3750) * 11 // 10),
        (EUROPE, "gemini-2.5-flash", 1000 * 300 + 200 * 2500),
        (EUROPE, "gemini-3-flash-preview", None),
    ],
)
def test_so_do_newer_models_of_google(place: tuple[str, str], model: str, cost: int | None) -> None:
    asked = {"contents": [{"parts": [{"text": "x"}]}]}
    assert nano(vertex(*place, "google", model, "generateContent"), asked, gemini(model)) == cost


@pytest.mark.parametrize(
    ("place", "cost"), [(GLOBAL, 1000 * 1500 + 200 * 9000), (EUROPE, (1000 * 1500 + 200 * 9000) * 11 // 10)]
)
def test_so_does_vertex_through_its_openai_like_api(place: tuple[str, str], cost: int) -> None:
    host, location = place
    url = f"https://{host}/v1/projects/p/locations/{location}/endpoints/openapi/chat/completions"
    asked = {"model": "google/gemini-3.5-flash", "messages": []}
    told = answer("google/gemini-3.5-flash", completion_tokens=200, total_tokens=1200)
    assert nano(url, asked, told) == cost


SONNET_45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
REGIONAL = SONNET * 11 // 10
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "a"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100},
}


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_regions_with_lists_of_their_own_have_no_price(region: str) -> None:
    host = f"bedrock-runtime.{region}.amazonaws.com"
    found = PRICES.find("aws.bedrock", SONNET_45, None)
    assert found is not None
    assert factor_of("aws", host.replace(region, "us-east-1"), {}, found.model, found.name) == STANDARD
    assert factor_of("aws", host, {}, found.model, found.name) is None


def bedrock(model: str, verb: str, region: str = "us-east-1") -> str:
    name = model.replace(":", "%3A").replace("/", "%2F")
    return f"https://bedrock-runtime.{region}.amazonaws.com/model/{name}/{verb}"


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        (f"us.{SONNET_45}", REGIONAL),
        (f"eu.{SONNET_45}", REGIONAL),
        (SONNET_45, REGIONAL),
        (f"global.{SONNET_45}", SONNET),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET_45}", REGIONAL),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{SONNET_45}", REGIONAL),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.{SONNET_45}", SONNET),
        # what these stand for nobody says: a global profile, a price by the hour
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", None),
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc", None),
        ("arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", None),
        ("arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc", None),
    ],
)
@pytest.mark.parametrize("verb", ["converse", "invoke"])
def test_the_address_of_bedrock_says_whose_price_it_is(model: str, cost: int | None, verb: str) -> None:
    """The answer of InvokeModel has the bare name, by which the list knows the regional price."""
    answered = CONVERSED if verb == "converse" else claude(USAGE, "claude-sonnet-4-5-20250929")
    assert nano(bedrock(model, verb), {"messages": [], "max_tokens": 9}, answered) == cost


@pytest.mark.parametrize(
    ("model", "region", "cost"),
    [
        ("amazon.nova-pro-v1:0", "us-east-1", 1000 * 800 + 100 * 3200),
        ("us.amazon.nova-pro-v1:0", "us-west-2", 1000 * 800 + 100 * 3200),
        ("eu.amazon.nova-pro-v1:0", "eu-west-1", None),
        ("amazon.nova-pro-v1:0", "ap-southeast-2", None),
        ("meta.llama3-3-70b-instruct-v1:0", "us-east-2", 1000 * 720 + 100 * 720),
        ("meta.llama3-3-70b-instruct-v1:0", "eu-west-2", None),
        (f"eu.{SONNET_45}", "eu-central-1", REGIONAL),
        (f"us-gov.{SONNET_45}", "us-gov-west-1", None),
        (SONNET_45, "us-gov-east-1", None),
    ],
)
def test_prices_of_bedrock_that_differ_by_region_are_those_of_the_united_states(
    model: str, region: str, cost: int | None
) -> None:
    assert nano(bedrock(model, "converse", region), {"messages": []}, CONVERSED) == cost


def test_a_router_of_bedrock_has_a_fee() -> None:
    chosen = {"trace": {"promptRouter": {"invokedModelId": f"us.{SONNET_45}"}}}
    url = bedrock("arn:aws:bedrock:us-east-1:1:default-prompt-router/anthropic.claude:1", "converse")
    assert nano(url, {"messages": []}, {**CONVERSED, **chosen}) is None


AZURE = "https://r.openai.azure.com/openai/v1/"
NANO = 1000 * 50 + 100 * 400


@pytest.mark.parametrize(
    "url",
    [
        f"{AZURE}chat/completions",
        "https://r.services.ai.azure.com/openai/v1/chat/completions",
        "https://r.openai.azure.com/openai/deployments/model-router/chat/completions",
    ],
)
def test_the_router_of_azure_has_a_fee(url: str) -> None:
    assert chat("gpt-5-nano-2025-08-07", url, asked="model-router") is None
    assert chat("gpt-5-nano-2025-08-07", url, asked="my-router-2") is None


@pytest.mark.parametrize("format_", ["chat", "responses"])
def test_azure_names_the_served_model_in_a_header(format_: str) -> None:
    served = {"x-ms-served-model": "gpt-5-nano-2025-08-07"}
    asked = {"model": "my-prod", "input": "x", "messages": []}
    if format_ == "chat":
        call = paid(f"{AZURE}chat/completions", asked, answer("my-prod"), headers=served)
    else:
        whole = {
            "object": "response",
            "status": "completed",
            "model": "my-prod",
            "output": [],
            "usage": {"input_tokens": 1000, "output_tokens": 100},
        }
        call = paid(f"{AZURE}responses", asked, whole, headers=served)
    assert (call.model, call.request_model) == ("gpt-5-nano-2025-08-07", "my-prod")
    assert call.cost is not None
    assert call.cost.cost_nanousd == NANO


def test_a_later_reprice_knows_where_it_was() -> None:
    """What decides on the price is kept with the call, so that the price is a function of the row."""
    from dataclasses import replace

    from tests.pricing.paid import PRICES

    url = vertex("aiplatform.googleapis.com", "us-east5", "anthropic", "claude-sonnet-4-6", "rawPredict")
    call = paid(url, {"messages": []}, claude(USAGE))
    again = PRICES.cost(replace(call, cost=None))
    assert again == call.cost
    assert again is not None
    assert again.cost_nanousd == SONNET * 11 // 10
