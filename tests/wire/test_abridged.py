"""What is parsed for a page: JSON stays what it was where it is small, and stays JSON where it is cut."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from miharu.wire.abridged import abridged, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(JSON)
def test_leaves_what_is_small_as_it_is(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=3)):
        assert abridged(text.encode()).body == text.encode()
        assert read(text.encode("utf-8", "surrogatepass")) == (value, False)


@given(JSON, st.integers(1, 30), st.integers(5, 60), st.integers(4, 30))
def test_is_json_wherever_it_is_cut(value: Any, tokens: int, most: int, longest: int) -> None:
    for text in (json.dumps([value, value]), json.dumps({"a": value, "b": [value]}, ensure_ascii=False)):
        short = abridged(text.encode(), tokens=tokens, most=most, longest=longest)
        assert isinstance(json.loads(short.body.decode("utf-8", "replace")), list | dict)


@given(st.binary(max_size=300) | st.text(alphabet='"\\[]{},:u09 a').map(str.encode), st.integers(1, 20))
def test_takes_anything(data: bytes, tokens: int) -> None:
    assert len(abridged(data, tokens=tokens, longest=30).body) < 3 * len(data) + 100
    read(data)


def test_keeps_whole_characters_and_escapes() -> None:
    for text in ("é" * 100, "\U0001f600" * 100, '\\"' * 100, "\n" * 100):
        for longest in range(20, 60):
            for written in (json.dumps([text]), json.dumps([text], ensure_ascii=False)):
                (found,) = json.loads(abridged(written.encode(), longest=longest).body)
                shown, mark, _ = found.partition("…")
                assert mark
                assert text.startswith(shown)
                assert shown


def test_says_how_much_is_missing() -> None:
    (text, number) = json.loads(abridged(b'["' + b"x" * 30_000 + b'", ' + b"7" * 900 + b"]").body)
    assert text.endswith("x… [10001 bytes more]")
    assert number == "77777777777777777777… [900 digits]"


def test_finds_its_way_through_much_white_space() -> None:
    body = b'{"a": ' + b" " * 5_000 + b"true" + b" " * 5_000 + b', "b":' + b"\n" * 900 + b"-5}"
    assert json.loads(abridged(body).body) == {"a": True, "b": -5}
