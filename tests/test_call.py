import os
import random
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu._ids import minting
from miharu.call import Call, Cost, Outcome, Usage, changed, filled, new_id

MOMENTS = st.integers(min_value=0, max_value=2**48 - 1)


@given(MOMENTS, st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_that_carries_its_moment(ms: int, noise: bytes) -> None:
    parsed = uuid.UUID(new_id(ms, noise))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == ms


@given(MOMENTS, MOMENTS)
def test_ids_of_later_milliseconds_sort_later(one: int, other: int) -> None:
    if one != other:
        assert (new_id(one) < new_id(other)) == (one < other)


def test_ids_differ() -> None:
    assert len({new_id(1) for _ in range(1000)}) == 1000


def test_ids_whose_noise_is_fetched_together_share_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = b""

    def urandom(size: int) -> bytes:
        nonlocal fetched
        fetched += (some := random.randbytes(size))
        return some

    monkeypatch.setattr(os, "urandom", urandom)
    mint = minting()
    ids = [mint(1) for _ in range(1000)]
    assert ids == [new_id(1, fetched[start : start + 10]) for start in range(0, 10_000, 10)]
    assert len(fetched) < 20_000


def test_what_is_filled_in_is_in_the_very_same_call() -> None:
    call = Call(id="a", timestamp=1, api="x", outcome=Outcome(status="success"))
    assert filled(call, attempt=2, cost=Cost(cost_nanousd=1, cost_source="own")) is call
    assert call == changed(call, attempt=2, cost=Cost(cost_nanousd=1, cost_source="own"))
    with pytest.raises(AttributeError):
        filled(call, no_such_fact=1)


def test_only_a_call_that_may_have_cost_something_is_unpriced() -> None:
    def call(outcome: Outcome, usage: Usage, cost: Cost | None = None) -> Call:
        return Call(id="1", timestamp=0, api="x", outcome=outcome, usage=usage, cost=cost)

    used, nothing = Usage(prompt_tokens=1), Usage()
    success, error = Outcome(status="success"), Outcome(status="error")
    assert call(success, used).is_unpriced
    assert call(success, nothing).is_unpriced
    assert call(error, used).is_unpriced
    assert not call(error, nothing).is_unpriced
    assert not call(success, used, Cost(cost_nanousd=0, cost_source="free")).is_unpriced


def test_a_changed_call_is_what_dataclasses_would_make_of_it() -> None:
    call = Call(id="1", timestamp=5, api="x", outcome=Outcome(status="success"), tags={"a": "b"}, stream=True)
    facts: dict[str, Any] = {"attempt": 2, "tags": None, "usage": Usage(prompt_tokens=1)}
    assert changed(call, **facts) == replace(call, **facts)
    assert changed(call) == call
