"""What is paid beside tokens is in the cost, or there is none."""

import json
from typing import Any

import pytest
from genai_prices.data import providers as PRICES_DATA

from miharu.kept_body import KEPT_HEAD
from tests.pricing.paid import CHAT, CLAUDE, GEMINI, answer, chat, claude, gemini, nano, paid

SEARCH = {"contents": [{"parts": [{"text": "x"}]}], "tools": [{"googleSearch": {}}]}
WEB = {"groundingChunks": [{"web": {"uri": "https://a.example"}}]}
VERTEX = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/{}:{}"
RESPONSES = "https://api.openai.com/v1/responses"

NEW, OLD = "gemini-3.5-flash", "gemini-2.5-flash"
NEW_TOKENS = 1000 * 1500 + 200 * 9000
OLD_TOKENS = 1000 * 300 + 200 * 2500


@pytest.mark.parametrize("url", [GEMINI.format(NEW), VERTEX.format(NEW, "generateContent")])
def test_gemini_3_bills_each_different_query(url: str) -> None:
    grounding = {"webSearchQueries": ["a", "b", "a", ""], **WEB}
    assert nano(url, SEARCH, gemini(NEW, grounding)) == NEW_TOKENS + 2 * 14_000_000


@pytest.mark.parametrize("url", [GEMINI.format(OLD), VERTEX.format(OLD, "generateContent")])
def test_gemini_2_bills_the_prompt_once_however_often_it_searched(url: str) -> None:
    grounding = {"webSearchQueries": ["a", "b", "c"], **WEB}
    assert nano(url, SEARCH, gemini(OLD, grounding)) == OLD_TOKENS + 35_000_000


def test_a_search_of_gemini_2_without_results_may_be_free_or_not() -> None:
    assert nano(GEMINI.format(OLD), SEARCH, gemini(OLD, {"webSearchQueries": ["a"]})) is None


def test_a_search_tool_that_was_not_used_costs_nothing() -> None:
    assert nano(GEMINI.format(NEW), SEARCH, gemini(NEW)) == NEW_TOKENS
    assert nano(GEMINI.format(NEW), SEARCH, gemini(NEW, {})) == NEW_TOKENS


def test_queries_of_a_stream_are_counted_over_all_its_chunks() -> None:
    chunks = [
        gemini(NEW, {"webSearchQueries": ["a"]}),
        gemini(NEW, {"webSearchQueries": ["a", "b"], **WEB}),
    ]
    url = GEMINI.format(NEW).replace("generate", "streamGenerate") + "?alt=sse"
    assert nano(url, SEARCH, events=chunks) == NEW_TOKENS + 2 * 14_000_000


@pytest.mark.parametrize(
    "grounding",
    [
        {"groundingChunks": [{"maps": {"uri": "https://maps.example"}}]},
        {"googleMapsWidgetContextToken": "t"},
        {"imageSearchQueries": ["a"]},
        {"groundingChunks": [{"retrievedContext": {"uri": "gs://x"}}]},
        {"retrievalQueries": ["a"]},
        {"webSearchQueries": ["a"], "groundingChunks": [{"somethingNew": {}}]},
    ],
)
@pytest.mark.parametrize("model", [NEW, OLD])
def test_what_else_gemini_was_grounded_on_has_no_known_price(model: str, grounding: Any) -> None:
    asked = {"contents": SEARCH["contents"]}
    assert nano(GEMINI.format(model), asked, gemini(model, grounding)) is None


@pytest.mark.parametrize("tool", ["enterpriseWebSearch", "enterprise_web_search", "retrieval", "googleMaps"])
def test_a_search_somewhere_else_is_none_of_google(tool: str) -> None:
    asked = {**SEARCH, "tools": [{tool: {}}]}
    found = {"webSearchQueries": ["a"], **WEB}
    assert nano(VERTEX.format(NEW, "generateContent"), asked, gemini(NEW, found)) is None


