import json
import random
from typing import Any

import pytest

from miharu.call import Call, Outcome, Usage
from miharu.recorder.waste import prefixes
from miharu.recorder.waste.prefixes import LIFETIME_MS, Prefixes
from miharu.testing.store_contract import NOON, make_call


def words(number: int, seed: int = 0) -> str:
    """So many tokens, about, at four bytes each."""
    rng = random.Random(seed)
    return " ".join(f"{rng.randrange(10**3):03}" for _ in range(number))


SYSTEM = words(4000)


def body(question: str = "?", system: str = SYSTEM, **more: Any) -> bytes:
    said = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return json.dumps({"model": "gpt-4o", "messages": said, **more}).encode()


def call(at: int = 0, cached: int | None = 0, tokens: int = 4020, **facts: Any) -> Call:
    """A call that began so many milliseconds after noon and took 100."""
    usage = Usage(prompt_tokens=tokens, cached_tokens=cached, completion_tokens=5, usage_source="provider")
    return make_call(**({"timestamp": NOON + at, "model": "gpt-4o", "usage": usage} | facts))


@pytest.fixture
def known() -> Prefixes:
    known = Prefixes()
    assert known.missed(call(), body()) is None
    return known


def test_a_prefix_that_no_cache_served_is_a_miss(known: Prefixes) -> None:
    missed = known.missed(call(200), body("Another question?"))
    assert missed is not None
    assert 3500 <= missed <= 4000
    assert missed % 128 == 0


def test_what_was_read_from_a_cache_is_no_miss(known: Prefixes) -> None:
    assert known.missed(call(200, cached=3968), body("Another?")) is None
    assert known.missed(call(300, cached=3072), body("And another?")) is None


def test_a_part_that_no_cache_served_is_a_miss_of_that_part(known: Prefixes) -> None:
    missed = known.missed(call(200, cached=1024), body("Another?"))
    assert missed is not None
    assert 2500 <= missed <= 3000


def test_a_conversation_that_goes_on_shares_all_but_its_end(known: Prefixes) -> None:
    turns = [{"role": "user", "content": words(1000, seed)} for seed in range(3)]
    grown = json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "system", "content": SYSTEM}, *turns]}
    ).encode()
    assert known.missed(call(200, cached=3968, tokens=7030), grown) is None
    longer = json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "system", "content": SYSTEM}, *turns, *turns[:1]]}
    ).encode()
    missed = known.missed(call(400, cached=3968, tokens=8040), longer)
    assert missed is not None
    assert 2600 <= missed <= 3100


@pytest.mark.parametrize(
    "facts",
    [
        {"provider": "azure.ai.openai"},
        {"model": "gpt-4o-mini"},
        {"request_model": "other"},
        {"host": "elsewhere"},
        {"api": "openai.responses"},
    ],
)
def test_another_model_or_place_has_another_cache(known: Prefixes, facts: dict[str, Any]) -> None:
    assert known.missed(call(200, **facts), body("Another?")) is None


def test_another_cache_key_is_another_cache(known: Prefixes) -> None:
    assert known.missed(call(200), body("Another?", prompt_cache_key="ann")) is None


def test_a_change_at_the_beginning_shares_nothing(known: Prefixes) -> None:
    assert known.missed(call(200), body(system="Today is Monday. " + SYSTEM)) is None


def test_a_short_prefix_is_not_cached() -> None:
    known = Prefixes()
    short = words(900)
    known.missed(call(tokens=920), body(system=short))
    assert known.missed(call(200, tokens=1500), body(words(580, 1), system=short)) is None


def test_some_models_cache_longer_prefixes_only(known: Prefixes) -> None:
    haiku: dict[str, Any] = {"model": "claude-haiku-4-5", "provider": "anthropic"}
    known.missed(call(0, **haiku), body())
    assert known.missed(call(200, **haiku), body("Another?")) is None


