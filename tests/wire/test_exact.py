"""JSON for people: nothing of its text is lost where a page shows it."""

import json
from typing import Any

import pytest

from miharu.wire.abridged import abridged, read
from miharu.wire.exact import exact
from miharu.wire.indented import indented, of_text
from miharu.wire.large import LARGE

ODD = '{"a":12345678901234567890123,"a":[1.10,1e400,-0,-0.0],"b":{"c":"é","c":{}},"d":[],"e":true}'


def test_indented_it_is_the_same() -> None:
    value = exact(ODD)
    text = indented(value)[0]
    assert "".join(text.split()) == ODD
    assert of_text(ODD) == text
    assert value["a"][1] == float("inf")
    assert exact(ODD.encode()) == value


def test_ordinary_values_are_indented_as_by_the_standard_library() -> None:
    value: Any
    for value in ({"a": [1, 2.5, None, {}, [], "é\n"], "b": {"c": False}}, [], {}, "x", 3, [[[]]]):
        assert indented(value)[0] == json.dumps(value, indent=2, ensure_ascii=False)


def test_a_body_is_read_exactly_where_that_is_asked_for() -> None:
    body = ODD.encode() + b" " * 3_000
    assert "".join(indented(read(body, exactly=True)[0])[0].split()) == ODD
    assert "1.10" not in indented(read(body)[0])[0]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 5_000, b" " * LARGE, '{"a":9' + "9" * 9_000 + "}"]
)
def test_what_cannot_be_read_is_none(data: bytes | str) -> None:
    assert exact(data) is None


def test_what_is_unfinished_ends_at_its_last_comma() -> None:
    text = '{"a": [1, {"b": "x,y", "c": "no end'
    assert json.loads(abridged(text.encode(), unfinished=True).body) == {"a": [1, {"b": "x,y"}]}
    assert abridged(b'{"a": 1', unfinished=True).body == b'{"a": 1'
    long = abridged(b'[{"b": 2}, "' + b"x" * 900, unfinished=True, longest=100)
    assert json.loads(long.body)[0] == {"b": 2}
