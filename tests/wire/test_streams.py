import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.providers.base import Wire
from miharu.wire.streams import answers, last_value, objects

TEXT = st.text(st.sampled_from('ab{}[]",\\\n\ré '), max_size=12)
VALUES = st.recursive(
    TEXT | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
OBJECT = st.dictionaries(TEXT, VALUES | st.dictionaries(TEXT, VALUES, max_size=2), max_size=3)
FRAMES: dict[str, Callable[[Any], str]] = {
    "lines": lambda written: "".join(json.dumps(each) + "\n" for each in written),
    "lines with CRLF": lambda written: "".join(
        json.dumps(each, ensure_ascii=False) + "\r\n" for each in written
    ),
    "array": json.dumps,
    "pretty array": lambda written: "[" + "\r\n,\r\n".join(json.dumps(w, indent=2) for w in written) + "\n]",
    "one after another": lambda written: "".join(map(json.dumps, written)),
}


def wire(body: bytes, **facts: object) -> Wire:
    usual: dict[str, Any] = {
        "method": "POST",
        "host": "x",
        "path": "/",
        "provider": None,
        "request_headers": {},
        "request_body": None,
        "status": 200,
        "headers": {},
        "end": "eof",
    }
    return Wire(body=body, **{**usual, **facts})


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@given(st.lists(OBJECT, max_size=4))
def test_what_was_written_is_read(frame: Callable[[Any], str], written: list[dict[str, object]]) -> None:
    body = frame(written).encode()
    read = list(objects(body))
    assert [answer.value for answer in read] == written
    assert all(body[answer.end : answer.end + 1] == b"}" for answer in read)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@given(st.lists(OBJECT, min_size=1, max_size=4), st.data())
def test_a_cut_costs_only_the_object_that_it_is_in(
    frame: Callable[[Any], str], written: list[dict[str, object]], data: st.DataObject
) -> None:
    body = frame(written).encode()
    ends = [answer.end for answer in objects(body)]
    cut = data.draw(st.integers(0, len(body)))
    whole = sum(end < cut for end in ends)
    assert [answer.value for answer in objects(body[:cut])] == written[:whole]


@pytest.mark.parametrize("frame", ["lines", "lines with CRLF", "pretty array"])
@given(st.lists(OBJECT, min_size=3, max_size=5), st.data())
def test_it_finds_its_way_behind_a_hole(
    frame: str, written: list[dict[str, object]], data: st.DataObject
) -> None:
    body = FRAMES[frame]([{"n": 0}, *written, {"n": 1}, {"usage": 7}]).encode()
    last = body.rindex(b"{")
    start = data.draw(st.integers(1, last - 2))
    end = data.draw(st.integers(start, last - 2))
    # a line of NDJSON, and an element of Google's arrays, begins in the first column
    assert list(objects(body[:start] + body[end:]))[-1].value == {"usage": 7}


@given(st.binary(max_size=200) | st.text('{}[]"\\\n: 1a', max_size=60).map(str.encode))
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    ends = [answer.end for answer in objects(body)]
    assert ends == sorted(set(ends))
    assert all(0 <= end < len(body) for end in ends)
    last_value(body, "a")
    list(answers(wire(body)))


@pytest.mark.parametrize(
    "pattern",
    [b"{", b"\n{", b'"', b'\\"', b'{"', b'{"a":"\\', b"}{", b"[{", b'"usageMetadata":{', b"data: {\n"],
)
def test_a_hostile_megabyte_comes_to_an_end(pattern: bytes) -> None:
    """Anything more than linear would be felt here for minutes."""
    body = pattern * (1_000_000 // len(pattern))
    assert len(list(objects(body))) <= len(body)
    assert last_value(body, "usageMetadata") in ({}, None)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'AAAA"}]}}], "usageMetadata" : {"a": 1}, "b": 2}', {"a": 1}),
        (b'{"usageMetadata": {"a": 1}, "usageMetadata": {"a": 2}', {"a": 2}),
        (b'{"text": "say \\"usageMetadata\\": 3"', None),
        (b'"usageMetadata": {"a": ', None),
        (b"", None),
    ],
)
def test_the_last_field_of_a_name_is_found_in_what_is_no_json(body: bytes, value: object) -> None:
    assert last_value(body, "usageMetadata") == value


def test_every_frame_gives_the_same_answers() -> None:
    lines = b'{"a": 1}\n{"a": 2}\n'
    events = b'event: x\ndata: {"a": 1}\n\ndata: 7\n\ndata: {"a": 2}\n\ndata: [DONE]\n\n'
    for body in (lines, events, b'[{"a": 1}, {"a": 2}]'):
        assert [answer.value for answer in answers(wire(body))] == [{"a": 1}, {"a": 2}]
    assert [answer.event for answer in answers(wire(events))] == ["x", ""]
    assert [(answer.value, answer.end) for answer in answers(wire(b'{"a": 1}'))] == [({"a": 1}, 7)]


def test_a_large_picture_inside_does_not_matter() -> None:
    picture = "A" * 600_000
    body = json.dumps({"data": picture, "n": 1}).encode()
    for frame in (body, b"[" + body + b"]", b"data: " + body + b"\n\n"):
        (answer,) = answers(wire(frame))
        assert answer.value["n"] == 1
        assert len(answer.value["data"]) < 200