def test_a_cache_forgets(known: Prefixes) -> None:
    assert known.missed(call(LIFETIME_MS + 101), body("Another?")) is None
    assert known.missed(call(LIFETIME_MS + 300), body("Another?")) is not None


def test_a_cache_keeps_what_is_used(known: Prefixes) -> None:
    for minute in range(1, 12, 2):
        assert known.missed(call(minute * 60_000), body(str(minute))) is not None


def test_calls_under_way_together_cannot_share(known: Prefixes) -> None:
    fresh = Prefixes()
    fresh.missed(call(0), body("one"))
    assert fresh.missed(call(99), body("two")) is None
    assert fresh.missed(call(150), body("three")) is not None


def test_a_prefix_can_be_read_once_the_answer_begins() -> None:
    known = Prefixes()
    known.missed(call(0, ttft_ms=10, duration_ms=60_000), body("one"))
    assert known.missed(call(50), body("two")) is not None


def test_later_calls_that_ended_earlier_hide_nothing(known: Prefixes) -> None:
    """A long call is read after shorter ones that began after it."""
    known.missed(call(5000), body("short"))
    assert known.missed(call(200, duration_ms=60_000), body("long")) is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"outcome": Outcome(status="error", http_status=500)},
        {"outcome": Outcome(status="cancelled", http_status=200)},
        {"usage": Usage(prompt_tokens=4020, completion_tokens=1, usage_source="estimated")},
        {"usage": Usage()},
    ],
)
def test_only_what_was_answered_and_counted_is_judged(known: Prefixes, facts: dict[str, Any]) -> None:
    assert known.missed(call(200, **facts), body("Another?")) is None


def test_what_failed_leaves_nothing_in_a_cache() -> None:
    known = Prefixes()
    known.missed(call(outcome=Outcome(status="error", http_status=429)), body())
    assert known.missed(call(200), body("Another?")) is None


def test_a_stream_that_was_left_leaves_its_prompt_in_the_cache() -> None:
    known = Prefixes()
    known.missed(call(outcome=Outcome(status="cancelled", http_status=200), usage=Usage()), body())
    assert known.missed(call(200), body("Another?")) is not None


def test_tokens_that_the_bytes_do_not_tell_of_are_passed_over(known: Prefixes) -> None:
    """A picture by its address, or a conversation that lies with the provider."""
    assert known.missed(call(200, tokens=15_000), body("What is on https://example.com/a.png?")) is None
    assert known.missed(call(400, tokens=1100), body("Another?")) is None


def test_it_remembers_so_many_blocks_and_no_more(known: Prefixes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "REMEMBERED", 20)
    known.missed(call(200), body(system=words(4000, seed=1)))
    assert len(known._seen) == 20
    assert known.missed(call(400), body("Another?")) is None


def test_it_keeps_hashes_alone(known: Prefixes) -> None:
    assert all(type(key) is bytes and len(key) == 8 for key in known._seen)


@pytest.mark.parametrize(("more", "blocks"), [(-1, 2), (0, 3), (1, 3)])
def test_a_prompt_shares_the_blocks_that_are_whole(
    more: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last block counts when it is there to its last byte."""
    monkeypatch.setattr(prefixes, "prompt_of", lambda body: body)
    prompt = b"x" * (3 * prefixes.BLOCK + more)
    tokens = len(prompt) // 2
    known = Prefixes()
    facts: dict[str, Any] = {"cached": 0, "tokens": tokens}
    assert known.missed(call(**facts), prompt) is None
    assert len(known._seen) == blocks
    expected = tokens * blocks * prefixes.BLOCK // len(prompt) // prefixes.STEP * prefixes.STEP
    assert known.missed(call(200, **facts), prompt) == (expected if expected >= prefixes.MINIMUM else None)


def test_of_a_long_prompt_only_the_first_blocks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "prompt_of", lambda body: body)
    monkeypatch.setattr(prefixes, "LONGEST", 4)
    known = Prefixes()
    known.missed(call(), b"x" * (9 * prefixes.BLOCK))
    assert len(known._seen) == 4
