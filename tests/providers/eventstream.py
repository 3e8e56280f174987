"""Amazon's event stream, written by hand (https://smithy.io/2.0/aws/amazon-eventstream.html)."""

import json
import struct
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from zlib import crc32

__all__ = ("chunk", "event", "exception", "frame", "message", "written")


def message(headers: bytes, payload: bytes) -> bytes:
    """One frame around raw headers."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    start = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return start + struct.pack(">I", crc32(start))


def frame(payload: Any, headers: Mapping[str, str]) -> bytes:
    """One frame whose headers are strings; a payload that is not bytes becomes JSON."""
    raw = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    return message(raw, payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def event(name: str, payload: Any) -> bytes:
    kind = "application/octet-stream" if isinstance(payload, bytes) else "application/json"
    return frame(payload, {":event-type": name, ":content-type": kind, ":message-type": "event"})


def chunk(inner: Any) -> bytes:
    """What InvokeModelWithResponseStream wraps each chunk of the model's own stream in."""
    data = inner.encode() if isinstance(inner, str) else json.dumps(inner).encode()
    return event("chunk", {"bytes": b64encode(data).decode(), "p": "abcdefgh"})


def exception(name: str, payload: Any) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(payload, headers)


def written(frames: list[list[Any]]) -> list[bytes]:
    """The frames of a fixture: pairs of an event's name and its payload.

    ``chunk`` wraps, a name that ends in ``Exception`` is one, ``PayloadPart`` is a text.
    """
    made = []
    for name, payload in frames:
        if name == "chunk":
            made.append(chunk(payload))
        elif name.endswith("Exception"):
            made.append(exception(name, payload))
        else:
            made.append(event(name, payload.encode() if isinstance(payload, str) else payload))
    return made
