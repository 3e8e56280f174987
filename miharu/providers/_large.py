"""Bodies with megabytes of base64 in them: read and kept without them.

A picture of 20 MB is one string between two quotes. Splitting at quotes finds it with a search for one byte,
where parsing would hold the interpreter's lock for tens of milliseconds and copy it twice.
"""

import hashlib
import json
import re
from base64 import b64decode
from typing import Any

__all__ = ("LARGE", "salvaged", "without_binaries")

LARGE = 256 << 10
"""Bytes from which on a body is looked at for binaries before it is parsed."""
_BINARY = 4096
"""A string this long, without a space or an escape in it, is no text."""
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=_:;,.-]")
_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "audio/wav"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"%PDF", "application/pdf"),
)
_FACTS = (
    b"usage",
    b"usageMetadata",
    b"model",
    b"modelVersion",
    b"id",
    b"service_tier",
    b"error",
    b"output_format",
)


def without_binaries(body: bytes) -> bytes:
    """The body with each long binary string replaced by its type, size and hash."""
    pieces = body.split(b'"')
    for number, piece in enumerate(pieces):
        if len(piece) >= _BINARY and not _NOT_BASE64.search(piece[:_BINARY]) and b"\\" not in piece[-1:]:
            pieces[number] = _label(piece)
    return b'"'.join(pieces)


def salvaged(head: bytes, tail: bytes) -> dict[str, Any]:
    """What can be told of a JSON object whose middle was not kept: the facts beside the content."""
    found: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    for name in _FACTS:
        for part in (tail, head[:65536]):
            _, key, rest = part.rpartition(b'"%s":' % name)
            if key:
                try:
                    text = rest[:20000].decode("utf-8", "replace").lstrip()
                    found[name.decode()] = decoder.raw_decode(text)[0]
                    break
                except (ValueError, RecursionError):
                    continue
    return found


def _label(piece: bytes) -> bytes:
    kind, _, data = piece.rpartition(b",") if piece.startswith(b"data:") else (b"", b"", piece)
    size = len(data) * 3 // 4 - data[-2:].count(b"=")
    what = kind[5:].partition(b";")[0].decode("ascii", "replace") or _sniffed(data)
    return f"[{what}, {size} bytes, sha256 of the base64 {hashlib.sha256(data).hexdigest()}]".encode()


def _sniffed(data: bytes) -> str:
    try:
        start = b64decode(data[:24])
    except ValueError:
        return "base64"
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "base64")
