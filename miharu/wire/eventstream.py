"""Amazon's binary event stream from a whole, truncated or damaged body.

A frame is a prelude (its length, the headers' length, a CRC of both), headers, payload, and a CRC of it all
(https://smithy.io/2.0/aws/amazon-eventstream.html). After damage, or where the middle of a large body was not
kept, reading goes on at the next frame whose prelude is intact.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct
from zlib import crc32

__all__ = ("Frame", "frames")

_PRELUDE = Struct(">III")
_CRC = Struct(">I")
_OVERHEAD = 16
"""Bytes of a frame beside headers and payload."""

_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Length of a header's value by its type, except for bytes (6) and strings (7), which bring their own."""

_FIRST_HEADER = re.compile(rb"[\x01-\x20]:(?:event|message|exception|content)-type\x07|\x0b:error-code\x07")
"""What follows the prelude of every frame that Bedrock and SageMaker send."""


_LONGEST_HEADER = 16
_STEP = 1 << 20
MOST = 60_000
"""Frames of one body, more than are in as much of a real one as is kept."""


@dataclass(frozen=True, slots=True)
class Frame:
    headers: Mapping[str, str]
    """Those that are strings."""
    payload: bytes
    end: int
    """Offset of its last byte in the body."""

    @property
    def event(self) -> str:
        """The name of the event; empty for an exception or an error."""
        return self.headers.get(":event-type", "")

    @property
    def error(self) -> tuple[str, str | None] | None:
        """The type of an exception, or code and message of an error, that ends the stream."""
        kind = self.headers.get(":message-type")
        if kind == "exception":
            return self.headers.get(":exception-type") or "exception", None
        if kind == "error":
            return self.headers.get(":error-code") or "error", self.headers.get(":error-message")
        return None


def frames(body: bytes) -> Iterator[Frame]:
    """Each intact frame, in order. The work is linear in the number of bytes, also of hostile ones."""
    view, at = memoryview(body), 0
    patience = 4 * len(body)  # bytes of rejected frames: nested false lengths would make it quadratic
    left = MOST
    while at + _OVERHEAD <= len(body) and left:
        length, headers, checksum = _PRELUDE.unpack_from(body, at)
        end = at + length
        if crc32(view[at : at + 8]) == checksum and headers + _OVERHEAD <= length and end <= len(body):
            if crc32(view[at : end - 4]) == _CRC.unpack_from(body, end - 4)[0]:
                start = at + 12
                yield Frame(_headers(body, start, start + headers), body[start + headers : end - 4], end - 1)
                at, left = end, left - 1
                if not left % 500:
                    time.sleep(0)  # others may have the interpreter's lock
                continue
            patience -= length
        found = _next_header(body, at + 13) if patience > 0 else -1
        if found < 0:
            return
        at = found - 12


def _next_header(body: bytes, at: int) -> int:
    """Where the next frame's first header begins, or -1. In steps: a search holds the interpreter's lock."""
    while at < len(body):
        found = _FIRST_HEADER.search(body, at, at + _STEP)
        if found is not None:
            return found.start()
        at += _STEP - _LONGEST_HEADER
    return -1


def _headers(body: bytes, at: int, end: int) -> dict[str, str]:
    """The headers that are strings, up to the first that is not valid."""
    found: dict[str, str] = {}
    while at < end:
        name_end = at + 1 + body[at]
        if name_end >= end:
            break
        name, kind, at = body[at + 1 : name_end], body[name_end], name_end + 1
        length = _FIXED.get(kind)
        if length is None:
            if kind not in (6, 7) or at + 2 > end:
                break
            length = int.from_bytes(body[at : at + 2])
            at += 2
        if at + length > end:
            break
        if kind == 7:
            found[name.decode("utf-8", "replace")] = body[at : at + length].decode("utf-8", "replace")
        at += length
    return found
