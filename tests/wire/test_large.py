import base64
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.kept_body import KEPT_HEAD
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.wire.large import _PART, DIGITS, is_heavy, is_slow, salvaged, without_binaries
from tests.world import exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
PICTURE = b"\x89PNG" + os.urandom(300_000)
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"message": {"images": [base64.b64encode(PICTURE).decode()]}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 4000},
}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Draw."}]}


def test_a_binary_becomes_its_type_size_and_hash() -> None:
    slim = without_binaries(json.dumps(ANSWER).encode())
    assert len(slim) < 500
    kept = json.loads(slim)
    assert kept["usage"] == ANSWER["usage"]
    assert kept["choices"][0]["message"]["images"][0].startswith("[image/png, 300004 bytes, sha256")


def test_a_data_url_says_its_type_itself() -> None:
    url = "data:application/pdf;base64," + "A" * 8000
    assert json.loads(without_binaries(json.dumps([url]).encode()))[0].startswith(
        "[application/pdf, 6000 bytes"
    )


@given(st.text(max_size=50), st.integers(1, 400))
def test_text_stays_text(text: str, times: int) -> None:
    body = json.dumps({"content": f"{text} and so on, " * times}, ensure_ascii=False).encode()
    assert without_binaries(body) == body


def test_usage_is_found_beside_a_large_picture() -> None:
    call = Reader(FORMATS, capture_content=True).read(exchange(asked=ASKED, body=ANSWER))
    assert call is not None
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (12, 4000)
    assert call.body is not None
    assert len(call.body.response or b"") < 1000


def test_usage_is_found_in_what_is_left_of_twenty_megabytes() -> None:
    huge = {**ANSWER, "choices": [{"message": {"images": ["A" * (20 << 20)]}, "finish_reason": "stop"}]}
    body = json.dumps({name: huge[name] for name in ("id", "choices", "model", "usage")}).encode()
    made = exchange(asked=ASKED, chunks=[body[: KEPT_HEAD // 2]])
    for start in range(KEPT_HEAD // 2, len(body), 65536):
        made.overflow(body[start : start + 65536])
    call = Reader(FORMATS).read(made)
    assert call is not None
    assert call.outcome.status == "success"
    assert (call.model, call.usage.prompt_tokens, call.usage.completion_tokens) == ("gpt-4o", 12, 4000)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_anything_can_be_salvaged(head: bytes, tail: bytes) -> None:
    salvaged(head, b'"usage":' + tail)
    without_binaries(head + tail)


def test_sound_is_not_stored() -> None:
    made = exchange(asked=ASKED, body=b"ID3" + bytes(5000), headers={"content-type": "audio/mpeg"})
    call = Reader(FORMATS, capture_content=True).read(made)
    assert call is not None
    assert call.body is not None
    assert (call.body.response or b"").startswith(b"[audio/mpeg, 5003 bytes, sha256")


@pytest.mark.parametrize("at", [0, 300_000, _PART - DIGITS // 2, _PART - 1, _PART + 1])
def test_a_number_of_many_digits_is_heavy_wherever_it_stands(at: int) -> None:
    number = b"7" * DIGITS
    body = b" " * at + number + b" " * (2 * _PART - at)
    assert is_heavy(body)
    assert not is_heavy(body.replace(number, number[:-1] + b"x"))


@pytest.mark.parametrize("number", [b"1e-320,", b"1.7976931348623157E+308,"])
def test_numbers_that_take_long_are_counted_in_all_parts(number: bytes) -> None:
    body = (number * 110 + b" " * _PART) * 2
    assert is_slow(body)
    assert not is_slow(body.replace(number, b"1e-20,"))