def test_the_gemini_api_searches_ones_own_files_for_free() -> None:
    asked = {**SEARCH, "tools": [{"fileSearch": {"fileSearchStoreNames": ["s"]}}]}
    found = {"groundingChunks": [{"retrievedContext": {"title": "a"}}]}
    assert nano(GEMINI.format(NEW), asked, gemini(NEW, found)) == NEW_TOKENS


INTERACTIONS = "https://generativelanguage.googleapis.com/v1beta/interactions"


def interaction(model: str, steps: list[Any], **usage: Any) -> dict[str, Any]:
    return {
        "id": "i",
        "status": "completed",
        "model": model,
        "steps": steps,
        "usage": {"total_input_tokens": 1000, "total_output_tokens": 200, "total_tokens": 1200, **usage},
    }


def searched(*queries: str) -> dict[str, Any]:
    return {"type": "google_search_call", "arguments": {"queries": list(queries)}}


@pytest.mark.parametrize(
    ("steps", "usage", "fee"),
    [
        ([searched("a", "b"), searched("a")], {}, 28_000_000),
        ([], {"grounding_tool_count": [{"type": "google_search", "count": 3}]}, 42_000_000),
        ([searched("a")], {"grounding_tool_count": [{"type": "google_search", "count": 1}]}, 14_000_000),
        ([searched("a")], {"grounding_tool_count": [{"type": "google_search", "count": 5}]}, None),
        ([], {"grounding_tool_count": [{"type": "google_maps", "count": 1}]}, None),
        ([], {"grounding_tool_count": [{"type": "retrieval", "count": 1}]}, None),
        ([{"type": "google_maps_call"}], {}, None),
        ([{"type": "a_new_call"}], {}, None),
        ([{"type": "url_context_call"}, {"type": "model_output"}], {}, 0),
    ],
)
def test_tools_of_interactions_are_paid_for(steps: Any, usage: Any, fee: int | None) -> None:
    asked = {"model": NEW, "input": "x", "tools": [{"type": "google_search"}]}
    found = nano(INTERACTIONS, asked, interaction(NEW, steps, **usage))
    assert found == (None if fee is None else NEW_TOKENS + fee)


def test_tools_of_a_streamed_interaction_are_paid_for() -> None:
    whole = interaction(NEW, [])
    del whole["steps"]
    events = [
        {"event_type": "interaction.created", "interaction": {"id": "i", "model": NEW}},
        {"event_type": "step.start", "step": searched()},
        {"event_type": "step.delta", "delta": searched("a", "b")},
        {"event_type": "interaction.completed", "interaction": whole},
    ]
    asked = {"model": NEW, "input": "x", "stream": True}
    assert nano(INTERACTIONS, asked, events=events) == NEW_TOKENS + 28_000_000


def response(model: str, *items: Any, **facts: Any) -> dict[str, Any]:
    return {
        "id": "r",
        "object": "response",
        "status": "completed",
        "model": model,
        "output": list(items),
        "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
        **facts,
    }


LOOKED = {"type": "web_search_call", "action": {"type": "search"}}
GPT_41, GPT_5 = 1000 * 2000 + 100 * 8000, 1000 * 1250 + 100 * 10_000


