"""A session with a model on this machine, in the events of OpenAI Realtime."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

__all__ = ("USAGE", "Serving", "event", "serving")

USAGE = {
    "total_tokens": 50,
    "input_tokens": 30,
    "output_tokens": 20,
    "input_token_details": {
        "text_tokens": 10,
        "audio_tokens": 20,
        "cached_tokens": 8,
        "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 4},
    },
    "output_token_details": {"text_tokens": 5, "audio_tokens": 15},
}


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": "event_1", **fields}, separators=(",", ":"))


def _talk(socket: ServerConnection) -> None:
    """Answer each ``response.create``, with some sound."""
    socket.send(event("session.created", session={"id": "sess_1", "model": "gpt-realtime"}))
    number = 0
    for message in socket:
        if json.loads(message)["type"] != "response.create":
            continue
        number += 1
        _answer(socket, f"resp_{number}")


def _answer(socket: ServerConnection, name: str) -> None:
    response = {"object": "realtime.response", "id": name}
    socket.send(event("response.created", response={**response, "status": "in_progress"}))
    for _ in range(3):
        socket.send(event("response.output_audio.delta", response_id=name, delta="A" * 5000))
    socket.send(event("response.done", response={**response, "status": "completed", "usage": USAGE}))


def _echo(socket: ServerConnection) -> None:
    for message in socket:
        socket.send(message)


def _pieces(socket: ServerConnection) -> None:
    """One message in several frames, of text and of bytes."""
    done = event("response.done", response={"object": "realtime.response", "id": "resp_1", "usage": USAGE})
    socket.send([done[:20], done[20:40], done[40:]])
    socket.send([b"\0\1", b"\2"])
    socket.recv()


def _closing(socket: ServerConnection) -> None:
    """Close it in the middle of a response."""
    socket.recv()
    socket.send(event("response.created", response={"object": "realtime.response", "id": "resp_1"}))
    socket.close(1011, "no more quota")


def _breaking(socket: ServerConnection) -> None:
    """Break the connection in the middle of a response."""
    socket.recv()
    socket.send(event("response.created", response={"object": "realtime.response", "id": "resp_1"}))
    socket.close_socket()


def _bad(socket: ServerConnection) -> None:
    """Say what is not a text."""
    socket.send(b"\xff\xfe", text=True)
    socket.recv()


def _large(socket: ServerConnection) -> None:
    socket.send("x" * 5000)
    socket.recv()


def _twice(socket: ServerConnection) -> None:
    """Close each session after one message, so that a program has to connect again."""
    socket.send("hello")
    socket.close()


SCRIPTS: dict[str, Callable[[ServerConnection], None]] = {
    "talk": _talk,
    "echo": _echo,
    "pieces": _pieces,
    "closing": _closing,
    "breaking": _breaking,
    "bad": _bad,
    "large": _large,
    "twice": _twice,
}


class Serving:
    """Where it is."""

    def __init__(self, server: Server) -> None:
        self.port = server.socket.getsockname()[1]

    def url(self, script: str, scheme: str = "ws", path: str = "/v1/realtime") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}?model=gpt-realtime&script={script}"


@contextmanager
def serving() -> Iterator[Serving]:
    def handle(socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        with suppress(ConnectionClosed):
            SCRIPTS[parse_qs(urlsplit(request.path).query)["script"][0]](socket)

    def admit(socket: ServerConnection, request: Any) -> Any:
        if "script=refused" in request.path:
            return socket.respond(401, '{"error":{"type":"invalid_request_error","message":"no such key"}}')
        return None

    with serve(
        handle,
        "127.0.0.1",
        0,
        process_request=admit,
        select_subprotocol=lambda _, offered: offered[0] if offered else None,
        close_timeout=2,
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Serving(server)
        finally:
            server.shutdown()
            thread.join()
