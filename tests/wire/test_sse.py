import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.wire.sse import events

LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), LINE.filter(str.strip)), st.lists(LINE, min_size=1, max_size=3)),
        max_size=6,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_was_written_is_read(written: list[tuple[str | None, list[str]]], newline: str) -> None:
    body = ""
    for name, lines in written:
        body += ": a comment" + newline
        body += f"event: {name}{newline}" if name is not None else ""
        body += "".join(f"data: {line}{newline}" for line in lines) + newline
    read = [(event.name, event.data.decode()) for event in events(body.encode())]
    assert read == [(name or "", "\n".join(lines)) for name, lines in written]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    ends = [event.end for event in events(body)]
    assert ends == sorted(ends)
    assert all(0 <= end < len(body) for end in ends)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"", []),
        (b"data: cut off", [b"cut off"]),
        (b"data:no space\n\n", [b"no space"]),
        (b"\xef\xbb\xbfdata: bom\n\n", [b"bom"]),
        (b"data\n\n", [b""]),
        (b"id: 7\nretry: 3\n\ndata: x\n\n", [b"x"]),
        (b"\n\n\ndata: x\r\n\r\n\ndata: y\n\n", [b"x", b"y"]),
    ],
)
def test_corners(body: bytes, data: list[bytes]) -> None:
    assert [event.data for event in events(body)] == data


def test_an_event_ends_at_its_last_byte() -> None:
    body = b"event: a\ndata: 12\n\ndata: 3\n\n"
    assert [body[event.end : event.end + 1] for event in events(body)] == [b"2", b"3"]