@pytest.mark.parametrize(
    ("model", "tool", "cost"),
    [
        ("gpt-4.1", "web_search", GPT_41 + 10_000_000),
        ("gpt-5", "web_search", GPT_5 + 10_000_000),
        ("gpt-5", "web_search_preview", GPT_5 + 10_000_000),
        ("gpt-5", "web_search_preview_2025_03_11", GPT_5 + 10_000_000),
        ("gpt-4.1", "web_search_preview", None),
        ("gpt-4o", "web_search_preview_2025_03_11", None),
        ("gpt-5-chat-latest", "web_search_preview", None),
    ],
)
@pytest.mark.parametrize("told_by", ["request", "answer"])
@pytest.mark.parametrize("streamed", [False, True])
def test_the_preview_of_the_search_costs_more_for_models_that_do_not_reason(
    model: str, tool: str, cost: int | None, told_by: str, streamed: bool
) -> None:
    asked = {"model": model, "input": "x", "stream": streamed}
    tools = {"tools": [{"type": tool}]}
    answered = response(model, LOOKED, **(tools if told_by == "answer" else {}))
    asked |= tools if told_by == "request" else {}
    if streamed:
        ended = [{"type": "response.completed", "response": answered}]
        assert nano(RESPONSES, asked, events=ended) == cost
    else:
        assert nano(RESPONSES, asked, answered) == cost


@pytest.mark.parametrize(
    "kind", ["shell_call", "image_generation_call", "code_interpreter_call", "x_search_call", "teleport_call"]
)
def test_a_tool_that_ran_and_has_no_known_price_leaves_the_call_without(kind: str) -> None:
    assert nano(RESPONSES, {"model": "gpt-5", "input": "x"}, response("gpt-5", {"type": kind})) is None


@pytest.mark.parametrize("kind", ["function_call", "mcp_call", "custom_tool_call", "message", "reasoning"])
def test_what_the_users_own_program_runs_is_not_paid_for(kind: str) -> None:
    assert nano(RESPONSES, {"model": "gpt-5", "input": "x"}, response("gpt-5", {"type": kind})) == GPT_5


def test_a_new_family_of_tools_in_tool_usage_leaves_the_call_without() -> None:
    asked = {"model": "gpt-5", "input": "x"}
    used = {"web_search": {"num_requests": 0}, "teleport": {"num_requests": 1}}
    assert nano(RESPONSES, asked, response("gpt-5", tool_usage=used)) is None
    used["teleport"]["num_requests"] = 0
    assert nano(RESPONSES, asked, response("gpt-5", tool_usage=used)) == GPT_5


@pytest.mark.parametrize("where", ["request", "answer"])
@pytest.mark.parametrize(
    ("window", "cost"), [("soonest", 1000 * 2000 + 100 * 10_000), ("2h", None), ("8h", None), ("new", None)]
)
def test_a_completion_window_has_a_price_of_its_own(window: str, cost: int | None, where: str) -> None:
    options = {"background_options": {"completion_window": window}}
    asked = {"model": "gpt-6.1-sol", "input": "x", **(options if where == "request" else {})}
    assert nano(RESPONSES, asked, response("gpt-6.1-sol", **(options if where == "answer" else {}))) == cost


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_that_searches_for_its_request_has_no_known_price(streamed: bool) -> None:
    asked: Any = {"model": "gpt-4o", "messages": [], "web_search_options": {}, "stream": streamed}
    facts: Any = {"events": [answer("gpt-4o")]} if streamed else {"answered": answer("gpt-4o")}
    assert nano(CHAT, asked, **facts) is None
    del asked["web_search_options"]
    assert nano(CHAT, asked, **facts) == 1000 * 2500 + 100 * 10_000


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_that_groq_ran_have_no_known_price(streamed: bool) -> None:
    url = "https://api.groq.com/openai/v1/chat/completions"
    asked = {"model": "openai/gpt-oss-120b", "messages": []}
    plain = answer("openai/gpt-oss-120b")
    part = "delta" if streamed else "message"
    ran = answer("openai/gpt-oss-120b")
    ran["choices"] = [{"index": 0, part: {"executed_tools": [{"type": "search"}]}, "finish_reason": "stop"}]

    def cost(body: Any) -> int | None:
        return nano(url, asked, events=[body]) if streamed else nano(url, asked, body)

    assert cost(plain) is not None
    assert cost(ran) is None


