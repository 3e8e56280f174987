"""What a provider says of a call, and what of it is believed."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu._bounds import MOST_MS, MOST_NANOUSD, MOST_TOKENS, bounded, payable
from miharu.call import Call, Cost, Usage
from miharu.plugins import load
from miharu.recorder.costing.costs import priced
from miharu.recorder.reading.reader import Reader
from miharu.testing.store_contract import make_call
from tests.hostile import FIGURES
from tests.world import exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi."}]}


def read(usage: object, **facts: Any) -> Call:
    answer = {"id": "x", "model": "gpt-4o", "choices": [], "usage": usage, **facts.pop("answer", {})}
    call = Reader(FORMATS).read(exchange(asked=ASKED, body=answer, **facts))
    assert call is not None
    return call


@pytest.mark.parametrize("figure", [one for one in FIGURES if not isinstance(one, dict | list)], ids=repr)
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_a_count_that_cannot_be_is_not_believed_and_neither_are_those_beside_it(
    figure: object, name: str
) -> None:
    said = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, name: figure}
    call = read(said)
    if name == "total_tokens":  # it is looked at where it says that something is missing
        assert call.usage.usage_source == "provider" or call.usage.prompt_tokens is None
        return
    assert call.usage == Usage(usage_source="none", usage_raw=call.usage.usage_raw)
    assert name in json.loads(call.usage.usage_raw or "")
    assert call.outcome.status == "success"


@pytest.mark.parametrize("name", ["cached_tokens", "audio_tokens"])
def test_a_part_that_cannot_be_spoils_the_whole(name: str) -> None:
    call = read({"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {name: 2**40}})
    assert (call.usage.usage_source, call.usage.prompt_tokens) == ("none", None)


def test_what_can_be_is_believed() -> None:
    call = read({"prompt_tokens": MOST_TOKENS, "completion_tokens": 0})
    assert (call.usage.usage_source, call.usage.prompt_tokens) == ("provider", MOST_TOKENS)


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        (0.5, 500_000_000),
        (900, MOST_NANOUSD),
        (900.01, None),
        (1e300, None),
        (-1, None),
        ("NaN", None),
        ("1e400", None),
        (True, None),
    ],
)
def test_a_cost_that_cannot_be_is_not_believed(said: object, cost: int | None) -> None:
    call = read({"prompt_tokens": 3, "completion_tokens": 4, "cost": said})
    assert (call.cost.cost_nanousd if call.cost else None) == cost


def test_neither_is_one_from_a_price_list() -> None:
    class Dear:
        def cost(self, call: Call) -> Cost:
            return Cost(cost_nanousd=MOST_NANOUSD + 1, cost_source="mine")

    assert priced(make_call(cost=None), Dear()).cost is None
    assert payable(Cost(cost_nanousd=MOST_NANOUSD, cost_source="mine")) is not None


@pytest.mark.parametrize("ago", [-10, 1e9, 1e12, 2**62, -1, 1e300])
def test_a_background_call_did_not_begin_when_nothing_could(ago: float) -> None:
    answer = {"id": "resp_1", "object": "response", "status": "completed", "background": True, "output": []}
    made = exchange(
        "https://api.openai.com/v1/responses/resp_1",
        method="GET",
        body={**answer, "created_at": ago, "completed_at": 2**60},
    )
    call = Reader(FORMATS).read(made)
    assert call is None or (
        1_420_070_400_000 <= call.timestamp <= made.timestamp + 86_400_000
        and 0 <= call.duration_ms <= MOST_MS
    )


def test_a_clock_that_jumps_makes_no_absurd_time() -> None:
    made = exchange(asked=ASKED, body={"choices": []})
    for ended in (made.started - 10**15, made.started + 10**22):
        made.ended = ended
        call = Reader(FORMATS).read(made)
        assert call is not None
        assert 0 <= call.duration_ms <= MOST_MS


@pytest.mark.parametrize(
    "value", ["1e99", "-5", "nan", "inf", "9" * 400, "Mon, 01 Jan 99999 00:00:00 GMT", "x" * 70_000]
)
def test_headers_say_no_absurd_time(value: str) -> None:
    call = read({"prompt_tokens": 1}, headers={"retry-after": value, "retry-after-ms": value}, status=429)
    assert call.outcome.retry_after_ms is None


def test_texts_are_cut_and_still_told_apart() -> None:
    one, two = (read({}, answer={"model": "m " * 50_000 + end, "id": "i " * 50_000}) for end in "ab")
    assert one.model != two.model
    for call in (one, two):
        assert len(call.model or "") == len(call.response_id or "") == 500


def test_a_model_that_is_no_text_is_still_a_call() -> None:
    call = read({}, answer={"model": "half \ud83d", "id": "a\0b"})
    assert (call.model, call.response_id) == ("half ?", "a\ufffdb")


def test_a_usage_of_megabytes_is_kept_in_part() -> None:
    call = read({"prompt_tokens": 3, **{f"a{number}": number for number in range(50_000)}})
    kept = json.loads(call.usage.usage_raw or "")
    assert kept["cut_off"].startswith('{"prompt_tokens":3')
    assert len(call.usage.usage_raw or "") < 33_000


def test_a_usage_that_is_nested_deeply_is_still_a_call() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    assert read({"prompt_tokens": 3, "x": deep}).usage.prompt_tokens == 3


def test_a_reader_that_fails_costs_the_usage_and_not_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")

    class Broken:
        api = "openai.chat"
        rules = FORMATS[0].rules

        def read(self, wire: Any) -> Any:
            raise ValueError("broken")

    reader = Reader([Broken()])
    call = reader.read(exchange(asked=ASKED, body={"usage": {}}, status=503))
    assert call is not None
    assert (call.outcome.status, call.outcome.http_status) == ("error", 503)
    assert reader.read(exchange("https://unknown.example/v1/chat/completions", asked=ASKED, body={})) is None


@given(
    st.builds(Usage, prompt_tokens=st.integers(), usage_raw=st.none() | st.text()), st.integers(), st.text()
)
def test_what_is_bounded_once_stays_as_it_is(usage: Usage, number: int, text: str) -> None:
    call = make_call(usage=usage, duration_ms=number, ttft_ms=number, model=text * 60)
    once = bounded(call)
    assert bounded(once) is once
    assert Decimal(once.duration_ms) <= MOST_MS
