"""Every field of a usage object is known, or the call has no cost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.plugins import load
from miharu.pricing.billing.fields import COUNTED, FREE, PART, fields_of, numbers, unknown

FORMATS = sorted({provider().api for _, provider in load(providers.BUILT_IN)})


NAMED = {"assemblyai.transcripts", "elevenlabs", "fal", "xai.speech", "xai.transcripts"}
"""Formats without a usage object: their readers put one together, and name each quantity in it."""


@pytest.mark.parametrize("api", FORMATS)
def test_each_format_has_a_table(api: str) -> None:
    assert bool(fields_of(api)) != (api in NAMED)


def test_a_plug_ins_format_has_none() -> None:
    assert fields_of("acme.chat") is None


@pytest.mark.parametrize("api", FORMATS)
def test_what_a_table_calls_a_quantity_is_a_word(api: str) -> None:
    units = set((fields_of(api) or {}).values()) - {COUNTED, PART, FREE}
    assert all(unit.isidentifier() for unit in units)


@pytest.mark.parametrize(
    "field",
    [
        *("mystery_tokens", "usage.mysteryTokenCount", "server_tool_use.teleport_requests", "search_units"),
        *("num_pictures", "details.image_count", "audio_minutes", "iterations.new_tokens", "credits_used"),
        *("tool_calls.teleport_call", "generation_tokens", "prompt_video_seconds", "containers"),
    ],
)
def test_a_name_that_speaks_of_something_countable_is_unknown(field: str) -> None:
    assert unknown(field)


@pytest.mark.parametrize(
    "field",
    [
        *("total_time", "queue_time", "cost", "cost_details.upstream_inference_cost", "invocationLatency"),
        *("tokens_per_second", "prompt_cost", "total_duration", "created_at", "token_limit"),
        *("image_generation_cost", "tokenRatio", "load_duration"),
    ],
)
def test_one_that_says_something_about_it_is_not(field: str) -> None:
    assert not unknown(field)


def test_numbers_are_found_wherever_they_stand() -> None:
    raw = {
        "a": 1,
        "b": {"c": 2.5, "d": [{"e": 3}, {"e": 0}, 4]},
        "f": True,
        "g": None,
        "h": "5",
        "miharu": {"quantities": {"x": 6}},
    }
    assert list(numbers(raw)) == [("a", 1), ("b.c", 2.5), ("b.d.e", 3), ("b.d", 4)]


def test_what_is_too_deep_to_be_looked_at_is_unknown() -> None:
    deep: Any = {"tokens": 1}
    for _ in range(100):
        deep = {"x": [deep]}
    assert all(unknown(field) for field, _ in numbers(deep))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=20,
    )
)
def test_no_shape_of_it_raises(value: Any) -> None:
    for field, _ in numbers(value):
        unknown(field)