def test_usage_of_several_models_beside_the_usage_leaves_the_call_without() -> None:
    url = "https://api.groq.com/openai/v1/chat/completions"
    asked = {"model": "openai/gpt-oss-120b", "messages": []}
    several = {"models": [{"model": "m", "usage": {"prompt_tokens": 5}}]}
    assert nano(url, asked, {**answer("openai/gpt-oss-120b"), "usage_breakdown": several}) is None
    assert nano(url, asked, events=[{**answer("openai/gpt-oss-120b"), "usage_breakdown": several}]) is None


USAGE = {"input_tokens": 1000, "output_tokens": 100}
SONNET = 1000 * 3000 + 100 * 15_000


def ran(name: str) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": "t", "name": name, "input": {}}


@pytest.mark.parametrize(
    ("name", "asked", "fee"),
    [
        ("code_execution", {}, None),
        ("bash_code_execution", {}, None),
        ("bash_code_execution", {"tools": [{"type": "web_search_20260209"}]}, 0),
        ("bash_code_execution", {"tools": [{"type": "web_search_20250305"}]}, None),
        ("web_fetch", {}, 0),
        ("tool_search_tool_regex", {}, 0),
        ("web_search", {}, 10_000_000),  # where the usage does not count it
        ("teleport", {}, None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_that_anthropic_ran_are_paid_for(
    name: str, asked: Any, fee: int | None, streamed: bool
) -> None:
    request = {"model": "claude-sonnet-4-6", "messages": [], "max_tokens": 9, **asked}
    whole = claude(USAGE, content=[ran(name), {"type": "text", "text": "a"}])
    events = [
        {"type": "message_start", "message": {**whole, "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": ran(name)},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    found = nano(CLAUDE, request, events=events) if streamed else nano(CLAUDE, request, whole)
    assert found == (None if fee is None else SONNET + fee)


def test_a_search_that_the_usage_counts_is_paid_once() -> None:
    usage = {**USAGE, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1}}
    whole = claude(usage, content=[ran("web_search"), ran("web_search"), ran("web_fetch")])
    asked = {"model": "claude-sonnet-4-6", "messages": [], "max_tokens": 9}
    assert nano(CLAUDE, asked, whole) == SONNET + 20_000_000


def test_a_new_kind_of_use_of_anthropics_tools_leaves_the_call_without() -> None:
    usage = {**USAGE, "server_tool_use": {"teleport_requests": 1}}
    assert nano(CLAUDE, {"model": "claude-sonnet-4-6", "messages": []}, claude(usage)) is None


CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1:0/converse"
NOVA = {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}
NOVA_COST = 1000 * 60 + 100 * 240


def converse(*blocks: Any, stop: str = "end_turn", **facts: Any) -> dict[str, Any]:
    content = [{"text": "a"}, *blocks]
    message = {"role": "assistant", "content": content}
    return {"output": {"message": message}, "stopReason": stop, "usage": NOVA, **facts}


@pytest.mark.parametrize(
    ("asked", "answered", "cost"),
    [
        ({}, converse(), NOVA_COST),
        ({}, converse({"toolUse": {"name": "mine", "toolUseId": "1", "input": {}}}), NOVA_COST),
        ({}, converse({"toolUse": {"name": "nova_grounding", "type": "server_tool_use"}}), None),
        ({"guardrailConfig": {"guardrailIdentifier": "g"}}, converse(), None),
        ({}, converse(stop="guardrail_intervened"), None),
        ({"performanceConfig": {"latency": "optimized"}}, converse(), None),
        # asked for and not given: it was served at the standard price
        (
            {"performanceConfig": {"latency": "optimized"}},
            converse(performanceConfig={"latency": "standard"}),
            NOVA_COST,
        ),
        ({}, converse(performanceConfig={"latency": "optimized"}), None),
    ],
)
def test_bedrock_is_paid_for_more_than_tokens(asked: Any, answered: Any, cost: int | None) -> None:
    assert nano(CONVERSE, {"messages": [], **asked}, answered) == cost


@pytest.mark.parametrize(
    ("headers", "request_headers", "cost"),
    [
        ({}, {}, NOVA_COST),
        ({"x-amzn-bedrock-performanceconfig-latency": "optimized"}, {}, None),
        ({}, {"x-amzn-bedrock-guardrailidentifier": "g"}, None),
    ],
)
def test_so_is_invoke_model(headers: Any, request_headers: Any, cost: int | None) -> None:
    url = CONVERSE.replace("/converse", "/invoke")
    asked: dict[str, Any] = {"messages": []}
    assert nano(url, asked, converse(), headers=headers, request_headers=request_headers) == cost


@pytest.mark.parametrize(
    ("size", "cost"), [("high", 1000 * 1000 + 100 * 1000 + 12_000_000), ("low", None), (None, None)]
)
def test_perplexity_has_a_fee_for_each_request_that_depends_on_the_size(
    size: str | None, cost: int | None
) -> None:
    url = "https://api.perplexity.ai/chat/completions"
    assert chat("sonar", url, search_context_size=size) == cost


@pytest.mark.parametrize("model", ["gpt-4o-search-preview", "gpt-4o-mini-search-preview", "gpt-5-search-api"])
def test_models_that_always_search_have_a_fee_that_no_list_has(model: str) -> None:
    assert chat(model) is None


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4.1-mini-2025-04-14"])
def test_models_that_pay_for_a_block_of_tokens_for_each_search_have_no_known_price(model: str) -> None:
    asked = {"model": model, "input": "x", "tools": [{"type": "web_search"}]}
    assert nano(RESPONSES, asked, response(model, LOOKED)) is None
    assert nano(RESPONSES, asked, response(model)) is not None


def test_a_price_by_a_route_that_no_answer_tells_is_not_known() -> None:
    url = "https://openrouter.ai/api/v1/chat/completions"
    routed = [
        model.id
        for provider in PRICES_DATA
        if provider.id == "openrouter"
        for model in provider.models
        if any("route" in variant.when for variant in model.price_variants or ())
    ]
    assert routed
    assert [chat(model, url) for model in routed] == [None] * len(routed)
    assert chat("openai/gpt-4o", url) is not None


def test_a_guess_at_tokens_does_not_leave_out_what_else_was_used() -> None:
    """A stream without usage whose tokens are estimated still has its searches."""
    chunk = gemini(NEW, {"webSearchQueries": ["a", "b"], **WEB})
    del chunk["usageMetadata"]
    url = GEMINI.format(NEW).replace("generate", "streamGenerate") + "?alt=sse"
    call = paid(url, SEARCH, events=[chunk], estimate=True)
    assert call.usage.usage_source == "estimated"
    assert call.cost is not None
    tokens = (call.usage.prompt_tokens or 0) * 1500 + (call.usage.completion_tokens or 0) * 9000
    assert call.cost.cost_nanousd == tokens + 28_000_000


def test_an_answer_too_large_to_be_kept_still_says_what_it_searched_for() -> None:
    whole = json.dumps(gemini(NEW, {"webSearchQueries": ["a"], **WEB})).encode()
    found = paid(GEMINI.format(NEW), SEARCH, body=b'{"candidates":[{"cut off' + whole[2:])
    assert found.cost is not None
    assert found.cost.cost_nanousd == NEW_TOKENS + 14_000_000


def test_and_so_does_one_of_anthropic() -> None:
    whole = json.dumps(
        claude(USAGE, content=[ran("code_execution"), {"type": "text", "text": "a" * KEPT_HEAD}])
    )
    cut = whole.replace('"role"', '"ro', 1)  # no JSON any more
    asked = {"model": "claude-sonnet-4-6", "messages": [], "max_tokens": 9}
    call = paid(CLAUDE, asked, body=cut.encode())
    assert call.usage.prompt_tokens == 1000
    assert call.cost is None
