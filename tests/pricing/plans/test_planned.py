"""Plans say what the long way says, of every call that was ever recorded and of any other."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.call import Call, Usage
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.pricing.plans.plan import FINE, Plan
from miharu.pricing.plans.planned import PlannedPrices
from miharu.recorder.reading.reader import Reader
from tests.corpus.fuzz import seeds
from tests.world import exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
LONG = GenaiPrices()
PLANNED = PlannedPrices(LONG)
CHAT = "https://api.openai.com/v1/chat/completions"


def read(**facts: Any) -> Call:
    call = Reader(FORMATS).read(exchange(**facts))
    assert call is not None
    return replace(call, cost=None)


def chat(usage: dict[str, Any], model: str = "gpt-4o-mini", **facts: Any) -> Call:
    return read(
        url=CHAT,
        asked={"model": model, "messages": []},
        body={"model": model, "choices": [{"message": {}, "finish_reason": "stop"}], "usage": usage},
        **facts,
    )


def test_every_exchange_costs_the_same_by_plan() -> None:
    planned = PlannedPrices(LONG)
    for facts, body in seeds():
        call = Reader(FORMATS).read(exchange(**facts, chunks=[body]))
        if call is None:
            continue
        unpriced = replace(call, cost=None)
        expected = LONG.cost(unpriced)
        assert planned.cost(unpriced) == expected, facts["url"]
        assert planned.cost(unpriced) == expected, facts["url"]  # the second time by the plan


MODELS = [
    "gpt-4o-mini",
    "gpt-4o-audio-preview",
    "gpt-5.4",
    "gpt-6-luna",
    "o4-mini",
    "gpt-image-1",
    "text-embedding-3-small",
    "deepseek-chat",
    "nobody-knows-it",
]
COUNTS = st.integers(0, 400_000)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    """Of OpenAI's dialect, parts of any size within their wholes or beyond."""
    usage: dict[str, Any] = {"prompt_tokens": draw(COUNTS), "completion_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage["prompt_tokens_details"] = draw(
            st.fixed_dictionaries(
                {}, optional={"cached_tokens": COUNTS, "audio_tokens": COUNTS, "cache_write_tokens": COUNTS}
            )
        )
    if draw(st.booleans()):
        usage["completion_tokens_details"] = draw(
            st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNTS, "audio_tokens": COUNTS})
        )
    if draw(st.integers(0, 9)) == 0:
        usage["new_kind_of_tokens"] = draw(COUNTS)
    return usage


