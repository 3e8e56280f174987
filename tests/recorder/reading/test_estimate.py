from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.estimate import tokens_of
from miharu.recorder.reading.reader import Reader
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello to everybody here."}]}
CHUNKS = [{"choices": [{"delta": {"content": word}}]} for word in ("Hello ", "every", "body!")]
STREAM = {"content-type": "text/event-stream"}


def read(**facts: Any) -> Call:
    asked = facts.pop("asked", ASKED)
    call = Reader(FORMATS, estimate_usage=True).read(exchange(asked=asked, headers=STREAM, **facts))
    assert call is not None
    return call


def test_a_stream_without_usage_is_guessed_and_marked() -> None:
    usage = read(chunks=sse(*CHUNKS)).usage
    assert usage.usage_source == "estimated"
    assert (usage.prompt_tokens, usage.completion_tokens) == (8, 4)
    assert usage.usage_raw is None


def test_a_stream_that_was_left_is_guessed_by_what_came() -> None:
    call = read(chunks=sse(*CHUNKS[:1], done=False), end="closed")
    assert call.outcome.status == "cancelled"
    assert (call.usage.usage_source, call.usage.completion_tokens) == ("estimated", 2)


def test_reported_usage_stays() -> None:
    usage = read(
        chunks=sse(*CHUNKS, {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    ).usage
    assert (usage.usage_source, usage.prompt_tokens, usage.completion_tokens) == ("provider", 1, 2)


@pytest.mark.parametrize(
    "facts", [{"status": 500, "body": {"error": "x"}}, {"chunks": sse()}, {"chunks": []}]
)
def test_where_nothing_was_said_nothing_is_guessed(facts: dict[str, Any]) -> None:
    assert read(**facts).usage.usage_source == "none"


def test_nothing_is_guessed_unless_asked_for() -> None:
    call = Reader(FORMATS).read(exchange(asked=ASKED, headers=STREAM, chunks=sse(*CHUNKS)))
    assert call is not None
    assert (call.usage.usage_source, call.usage.prompt_tokens) == ("none", None)


def test_an_inlined_picture_is_no_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    asked = {**ASKED, "messages": [{"role": "user", "content": [picture]}]}
    assert (read(asked=asked, chunks=sse(*CHUNKS)).usage.prompt_tokens or 0) < 20


@given(st.text())
def test_a_guess_is_a_small_positive_number(text: str) -> None:
    assert 0 <= tokens_of(text) <= len(text) + 2


def test_other_scripts_take_more() -> None:
    assert tokens_of("watch over") == 3
    assert tokens_of("\u898b\u5f35\u308b") == 2
