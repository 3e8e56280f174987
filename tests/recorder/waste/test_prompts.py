import json
from typing import Any

import pytest

from miharu.recorder.waste.prompts import prompt_of


def prompt(**body: Any) -> bytes:
    found = prompt_of(json.dumps(body).encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fixed", "varying"),
    [
        ("tools", "messages"),  # OpenAI, Anthropic
        ("system", "messages"),
        ("instructions", "input"),  # OpenAI's Responses
        ("systemInstruction", "contents"),  # Gemini
        ("response_format", "messages"),
        ("tools", "system"),
    ],
)
def test_what_is_fixed_comes_first_whatever_the_order_in_the_body(fixed: str, varying: str) -> None:
    one = prompt(**{"model": "m", varying: "what varies", fixed: "what is fixed"})
    assert one == prompt(**{fixed: "what is fixed", "model": "m", varying: "what varies"})
    assert one.index(b"what is fixed") < one.index(b"what varies")


def test_what_the_model_does_not_read_is_left_out() -> None:
    assert prompt(model="m", messages=["a"]) == prompt(messages=["a"], model="n", temperature=1, user="u")


def test_marks_that_move_on_with_a_conversation_are_left_out() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    said: dict[str, Any] = {"type": "text", "text": "hello"}
    assert prompt(messages=[said | mark]) == prompt(messages=[said])
    assert prompt(messages=[said, {"cachePoint": {"type": "default"}}]) == prompt(messages=[said])


def test_pictures_are_as_small_as_a_name() -> None:
    assert len(prompt(messages=[{"url": "data:image/png;base64," + "A" * 50_000}])) < 300


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[1]",
        b'{"messages": [',
        b"\xff\xfe",
        b'{"model": "m"}',
        b'{"input": "a", "previous_response_id": "resp_1"}',
        b'{"contents": [], "cachedContent": "cachedContents/1"}',
    ],
)
def test_what_is_no_prompt_or_not_all_of_it_is_none(body: bytes) -> None:
    assert prompt_of(body) is None


def test_what_is_null_lies_nowhere_else() -> None:
    assert prompt(input="a", previous_response_id=None) == b'"a"'