@given(
    usages(),
    st.sampled_from(MODELS),
    st.sampled_from(["api.openai.com", "eu.api.openai.com", "api.deepseek.com", "localhost:1"]),
    st.sampled_from([None, "default", "flex", "priority", "batch", "nobody-knows-it"]),
    st.datetimes(datetime(2023, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - made aware below
)
def test_any_usage_costs_the_same_by_plan(
    usage: dict[str, Any], model: str, host: str, tier: str | None, at: datetime
) -> None:
    call = chat(usage, model)
    call = replace(
        call,
        host=host,
        provider=providers_of(host),
        service_tier=tier,
        timestamp=round(at.replace(tzinfo=UTC).timestamp() * 1000),
    )
    assert PLANNED.cost(call) == LONG.cost(call)


def providers_of(host: str) -> str | None:
    from miharu.providers.hosts import provider_of

    return provider_of(host)


@given(
    *(COUNTS for _ in range(4)),
    st.sampled_from(["claude-sonnet-4-5", "claude-opus-5-5", "claude-3-haiku-20240307"]),
)
def test_caches_of_two_lifetimes_cost_the_same_by_plan(
    read_: int, short: int, long: int, output: int, model: str
) -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": output,
        "cache_read_input_tokens": read_,
        "cache_creation_input_tokens": short + long,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
    }
    call = read(
        url="https://api.anthropic.com/v1/messages",
        asked={"model": model, "messages": [], "max_tokens": 9},
        body={"type": "message", "model": model, "content": [], "stop_reason": "end_turn", "usage": usage},
    )
    assert PLANNED.cost(call) == LONG.cost(call)


class Counted(GenaiPrices):
    """Says how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def cost(self, call: Call) -> Any:
        self.asked += 1
        return super().cost(call)


def asked_again(*calls: Call) -> int:
    """How often the long way was gone for calls that differ from the first in their counts."""
    counted = Counted()
    planned = PlannedPrices(counted)
    planned.cost(calls[0])
    counted.asked = 0
    for call in calls:
        assert planned.cost(call) == LONG.cost(call)
    return counted.asked


def test_calls_of_one_kind_need_the_list_once() -> None:
    assert asked_again(*(chat({"prompt_tokens": n, "completion_tokens": 9 * n}) for n in range(1, 50))) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"prompt_tokens": 7, "completion_tokens": 0},
        {"prompt_tokens": 7, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 9}},
        {"prompt_tokens": 7, "completion_tokens": 9, "new_kind_of_tokens": 2},
        {"prompt_tokens": 7, "completion_tokens": 9, "seconds": 2.5},
        {"prompt_tokens": 7, "completion_tokens": 9, "parts": [{"tokens": 3}]},
    ],
    ids=str,
)
def test_a_call_of_another_kind_does_not_take_that_plan(other: dict[str, Any]) -> None:
    assert asked_again(chat({"prompt_tokens": 7, "completion_tokens": 9}), chat(other)) >= 1


def test_a_prompt_beyond_the_first_size_goes_the_long_way() -> None:
    """Gemini 2.5 Pro costs more from 200,000 tokens on."""
    call = replace(
        chat({"prompt_tokens": 100, "completion_tokens": 9}, "gemini-2.5-pro"),
        provider="gcp.gemini",
        host="generativelanguage.googleapis.com",
    )
    large = replace(call, usage=replace(call.usage, prompt_tokens=200_001))
    assert asked_again(call, call) == 0
    assert asked_again(call, large) == 1


def test_a_price_by_the_hour_goes_the_long_way() -> None:
    call = replace(
        chat({"prompt_tokens": 100, "completion_tokens": 9}, "deepseek-chat"),
        provider="deepseek",
        host="api.deepseek.com",
        timestamp=1_740_000_000_000,
    )
    hours = [replace(call, timestamp=call.timestamp + hour * 3_600_000) for hour in range(24)]
    assert [PLANNED.cost(each) for each in hours] == [LONG.cost(each) for each in hours]


def test_newer_data_takes_the_place_of_all_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    call = chat({"prompt_tokens": 1_000_000, "completion_tokens": 0}, "gpt-4o-mini")
    long = GenaiPrices()
    planned = PlannedPrices(long)
    before = planned.cost(call)
    assert before is not None
    newer = replace(long.snapshot, from_auto_update=True)
    monkeypatch.setattr(long, "_get_snapshot", lambda: newer)
    after = planned.cost(call)
    assert after is not None
    assert after.cost_nanousd == before.cost_nanousd
    assert after.price_version != before.price_version


def test_half_a_nano_dollar_is_rounded_to_the_even_one() -> None:
    """0.0375 dollars a million tokens are 37.5 nano-dollars a token."""
    calls = [
        replace(
            chat({"prompt_tokens": count, "completion_tokens": 1}, "gemini-1.5-flash-8b"),
            provider="gcp.gemini",
            host="generativelanguage.googleapis.com",
        )
        for count in range(1, 60)
    ]
    assert [PLANNED.cost(call) for call in calls] == [LONG.cost(call) for call in calls]


@pytest.mark.parametrize(("tokens", "nano"), [(1, 2), (3, 8), (5, 12), (7, 18)])
def test_half_a_nano_dollar_goes_to_the_even_one(tokens: int, nano: int) -> None:
    """2.5 nano-dollars a token."""
    plan = Plan(
        rates=(("cached_tokens", 5 * FINE // 2),),
        source="test",
        version="1",
        since=0,
        until=1,
        below=1,
    )
    assert plan.cost(Usage(cached_tokens=tokens)).cost_nanousd == nano
