"""A session without a network: what both sides say, in the events of a format."""

import json
from typing import Any

from miharu.exchange import Request
from miharu.interceptor.sockets.session import SWITCHED, Session
from miharu.providers.turns import Turns

__all__ = ("create", "created", "delta", "done", "said", "session")


def session(turns: Turns, **headers: str) -> Session:
    """One that the provider has accepted."""
    it = Session(
        turns,
        Request(
            method="WEBSOCKET",
            host="api.openai.com",
            path="/v1/realtime",
            query="model=gpt-realtime",
            headers=headers,
            body=None,
        ),
    )
    it.opened(SWITCHED, {})
    return it


def said(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, "event_id": "event_1", **fields}, separators=(",", ":")).encode()


def create(**fields: Any) -> bytes:
    return said("response.create", **fields)


def created(name: str) -> bytes:
    return said("response.created", response={"object": "realtime.response", "id": name})


def delta(name: str, size: int = 5000) -> bytes:
    return said("response.output_audio.delta", response_id=name, item_id="item", delta="A" * size)


def done(name: str, status: str = "completed", **fields: Any) -> bytes:
    response = {"object": "realtime.response", "id": name, "status": status, **fields}
    return said("response.done", response=response)
