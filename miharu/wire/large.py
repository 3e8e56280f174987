"""Bodies of megabytes: read and kept without the binaries in them, and told by their facts where too large.

A picture of 20 MB is one string between two quotes. A look for a quote in each block finds it in a body of
any format; parsing would hold the interpreter's lock for tens of milliseconds and copy it twice.
"""

import hashlib
import json
import re
import time
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

__all__ = ("LARGE", "LONGEST", "MANY", "is_heavy", "is_slow", "salvaged", "without_binaries")

LARGE = 256 << 10
"""Bytes from which on a body is looked at for binaries before it is parsed."""
LONGEST = 4 << 20
"""Bytes of JSON that are parsed as a whole: its parser holds the interpreter's lock from end to end."""
VALUES = 200_000
"""Names and values of JSON that are parsed as a whole: an object of two bytes takes seventy in memory."""
DIGITS = 100
"""Of one number in a large body: what it takes to parse it may grow with the square of them."""
MANY = 4 << 10
"""Bytes from which on there may be many of the numbers that take long to parse."""
_SLOW = 200
"""Such numbers that are parsed as a whole."""
_PART = 512 << 10
"""Bytes that are looked at before others may have the interpreter's lock: about a millisecond."""
_BINARY = 4096
"""A string this long, without a space or an escape in it, is not text."""
_BLOCK = _BINARY // 2
"""A string as long as a binary covers at least one whole block."""
_ESCAPE = ord("\\")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=_:;,.-]")
_NUMBERS = bytes.maketrans(b"123456789E+", b"0" * 9 + b"e-")
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
    *("usage", "usageMetadata", "meta", "prompt_eval_count", "eval_count", "done", "model", "modelVersion"),
    *("id", "service_tier", "error", "output_format", "stream", "x_groq"),
)
_CONTENTS = (
    *("messages", "input", "inputs", "prompt", "contents", "instances", "texts", "documents", "query"),
    *(
        "choices",
        "data",
        "output",
        "outputs",
        "candidates",
        "content",
        "embeddings",
        "results",
        "predictions",
    ),
)
_HEAD, _TAIL, _FIELD = 1 << 16, 1 << 20, 20_000
"""Bytes from the start and from the end in which facts are looked for, and of one fact."""


def without_binaries(body: bytes, most: int | None = None) -> bytes:
    """The body with each long binary string replaced by its type, size and hash.

    Args:
        body: Anything, JSON most of all.
        most: So many bytes of it are enough.
    """
    most = len(body) if most is None else most
    pieces, at, size = list[bytes](), 0, 0
    for start, end in _long_strings(body):
        if size >= most:
            break
        if not _NOT_BASE64.search(body, start, start + _BINARY) and body[end - 1] != _ESCAPE:
            pieces += (body[at : min(start, at + most)], _label(body, start, end))
            size += start - at
            at = end
    if not pieces:
        return body[:most]
    pieces.append(body[at : at + most])
    return b"".join(pieces)[:most]


def is_heavy(body: bytes) -> bool:
    """Whether parsing it as a whole would take too long or too much memory; at once where it is short."""
    if len(body) <= 2 * VALUES:
        return False
    if len(body) > LONGEST:
        return True
    values = 0
    for part in _parts(body):
        values += sum(part.count(sign) for sign in (b",", b":", b"[", b"{"))
        if values > VALUES or b"0" * DIGITS in part.translate(_NUMBERS):
            return True
    return False


def is_slow(body: bytes) -> bool:
    """Whether many of its numbers may lie next to the least or the largest one, by their exponents.

    Each of those takes a hundred times as long as any other.
    """
    found = 0
    for part in _parts(body):
        numbers = part.translate(_NUMBERS)
        found += numbers.count(b"0e000") + numbers.count(b"0e-000")
        if found > _SLOW:
            return True
    return False


def _parts(body: bytes) -> Iterator[bytes]:
    """All of it, no number cut; the interpreter's lock is given up between two parts."""
    for start in range(0, len(body), _PART):
        if start:
            time.sleep(0)
        yield body[start : start + _PART + DIGITS]


def salvaged(head: bytes, tail: bytes) -> dict[str, Any]:
    """What can be told of a JSON object that is not parsed as a whole: the facts beside the content.

    Of the contents themselves only the kind is told, by an empty one.
    """
    found: dict[str, Any] = {}
    parts = (tail[-_TAIL:], head[:_HEAD])
    for name in _FACTS:
        for part in parts:
            text = _behind(part, name, _FIELD).decode("utf-8", "replace").lstrip()
            try:
                found[name] = _DECODER.raw_decode(text)[0]
                break
            except (ValueError, RecursionError):
                continue
    for name in _CONTENTS:
        for part in parts:
            if (sign := _behind(part, name, 16).lstrip()[:1]) in _EMPTY:
                found[name] = _EMPTY[sign]()
                break
    return found


_DECODER = json.JSONDecoder()
_EMPTY: dict[bytes, type[Any]] = {b"[": list, b"{": dict, b'"': str}


def _behind(part: bytes, name: str, most: int) -> bytes:
    """What follows the last field of that name."""
    key = f'"{name}":'.encode()
    at = part.rfind(key)
    return b"" if at < 0 else part[at + len(key) : at + len(key) + most]


def _long_strings(body: bytes) -> Iterator[tuple[int, int]]:
    """Where there is no quote for the length of a binary."""
    at, size = 0, len(body)
    while at + _BLOCK <= size:
        if body.find(b'"', at, at + _BLOCK) >= 0:
            at += _BLOCK
            continue
        start, end = body.rfind(b'"', 0, at) + 1, body.find(b'"', at)
        end = size if end < 0 else end
        if end - start >= _BINARY:
            yield start, end
        at = max(end - end % _BLOCK, at + _BLOCK)


def _label(body: bytes, start: int, end: int) -> bytes:
    kind = b""
    if body.startswith(b"data:", start) and (comma := body.find(b",", start, start + _BINARY)) >= 0:
        kind, start = body[start + 5 : comma].partition(b";")[0], comma + 1
    size = (end - start) * 3 // 4 - body[end - 2 : end].count(b"=")
    what = kind.decode("ascii", "replace") or _sniffed(body[start : start + 24])
    digest = hashlib.sha256(memoryview(body)[start:end]).hexdigest()
    return f"[{what}, {size} bytes, sha256 of the base64 {digest}]".encode()


def _sniffed(start: bytes) -> str:
    try:
        start = b64decode(start)
    except ValueError:
        return "base64"
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "base64")
