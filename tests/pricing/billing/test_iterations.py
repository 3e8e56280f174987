"""What Claude used beside the usage's own counts is in the cost, each at its model's price."""

from typing import Any

import pytest

from miharu.pricing.explain import explain
from tests.pricing.paid import CLAUDE, PRICES, claude, nano, paid

ASKED = {"model": "claude-sonnet-5", "messages": [], "max_tokens": 9}


def step(kind: str | None, tokens_in: int, tokens_out: int, **more: Any) -> dict[str, Any]:
    named = {"type": kind} if kind else {}
    return {**named, "input_tokens": tokens_in, "output_tokens": tokens_out, **more}


def usage(*steps: dict[str, Any], tokens: tuple[int, int] = (1000, 100), **more: Any) -> dict[str, Any]:
    return {"input_tokens": tokens[0], "output_tokens": tokens[1], "iterations": list(steps), **more}


MESSAGE = step("message", 1000, 100)
OWN = 1000 * 2000 + 100 * 10_000


@pytest.mark.parametrize(
    ("used", "cost"),
    [
        (usage(), OWN),
        (usage(MESSAGE), OWN),
        (usage(step(None, 1000, 100)), OWN),
        (usage(step("message", 400, 60), step("message", 600, 40)), OWN),
        (usage(step("compaction", 180_000, 3500), MESSAGE), OWN + 180_000 * 2000 + 3500 * 10_000),
        (
            usage(step("compaction", 10, 20, cache_read_input_tokens=50_000), MESSAGE),
            OWN + 10 * 2000 + 50_000 * 200 + 20 * 10_000,
        ),
        (
            usage(
                step("compaction", 0, 0, cache_creation_input_tokens=100),
                MESSAGE,
            ),
            OWN + 100 * 2500,
        ),
        (
            usage(
                step(
                    "compaction",
                    0,
                    0,
                    cache_creation_input_tokens=100,
                    cache_creation={"ephemeral_1h_input_tokens": 100},
                ),
                MESSAGE,
            ),
            OWN + 100 * 4000,
        ),
        # an advisor is another model, at its own price
        (
            usage(MESSAGE, step("advisor_message", 2500, 20, model="claude-opus-4-8")),
            OWN + 2500 * 5000 + 20 * 25_000,
        ),
        (usage(MESSAGE, step("advisor_message", 2500, 20, model="claude-of-tomorrow")), None),
        (usage(MESSAGE, step("advisor_message", 2500, 20)), None),
        # of a fallback it is not told which hops are billed
        (usage(MESSAGE, step("fallback_message", 5, 5, model="claude-opus-4-8")), None),
        (usage(MESSAGE, step("dream", 5, 5)), None),
        # the entries do not add up to the whole
        (usage(step("message", 999, 100)), None),
        (usage(step("message", 1000, 100, mystery_tokens=3)), None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_iterations_are_billed(used: dict[str, Any], cost: int | None, streamed: bool) -> None:
    if not streamed:
        assert nano(CLAUDE, ASKED, claude(used, "claude-sonnet-5")) == cost
        return
    started = {"input_tokens": 1000, "output_tokens": 1}
    events = [
        {"type": "message_start", "message": claude(started, "claude-sonnet-5", stop_reason=None)},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": used},
        {"type": "message_stop"},
    ]
    assert nano(CLAUDE, {**ASKED, "stream": True}, events=events) == cost


def test_what_a_compaction_read_from_the_cache_is_not_the_messages() -> None:
    """Anthropic's message_delta takes back what message_start has said of it."""
    started = {"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 55_096}
    ended = {
        **usage(
            step("compaction", 100, 83, cache_read_input_tokens=55_096),
            step("message", 181, 8),
            tokens=(181, 8),
        ),
        "cache_read_input_tokens": 0,
    }
    events = [
        {"type": "message_start", "message": claude(started, "claude-sonnet-5", stop_reason=None)},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": ended},
        {"type": "message_stop"},
    ]
    call = paid(CLAUDE, {**ASKED, "stream": True}, events=events)
    assert (call.usage.prompt_tokens, call.usage.cached_tokens) == (181, 0)
    assert call.cost is not None
    assert call.cost.cost_nanousd == 181 * 2000 + 8 * 10_000 + 100 * 2000 + 55_096 * 200 + 83 * 10_000


def test_a_price_by_the_length_of_a_prompt_is_that_of_one_request() -> None:
    """Two requests of 60,000 tokens are no prompt of 120,000."""
    haiku = "claude-haiku-5-5"
    asked = {**ASKED, "model": haiku}
    parts = (step("message", 60_000, 50), step("message", 60_000, 50))
    assert nano(CLAUDE, asked, claude(usage(*parts, tokens=(120_000, 100)), haiku)) is None
    one = usage(step("message", 120_000, 100), tokens=(120_000, 100))
    assert nano(CLAUDE, asked, claude(one, haiku)) == 120_000 * 500 + 100 * 2500


@pytest.mark.parametrize(
    ("status", "cost"),
    [
        ({"type": "redeemed"}, None),
        ({"type": "not_applied", "reason": "expired"}, OWN),
        ({"type": "new"}, None),
    ],
)
def test_a_credit_that_was_redeemed_changes_the_bill_by_nobody_knows_what(
    status: Any, cost: int | None
) -> None:
    used = usage(fallback_credit={"status": status})
    assert nano(CLAUDE, ASKED, claude(used, "claude-sonnet-5")) == cost


def test_bedrock_speaks_of_them_as_well() -> None:
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/global.anthropic.claude-sonnet-5-v1:0/invoke"
    used = usage(step("compaction", 1000, 10), MESSAGE)
    assert nano(url, ASKED, claude(used, "claude-sonnet-5")) == OWN + 1000 * 2000 + 10 * 10_000


def test_a_cost_of_several_models_is_explained_line_by_line() -> None:
    used = usage(MESSAGE, step("advisor_message", 2500, 20, model="claude-opus-4-8"))
    call = paid(CLAUDE, ASKED, claude(used, "claude-sonnet-5"))
    found = explain(PRICES, call)
    assert found is not None
    assert call.cost is not None
    assert found.nanousd == call.cost.cost_nanousd == round(sum(line.nanousd for line in found.lines))
    assert [line.kind for line in found.lines] == [
        "Input",
        "Output",
        "Input, Claude Opus 4.8",
        "Output, Claude Opus 4.8",
    ]


def test_so_is_one_with_fees_and_of_a_place() -> None:
    searched = {"input_tokens": 10, "output_tokens": 10, "server_tool_use": {"web_search_requests": 2}}
    call = paid(CLAUDE, ASKED, claude(searched, "claude-sonnet-5"))
    found = explain(PRICES, call)
    assert found is not None
    assert [line.kind for line in found.lines] == ["Input", "Output", "Web searches"]
    assert found.nanousd == 10 * 2000 + 10 * 10_000 + 20_000_000
    url = (
        "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/publishers/"
        "anthropic/models/claude-sonnet-4-6:rawPredict"
    )
    call = paid(url, {"messages": []}, claude({"input_tokens": 1000, "output_tokens": 100}))
    found = explain(PRICES, call)
    assert found is not None
    assert call.cost is not None
    assert found.nanousd == call.cost.cost_nanousd
    assert [str(line.price.normalize()) for line in found.lines] == ["3.3", "16.5"]
    assert found.place == "1.1 times the list's price, for where it was answered"
