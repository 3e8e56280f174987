import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from miharu.providers import decoding
from miharu.providers.decoding import decode

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
    body, lengths = decode(chunks, encoding)
    assert body == BODY
    assert len(lengths) == len(chunks)
    assert lengths[-1] == len(BODY)
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_nonsense_ends_the_body_quietly(encoding: str, chunks: list[bytes]) -> None:
    body, lengths = decode(chunks, encoding)
    assert len(lengths) == len(chunks)
    assert len(body) == (lengths[-1] if lengths else 0)


def test_a_truncated_body_gives_what_it_can() -> None:
    compressor = zlib.compressobj(wbits=31)
    start = compressor.compress(b"first") + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert decode([start, b"\0garbage"], "gzip")[0].startswith(b"first")


def test_an_unknown_encoding_is_no_body() -> None:
    assert decode([b"abc"], "compress") == (b"", [0])


def test_a_bomb_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LIMIT", 1000)
    body, _ = decode([gzip.compress(b"x" * 10_000_000)] * 3, "gzip")
    assert len(body) <= 2000
