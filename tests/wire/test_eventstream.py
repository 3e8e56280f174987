import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.wire.eventstream import frames
from tests.providers.eventstream import event, exception, frame, message

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["chunk", "messageStop", "metadata"]), st.binary(max_size=60)), max_size=6
)


@given(EVENTS)
def test_what_was_written_is_read(written: list[tuple[str, bytes]]) -> None:
    body = b"".join(event(name, payload) for name, payload in written)
    read = list(frames(body))
    assert [(one.event, one.payload) for one in read] == written
    assert all(one.error is None for one in read)
    ends, at = [], 0
    for name, payload in written:
        at += len(event(name, payload))
        ends.append(at - 1)
    assert [one.end for one in read] == ends


@given(EVENTS, st.data())
def test_a_truncated_body_gives_every_whole_frame(
    written: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    pieces = [event(name, payload) for name, payload in written]
    body = b"".join(pieces)
    cut = data.draw(st.integers(0, len(body)))
    whole = [sum(map(len, pieces[: number + 1])) <= cut for number in range(len(pieces))]
    assert [one.payload for one in frames(body[:cut])] == [
        payload for (_, payload), there in zip(written, whole, strict=True) if there
    ]


@given(st.data())
def test_behind_damage_it_goes_on_at_the_next_intact_frame(data: st.DataObject) -> None:
    """Flip a byte, or lose the middle, as with a body that was too large to be kept."""
    pieces = [event("chunk", {"number": number}) for number in range(5)]
    body = b"".join(pieces)
    begin = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(begin, len(body) - 1))
    insert = data.draw(st.binary(max_size=3))
    read = [one.payload for one in frames(body[:begin] + insert + body[end:])]
    at = 0
    untouched = []
    for number, piece in enumerate(pieces):
        if at + len(piece) <= begin or at >= end:
            untouched.append(f'{{"number": {number}}}'.encode())
        at += len(piece)
    assert [payload for payload in read if payload in untouched] == untouched


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    ends = [one.end for one in frames(body)]
    assert ends == sorted(ends)
    assert all(0 <= end < len(body) for end in ends)


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_headers_that_make_no_sense_end_the_headers(headers: bytes, payload: bytes) -> None:
    (read,) = frames(message(headers, payload))
    assert read.payload == payload


def test_a_header_longer_than_the_headers_ends_them() -> None:
    good = b"\x0b:event-type\x07\x00\x05chunk"
    (read,) = frames(message(good + b"\x02:x\x07\xff\xff", b"{}"))
    assert (read.headers, read.payload) == ({":event-type": "chunk"}, b"{}")


def test_headers_of_every_type_are_passed_over() -> None:
    values = {
        0: b"",
        1: b"",
        2: b"\x01",
        3: b"\0\x01",
        4: b"\0" * 4,
        5: b"\0" * 8,
        6: b"\0\x03abc",
        8: b"\0" * 8,
        9: b"\0" * 16,
    }
    raw = b"".join(b"\x02:" + bytes([48 + kind, kind]) + value for kind, value in values.items())
    name = b"\x0b:event-type\x07\x00\x05chunk"
    (read,) = frames(message(raw + name, b"{}"))
    assert read.headers == {":event-type": "chunk"}


@given(TEXT, TEXT)
def test_strings_come_as_they_are(kind: str, value: str) -> None:
    headers = {":exception-type": kind, ":x": value} if len(value.encode()) == len(value) else {}
    if len(kind.encode()) == len(kind) and headers:
        (read,) = frames(frame(b"", headers))
        assert read.headers == headers


def test_exceptions_and_errors() -> None:
    assert [one.error for one in frames(exception("throttlingException", {}))] == [
        ("throttlingException", None)
    ]
    error = {":message-type": "error", ":error-code": "500", ":error-message": "Broken."}
    assert [one.error for one in frames(frame(b"", error))] == [("500", "Broken.")]
    assert [one.error for one in frames(frame(b"", {":message-type": "exception"}))] == [("exception", None)]
    assert [one.error for one in frames(frame(b"", {":message-type": "error"}))] == [("error", None)]


@pytest.mark.parametrize(
    ("length", "headers"), [(0, 0), (15, 0), (16, 1), (2**32 - 1, 0), (2**32 - 1, 2**32 - 1), (40, 2**31)]
)
def test_hostile_lengths_are_no_frame(length: int, headers: int) -> None:
    prelude = struct.pack(">II", length, headers)
    hostile = prelude + struct.pack(">I", crc32(prelude)) + b"\0" * 20
    assert list(frames(hostile)) == []
    assert [one.event for one in frames(hostile + event("chunk", {}))] == ["chunk"]


def test_lengths_that_claim_the_rest_of_the_body_over_and_over_end_soon() -> None:
    """Each prelude is intact and each frame is not, so that every one of them would be summed to its end."""
    start, size, body = b"\x0b:event-type\x07\x00\x05chunk", 4 << 20, bytearray()
    while len(body) < size:
        prelude = struct.pack(">II", size - len(body), len(start))
        body += prelude + struct.pack(">I", crc32(prelude)) + start
    assert list(frames(bytes(body))) == []
