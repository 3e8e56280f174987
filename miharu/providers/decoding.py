"""Content-encodings, undone chunk by chunk, so that a truncated stream still gives what it can.

No codec package is ever a dependency: httpx would then change the host's ``Accept-Encoding``. One that the
host has is used, because only then can the server have chosen it.
"""

import zlib
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

__all__ = ("decode",)

Feed = Callable[[bytes], bytes]
LIMIT = 64 << 20
"""Bytes of decoded body; a bomb ends here."""


def decode(chunks: Iterable[bytes], encoding: str) -> tuple[bytes, list[int]]:
    """The body, and its length after each chunk. Decoding stops at the first byte that makes no sense."""
    feeds = [_feed(name) for name in reversed([part.strip().lower() for part in encoding.split(",")]) if name]
    body, lengths = bytearray(), []
    broken = None in feeds
    for chunk in chunks:
        if not broken and len(body) < LIMIT:
            try:
                piece = chunk
                for feed in feeds:
                    piece = feed(piece)  # type: ignore[misc]
                body += piece
            except Exception:  # noqa: BLE001 - each codec raises its own; a broken body ends the body
                broken = True
        lengths.append(len(body))
    return bytes(body), lengths


def _feed(name: str) -> Feed | None:
    make = _CODECS.get(name)
    return make() if make else None


def _bounded(decompressor: "zlib._Decompress") -> Feed:
    return lambda chunk: decompressor.decompress(chunk, LIMIT)


class _Deflate:
    """Servers disagree whether deflate has a zlib header; its two bytes tell (RFC 1950)."""

    def __init__(self) -> None:
        self._head = b""
        self._feed: Feed | None = None

    def __call__(self, chunk: bytes) -> bytes:
        if self._feed is None:
            self._head += chunk
            if len(self._head) < 2:
                return b""
            has_header = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2]) % 31 == 0
            self._feed = _bounded(zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS))
            chunk = self._head
        return self._feed(chunk)


def _first(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _brotli() -> Feed | None:
    codec = _first("brotli", "brotlicffi")
    return codec.Decompressor().process if codec else None


def _zstd() -> Feed | None:
    if codec := _first("compression.zstd", "backports.zstd"):
        return codec.ZstdDecompressor().decompress  # type: ignore[no-any-return]
    codec = _first("zstandard")
    return codec.ZstdDecompressor().decompressobj().decompress if codec else None


class _Gzip:
    """A gzip body may have several members, one after the other (RFC 1952, section 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)

    def __call__(self, chunk: bytes) -> bytes:
        body = self._member.decompress(chunk, LIMIT)
        while rest := self._member.unused_data:
            self._member = zlib.decompressobj(31)
            body += self._member.decompress(rest, LIMIT)
        return body


_CODECS: dict[str, Callable[[], Feed | None]] = {
    "identity": lambda: bytes,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _brotli,
    "zstd": _zstd,
}
