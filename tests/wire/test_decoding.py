import gzip
import struct
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from miharu.wire import decoding
from miharu.wire.decoding import LAYERS, decode

BODY = b'{"usage": {"prompt_tokens": 11}}' * 50
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
ENCODED = {
    "": BODY,
    "identity": BODY,
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]),
    "deflate": zlib.compress(BODY),
    "Deflate": RAW_DEFLATE.compress(BODY) + RAW_DEFLATE.flush(),
    "br": brotli.compress(BODY),
    "zstd": zstandard.ZstdCompressor().compress(BODY),
    "deflate, gzip": gzip.compress(zlib.compress(BODY)),
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_it_is_undone_however_it_was_cut(encoding: str, size: int) -> None:
    data = ENCODED[encoding]
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    decoded = decode(chunks, encoding)
    assert decoded.body == BODY
    assert len(decoded.lengths) == len(chunks)
    assert decoded.lengths[-1] == len(BODY)
    assert list(decoded.lengths) == sorted(decoded.lengths)
    assert (decoded.gap, decoded.unread) == (None, None)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_nonsense_ends_the_body_quietly(encoding: str, chunks: list[bytes]) -> None:
    decoded = decode(chunks, encoding)
    assert len(decoded.lengths) == len(chunks)
    assert len(decoded.body) == (decoded.lengths[-1] if chunks else 0)


def test_a_truncated_body_gives_what_it_can() -> None:
    compressor = zlib.compressobj(wbits=31)
    start = compressor.compress(b"first") + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert decode([start, b"\0garbage"], "gzip").body.startswith(b"first")


def test_an_unknown_encoding_is_no_body() -> None:
    decoded = decode([b"abc"], "compress")
    assert (decoded.body, decoded.lengths, decoded.unread) == (b"", [0], None)


# --- several parts


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def skippable(data: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A53, len(data)) + data


class _OldBrotli:
    """As its packages were before 1.2: no limit is known, and all that there is comes at once."""

    class Decompressor:
        def __init__(self) -> None:
            self._decompressor = brotli.Decompressor()

        def process(self, data: bytes) -> bytes:
            return bytes(self._decompressor.process(data))


PACKAGES: dict[str, dict[str, Any]] = {
    "as installed": {},
    "others": {"zstandard": zstandard, "brotli": _OldBrotli},
}


@pytest.fixture(params=PACKAGES)
def packages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the environment has, and then such as other environments have."""
    found = PACKAGES[request.param]
    if found:
        monkeypatch.setattr(
            decoding, "_first", lambda *names: next(filter(None, map(found.get, names)), None)
        )


PARTS = {"zstd": zstd, "gzip": gzip.compress}


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("encoding", PARTS)
@pytest.mark.parametrize("size", [None, 1, 5, 4096])
def test_several_parts_are_one_body(encoding: str, size: int | None) -> None:
    make = PARTS[encoding]
    parts = [make(f"data: {number}\n\n".encode() * 9) for number in range(40)]
    if encoding == "zstd":
        parts[3:3] = [skippable(b""), skippable(b"a comment" * 1000)]
    whole = b"".join(parts)
    chunks = parts if size is None else [whole[at : at + size] for at in range(0, len(whole), size)]
    decoded = decode(chunks, encoding)
    assert decoded.body == b"".join(f"data: {number}\n\n".encode() * 9 for number in range(40))
    if size is None:
        assert len(set(decoded.lengths)) == 40


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("encoding", PARTS)
def test_garbage_behind_the_last_part_takes_nothing_away(encoding: str) -> None:
    for chunks in ([PARTS[encoding](BODY) + b"garbage"], [PARTS[encoding](BODY), b"garbage", b"more"]):
        assert decode(chunks, encoding).body == BODY
    assert decode([PARTS[encoding](BODY), PARTS[encoding](BODY)[:-3]], encoding).body.startswith(BODY)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_parts_take_no_more_than_their_bytes(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is behind the end of a part would else be copied for each of them."""
    monkeypatch.setattr(decoding, "PARTS", 3000)
    decoded = decode([PARTS[encoding](b"x") * 4000], encoding)
    assert decoded.body == b"x" * 3000
    assert decoded.unread == "The answer was compressed in more than 3,000 parts."
    assert decode([PARTS[encoding](b"") * 2500 + PARTS[encoding](b"end")], encoding).body == b"end"


# --- bombs

MB = 1 << 20


def brotli_of(data: bytes) -> bytes:
    return bytes(brotli.compress(data, quality=3))


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli_of,
    "zstd": zstd,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
    "zstd, br": lambda data: brotli_of(zstd(data)),
    "identity, gzip, identity": gzip.compress,
}


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("encoding", BOMBS)
@pytest.mark.parametrize("times", [1, 30])
def test_a_bomb_is_decoded_up_to_a_bound_whatever_number_of_chunks(
    encoding: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    before = decoding._Budget.before

    def measured(self: Any, out: Any) -> Any:
        take = before(self, out)

        def noting(piece: bytes) -> None:
            taken.append(len(piece))
            take(piece)

        return noting

    monkeypatch.setattr(decoding._Budget, "before", measured)
    monkeypatch.setattr(decoding, "MOST", 20 * MB)
    bomb = BOMBS[encoding](b"{}," * (8 * MB))
    chunks = [bomb] if times == 1 else [bomb[at : at + 37] for at in range(0, len(bomb), 37)]
    decoded = decode(chunks, encoding)
    assert decoded.unread == "The answer decodes to more than 20 MB; the rest was not read."
    assert sum(taken) < 21 * MB
    assert max(taken) <= MB
    assert len(decoded.body) < 10 * MB
    assert decoded.gap is not None
    assert list(decoded.lengths) == sorted(decoded.lengths)
    assert decoded.lengths[-1] <= len(decoded.body)


def test_of_a_large_body_the_start_and_the_end_are_kept() -> None:
    whole = b"".join(b"%015d\n" % number for number in range(MB))
    data = gzip.compress(whole, 1)
    decoded = decode([data[at : at + 65536] for at in range(0, len(data), 65536)], "gzip")
    assert decoded.unread is None
    assert decoded.gap is not None
    head, tail = decoded.body[: decoded.gap], decoded.body[decoded.gap :]
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(tail) >= MB
    assert decoded.lengths[-1] == len(decoded.body)


def test_too_many_encodings_are_none() -> None:
    data = BODY
    for _ in range(LAYERS + 1):
        data = gzip.compress(data)
    assert (
        decode([data], "gzip, " * LAYERS + "gzip").unread == "The answer has more than 5 content-encodings."
    )


def test_a_window_that_would_take_too_much_memory_is_refused() -> None:
    """RFC 9659 allows 8 MB over HTTP; a frame may ask for 128."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compress(BODY * 9000)
    assert decode([frame], "zstd").body == b""


def test_the_interpreters_lock_is_given_up_between_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(decoding, "time", SimpleNamespace(sleep=slept.append))
    decode([gzip.compress(bytes(10 * MB))], "gzip")
    assert len(slept) >= 10
    assert set(slept) == {0}
