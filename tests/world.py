"""Exchanges as an interceptor would hand them over, made by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from miharu.attribution.context import Context
from miharu.exchange import End, Exchange, Request, ends_of

__all__ = ("CHAT", "HandMade", "exchange", "sse")

CHAT = "https://api.openai.com/v1/chat/completions"


class HandMade(Exchange):
    """An exchange that nobody sent."""

    __slots__ = ("asked",)

    def __init__(self, asked: Request, context: Context | None = None) -> None:
        super().__init__(context)
        self.asked = asked

    def request(self) -> Request:
        return self.asked

    def asked_size(self) -> int:
        return len(self.asked.body or b"")

    def abridge_request(self) -> None:
        if self.asked.body is not None:
            body, gap = ends_of(self.asked.body)
            self.asked = replace(self.asked, body=body, gap=gap)


def exchange(
    url: str = CHAT,
    body: object = None,
    *,
    asked: object = None,
    status: int | None = 200,
    headers: Mapping[str, str] | None = None,
    request_headers: Mapping[str, str] | None = None,
    chunks: Sequence[bytes] | None = None,
    end: End = "eof",
    error: tuple[str, str] | None = None,
    context: Context | None = None,
    took_ms: int = 100,
    method: str = "POST",
) -> HandMade:
    """One exchange that took ``took_ms``; its chunks arrived evenly over that time."""
    host, _, path = url.partition("://")[2].partition("/")
    path, _, query = path.partition("#")[0].partition("?")
    made = HandMade(
        Request(
            method=method,
            host=host,
            path=f"/{path}",
            query=query,
            headers=dict(request_headers or {}),
            body=asked if isinstance(asked, bytes | None) else json.dumps(asked).encode(),
        ),
        context,
    )
    made.status = status
    made.response_headers = dict(headers or {})
    if chunks is None:
        chunks = [] if body is None else [body if isinstance(body, bytes) else json.dumps(body).encode()]
    made.chunks = list(chunks)
    step = took_ms * 1_000_000 // max(1, len(chunks))
    made.arrivals = [made.started + step * (number + 1) for number in range(len(chunks))]
    made.ended = made.started + took_ms * 1_000_000
    made.end = end
    if error is not None:
        made.error_type, made.error_message = error
    return made


def sse(*events: Any, done: bool = True) -> list[bytes]:
    """Chunks of one event each; a pair is an event's name and its data."""
    chunks = []
    for event in events:
        name, data = event if isinstance(event, tuple) else (None, event)
        text = data if isinstance(data, str) else json.dumps(data)
        chunks.append((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
    return [*chunks, b"data: [DONE]\n\n"] if done else chunks
