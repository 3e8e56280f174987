"""What a stream has counted is not taken back by a later zero."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Call
from miharu.wire.json import later
from tests.pricing.paid import CHAT, CLAUDE, answer, claude, gemini, paid

RELAY = "http://relay.internal/v1/messages"
ASKED = {"model": "claude-sonnet-4-6", "messages": [], "max_tokens": 9, "stream": True}


def message(start: dict[str, Any], *deltas: dict[str, Any], url: str = CLAUDE) -> Call:
    revised = [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta} for delta in deltas
    ]
    events = [
        {"type": "message_start", "message": claude(start, stop_reason=None)},
        *revised,
        {"type": "message_stop"},
    ]
    return paid(url, ASKED, events=events)


STARTED = {"input_tokens": 2500, "output_tokens": 1, "cache_read_input_tokens": 100}


@pytest.mark.parametrize("url", [CLAUDE, RELAY])
@pytest.mark.parametrize(
    "delta",
    [
        {"output_tokens": 51},
        {"input_tokens": 0, "output_tokens": 51},
        {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 51},
        {"input_tokens": None, "cache_read_input_tokens": 0, "output_tokens": 51},
    ],
)
def test_a_prompt_of_nothing_takes_nothing_back(url: str, delta: dict[str, Any]) -> None:
    usage = message(STARTED, delta, url=url).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (2600, 100, 51)


def test_a_relay_that_repeats_one_count_as_zero_takes_nothing_back() -> None:
    usage = message(STARTED, {"input_tokens": 2500, "cache_read_input_tokens": 0}, url=RELAY).usage
    assert (usage.prompt_tokens, usage.cached_tokens) == (2600, 100)


def test_anthropic_itself_revises_counts_upwards_and_to_zero() -> None:
    usage = message(STARTED, {"input_tokens": 2600, "cache_read_input_tokens": 0, "output_tokens": 5}).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (2600, 0, 5)


def test_of_several_deltas_the_last_that_counts_holds() -> None:
    call = message(STARTED, {"output_tokens": 51}, {"output_tokens": 0}, url=RELAY)
    assert call.usage.completion_tokens == 51


HOUR = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 300}
FIVE = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0}
BOTH = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}


@pytest.mark.parametrize(
    ("parts", "lifetimes", "written"),
    [
        (HOUR, (0, 500), 500 * 6000),
        (FIVE, (500, 0), 500 * 3750),
        (BOTH, (None, None), None),
    ],
)
@pytest.mark.parametrize("url", [CLAUDE, RELAY])
def test_a_revised_sum_of_cache_writes_keeps_its_lifetime_where_all_of_it_has_one(
    parts: dict[str, int], lifetimes: tuple[int | None, int | None], written: int | None, url: str
) -> None:
    start = {
        "input_tokens": 10,
        "output_tokens": 1,
        "cache_creation_input_tokens": 300,
        "cache_creation": parts,
    }
    call = message(start, {"cache_creation_input_tokens": 500, "output_tokens": 500}, url=url)
    usage = call.usage
    assert usage.cache_write_tokens == 500
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == lifetimes
    cost = call.cost and call.cost.cost_nanousd
    assert cost == (None if written is None else 10 * 3000 + written + 500 * 15_000)


ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    "last",
    [
        {"usage": ZEROS, "choices": []},
        {"usage": {**ZEROS, "prompt_tokens_details": {"cached_tokens": 0}}, "choices": []},
        {"usage": None, "choices": []},
        {"choices": []},
    ],
)
def test_a_chunk_of_zeros_takes_nothing_back_of_a_chat(last: dict[str, Any]) -> None:
    first = answer("gpt-4o", prompt_tokens_details={"cached_tokens": 40})
    call = paid(CHAT, {"model": "gpt-4o", "messages": [], "stream": True}, events=[first, last])
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (1000, 100)


def test_nor_of_a_response() -> None:
    whole = {"id": "r", "status": "completed", "model": "gpt-5", "output": []}
    counted = {"input_tokens": 1000, "output_tokens": 100}
    events = [
        {"type": "response.in_progress", "response": {**whole, "usage": counted}},
        {
            "type": "response.completed",
            "response": {**whole, "usage": {"input_tokens": 0, "output_tokens": 0}},
        },
    ]
    call = paid(
        "http://relay.internal/v1/responses", {"model": "gpt-5", "input": "x", "stream": True}, events=events
    )
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (1000, 100)


def test_nor_of_gemini() -> None:
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:streamGenerateContent"
    last = gemini("gemini-3.5-flash", promptTokenCount=0, candidatesTokenCount=250)
    asked = {"contents": [{"parts": [{"text": "x"}]}]}
    call = paid(f"{url}?alt=sse", asked, events=[gemini("gemini-3.5-flash"), last])
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (1000, 250)


def test_nor_of_an_interaction() -> None:
    counted = {"total_input_tokens": 1000, "total_output_tokens": 100}
    whole = {"id": "i", "status": "completed", "model": "gemini-3.5-flash"}
    events = [
        {"event_type": "interaction.created", "interaction": {**whole, "usage": counted}},
        {
            "event_type": "interaction.completed",
            "interaction": {**whole, "usage": {"total_input_tokens": 0, "total_output_tokens": 120}},
        },
    ]
    url = "https://generativelanguage.googleapis.com/v1beta/interactions"
    call = paid(url, {"model": "gemini-3.5-flash", "input": "x", "stream": True}, events=events)
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (1000, 120)


@given(
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 3)),
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 3)),
)
def test_a_later_state_has_the_fields_of_the_later_one_and_no_new_zero(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = later(before, after)
    assert found.keys() == after.keys()
    assert all(found[name] == (value or before.get(name) or value) for name, value in after.items())
