"""Amazon's binary event stream (https://smithy.io/2.0/aws/amazon-eventstream.html)."""

import json
import struct
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from zlib import crc32

__all__ = ("CONTENT_TYPE", "chunk", "event", "exception")

CONTENT_TYPE = "application/vnd.amazon.eventstream"


def event(name: str, payload: Any) -> bytes:
    return _frame(payload, {":event-type": name, ":message-type": "event"})


def exception(name: str, payload: Any) -> bytes:
    return _frame(payload, {":exception-type": name, ":message-type": "exception"})


def chunk(inner: Any) -> bytes:
    """What InvokeModelWithResponseStream wraps each event of the model's own stream in."""
    return event("chunk", {"bytes": b64encode(json.dumps(inner).encode()).decode()})


def _frame(payload: Any, headers: Mapping[str, str]) -> bytes:
    raw = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in {":content-type": "application/json", **headers}.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(raw) + len(data), len(raw))
    start = prelude + struct.pack(">I", crc32(prelude)) + raw + data
    return start + struct.pack(">I", crc32(start))
