"""An answer of the fake provider: its headers, its body or its frames, and how it is sent."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from miharu.testing import _faults

__all__ = ("Frames", "Reply", "data_frames", "event_stream", "json_reply", "named_events", "send_reply")

Frames = Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    frames: Frames | None = None
    """The frames of a stream, instead of a body."""


class _BrokenError(ConnectionAbortedError):
    """Raised to the server, so that it drops the connection."""


async def send_reply(
    reply: Reply,
    headers: Iterable[tuple[str, str]],
    send: Any,
    *,
    squeeze: bool,
    pause: float,
    cut: bool,
    garbled: bool = False,
) -> None:
    """Send it, with the headers of every answer.

    Args:
        reply: What to send.
        headers: Those that every answer has.
        send: The server's.
        squeeze: Whether in gzip.
        pause: Seconds between the frames of a stream.
        cut: Whether the connection breaks half way.
        garbled: Whether half of it is missing, of a stream half of a frame, and nothing tells so.
    """
    encoding = [("content-encoding", "gzip")] if squeeze else []
    raw = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in [*reply.headers, *headers, *encoding]
    ]
    if reply.frames is None:
        body = reply.body[: len(reply.body) // 2] if garbled else reply.body
        body = gzip.compress(body) if squeeze else body
        raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        if cut:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            raise _BrokenError
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    frames = list(reply.frames)
    packer = zlib.compressobj(wbits=31) if squeeze else None
    for number, frame in enumerate(frames):
        if cut and number >= len(frames) // 2:
            raise _BrokenError
        if number and pause:
            await anyio.sleep(pause)
        if garbled and number == len(frames) // 2:
            frame = frame[: len(frame) // 2]  # noqa: PLW2901 - the same, broken
        packed = packer.compress(frame) + packer.flush(zlib.Z_SYNC_FLUSH) if packer else frame
        await send({"type": "http.response.body", "body": packed, "more_body": True})
    await send({"type": "http.response.body", "body": packer.flush() if packer else b""})


def json_reply(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    body = json.dumps(value, indent=2).encode() + b"\n"
    return Reply(status=status, headers=(("content-type", "application/json"), *headers), body=body)


def event_stream(frames: Frames) -> Reply:
    return Reply(headers=(("content-type", "text/event-stream; charset=utf-8"),), frames=frames)


def data_frames(chunks: Iterable[Mapping[str, Any]], *, broken: bool) -> Frames:
    every = list(chunks)
    for chunk in every[: len(every) // 2] if broken else every:
        yield b"data: " + _compact(chunk) + b"\n\n"
    if broken:
        yield b"data: " + _compact(_faults.error_json(500)) + b"\n\n"
    yield b"data: [DONE]\n\n"


def named_events(events: list[dict[str, Any]], failure: dict[str, Any] | None = None) -> Frames:
    """Events that have their type as a name; with a failure, half of them and that."""
    if failure is not None:
        events = [*events[: len(events) // 2], failure]
    for event in events:
        yield b"event: " + event["type"].encode() + b"\ndata: " + _compact(event) + b"\n\n"


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
