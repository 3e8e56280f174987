"""Answers that are made to hurt whoever reads them: small on the wire, and large, deep or endless within."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

__all__ = ("ANSWERS", "ENCODERS", "FIGURES", "Hostile", "eventstream", "zstd_frames")

MB = 1 << 20


@dataclass(frozen=True)
class Hostile:
    """One answer, as it goes over the wire."""

    name: str
    make: Callable[[], bytes]
    """Its body, before ``encoding``."""
    encoding: str = ""
    content_type: str = "application/json"
    path: str = "/v1/chat/completions"
    is_encoded: bool = False
    """``make`` gives what goes over the wire."""

    def body(self) -> bytes:
        """What is sent."""
        return _encoded(self.make, "" if self.is_encoded else self.encoding)

    @property
    def headers(self) -> Mapping[str, str]:
        encoded = {"content-encoding": self.encoding} if self.encoding else {}
        return {"content-type": self.content_type, **encoded}


def _brotli(data: bytes) -> bytes:
    import brotli

    return bytes(brotli.compress(data, quality=5))


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=3).compress(data)


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "deflate": zlib.compress,
    "br": _brotli,
    "zstd": _zstd,
}


@cache
def _encoded(make: Callable[[], bytes], encoding: str) -> bytes:
    data = make()
    for part in encoding.split(","):
        data = ENCODERS[part.strip()](data)
    return data


def zstd_frames(*parts: bytes) -> bytes:
    """A frame for each."""
    return b"".join(map(_zstd, parts))


def eventstream(headers: Mapping[str, str], payload: bytes, length: int | None = None) -> bytes:
    """A frame of Amazon's; ``length`` is what it claims."""
    told = b"".join(
        bytes((len(name),)) + name.encode() + b"\7" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    whole = 16 + len(told) + len(payload)
    prelude = struct.pack(">II", whole if length is None else length, len(told))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + told + payload
    return frame + struct.pack(">I", zlib.crc32(frame))


def _repeated(pattern: bytes, size: int = 100 * MB) -> Callable[[], bytes]:
    return lambda: pattern * (size // len(pattern))


def _json(pattern: str, size: int, field: str = "choices") -> Callable[[], bytes]:
    """An object that is valid, with that many bytes of the pattern in it."""

    def made() -> bytes:
        usage = '"usage": {"prompt_tokens": 3, "completion_tokens": 4}'
        many = pattern * (size // len(pattern))
        return f'{{"id": "x", "model": "m", "{field}": [{many}0], {usage}}}'.encode()

    return made


def _answer(**fields: object) -> Callable[[], bytes]:
    return lambda: json.dumps({"id": "x", "model": "m", "choices": [], **fields}).encode()


def _frames(payload: bytes, times: int) -> Callable[[], bytes]:
    return lambda: eventstream({":event-type": "chunk", ":message-type": "event"}, payload) * times


def _events(pattern: str, size: int, times: int) -> Callable[[], bytes]:
    """Events of one answer each, with that many bytes of the pattern in it."""
    return lambda: f'data: {{"choices": [{pattern * (size // len(pattern))}0]}}\n\n'.encode() * times


_SSE = "text/event-stream"
_PLAIN = 9 * MB
_CONVERSE = "/model/anthropic.claude-3/converse-stream"
_AMAZON = "application/vnd.amazon.eventstream"

ANSWERS: tuple[Hostile, ...] = (
    *(
        Hostile(f"{what}, {encoding}", _repeated(pattern), encoding)
        for encoding in ("br", "zstd", "gzip", "deflate", "gzip, gzip", "zstd, br")
        for what, pattern in (("strings", b'"ab"'), ("objects", b"{},"))
    ),
    Hostile("one long string, br", _repeated(b"a", 300 * MB), "br"),
    Hostile("an endless answer, gzip", _json('"ab",', 300 * MB), "gzip"),
    Hostile("valid objects, gzip", _json("{},", 60 * MB), "gzip"),
    Hostile("valid objects, plain", _json("{},", 7 * MB)),
    Hostile("valid objects, 4 MB", _json("{},", 4 * MB - 400)),
    Hostile("objects, 4 MB of them named", _json('{"a":0},', 4 * MB - 400)),
    Hostile("empty lists, plain", _json("[],", 7 * MB)),
    Hostile("numbers, plain", _json("1,", 7 * MB, "data"), path="/v1/embeddings"),
    Hostile("floats, 4 MB", _json("-0.012345678,", 4 * MB - 400, "data"), path="/v1/embeddings"),
    Hostile("numbers next to nothing, gzip", _json("1e-320,", MB, "data"), "gzip", path="/v1/embeddings"),
    Hostile("the largest numbers", _json("1.7976931348623157E+308,", 4 * MB - 400)),
    Hostile("many small numbers next to nothing", _json("1e-320,", 360 << 10)),
    Hostile("events of numbers next to nothing", _events("1e-320,", 3 << 10, 200), content_type=_SSE),
    Hostile("numbers of 4,000 digits", _json("9" * 4000 + ",", 4 * MB - 400)),
    Hostile("strings, plain", _json('"ab",', 7 * MB)),
    Hostile("escapes, plain", _json('"\\\\n\\\\u00e9",', 4 * MB - 400)),
    Hostile("unclosed lists", _repeated(b"[", _PLAIN)),
    Hostile("unclosed objects", _repeated(b'{"a":', _PLAIN)),
    Hostile("nested deeply", lambda: b'{"usage":' + b'{"a":' * 900 + b"1" + b"}" * 901),
    Hostile("a flood of keys", lambda: b'{"error":{"message":"' + b"?key=a&token=b " * 250_000 + b'"}}'),
    Hostile("a flood of pieces", _repeated(b'{"response":"a"}\n', 4 * MB)),
    Hostile("quotes", _repeated(b'"', _PLAIN)),
    Hostile("spaces", _repeated(b" ", _PLAIN)),
    Hostile("new lines", _repeated(b"\n", _PLAIN)),
    Hostile("a number of 5 MB", lambda: b'{"usage":{"prompt_tokens":' + b"1" * 5 * MB + b"}}"),
    Hostile("lines of objects", _repeated(b"{}\n", _PLAIN), content_type="application/x-ndjson"),
    Hostile("lines of objects, gzip", _repeated(b'{"a":{}}\n'), "gzip", "application/x-ndjson"),
    Hostile("one endless event", lambda: b"data: " + b"a" * _PLAIN, content_type=_SSE),
    Hostile("one endless event, gzip", lambda: b"data: " + b'{},"ab"' * (60 * MB // 7), "gzip", _SSE),
    Hostile("empty events", _repeated(b"data:\n\n", _PLAIN), content_type=_SSE),
    Hostile("tiny events", _repeated(b"data:{}\n\n", _PLAIN), content_type=_SSE),
    Hostile("tiny events, gzip", _repeated(b'data:{"choices":[]}\n\n'), "gzip", _SSE),
    Hostile("lines of one event", _repeated(b"data:ab\n", _PLAIN), content_type=_SSE),
    Hostile("returns", _repeated(b"a\r", _PLAIN), content_type=_SSE),
    Hostile("errors in fields", _repeated(b"error:x\n", _PLAIN), content_type=_SSE),
    Hostile("empty members", lambda: gzip.compress(b"") * 300_000, "gzip", is_encoded=True),
    Hostile("empty frames", lambda: zstd_frames(b"") * 300_000, "zstd", is_encoded=True),
    Hostile("a gigabyte claimed", lambda: eventstream({}, b"x" * MB, 2**31), "", _AMAZON, _CONVERSE),
    Hostile("tiny frames", _frames(b"", 100_000), "", _AMAZON, _CONVERSE),
    Hostile("no frame at all", _repeated(b"\x0b:event-typ\x07", _PLAIN), "", _AMAZON, _CONVERSE),
    Hostile("zeros", _repeated(b"\0", _PLAIN), "", _AMAZON, _CONVERSE),
    Hostile("a usage of 3 MB", _answer(usage={f"a{number}": number for number in range(150_000)})),
    Hostile("names of megabytes", _answer(model="m" * MB, id="i" * MB, usage={"prompt_tokens": 1})),
    Hostile(
        "an error of megabytes", _answer(error={"type": "t" * MB, "message": "m" * MB, "code": "c" * MB})
    ),
)
"""Bombs and floods."""

FIGURES: tuple[object, ...] = (
    *(-1, 2**31, 2**53 - 1, 2**53, 2**62, 2**63, 10**30, 10**300, 1e300, 1.5, float("nan"), float("inf")),
    *(True, "12", "", [], {}, [1], "1e9"),
)
"""What no number of tokens is, or can be."""
