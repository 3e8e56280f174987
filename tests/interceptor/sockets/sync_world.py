"""What programs do with the synchronous client of websockets."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from .server import Serving, event

__all__ = ("SCENARIOS",)

Facts = list[object]
ASK = event("response.create")
SCENARIOS: list[Callable[[Serving], Facts]] = []


def scenario(play: Callable[[Serving], Facts]) -> Callable[[Serving], Facts]:
    SCENARIOS.append(play)
    return play


def facts_of(socket: Any) -> Facts:
    """What a program may look at."""
    return [
        type(socket).__name__,
        isinstance(socket, ClientConnection),
        type(socket.protocol).__name__,
        socket.subprotocol,
        [type(each).__name__ for each in socket.protocol.extensions],
        socket.response.status_code,
        socket.state.name,
        socket.close_code,
        socket.close_reason,
    ]


def raised(error: BaseException) -> Facts:
    return [type(error).__name__, str(error), type(error.__cause__).__name__]


@scenario
def a_turn(serving: Serving) -> Facts:
    with connect(serving.url("talk"), subprotocols=["realtime"]) as socket:  # type: ignore[list-item]
        socket.send(ASK)
        seen = [socket.recv() for _ in range(6)]
        return [*facts_of(socket), seen]


@scenario
def two_turns_read_as_bytes(serving: Serving) -> Facts:
    with connect(serving.url("talk"), compression=None) as socket:
        socket.send(ASK.encode(), text=True)
        socket.send(ASK)
        return [*facts_of(socket), [socket.recv(decode=False) for _ in range(11)]]


@scenario
def iteration_to_a_close(serving: Serving) -> Facts:
    with connect(serving.url("twice")) as socket:
        seen = list(socket)
    return [seen, *facts_of(socket)]


@scenario
def echoes_of_every_kind(serving: Serving) -> Facts:
    with connect(serving.url("echo")) as socket:
        seen: Facts = []
        for message in ("text", b"bytes", bytearray(b"array"), memoryview(b"view"), "", b""):
            socket.send(message)
            seen.append(socket.recv())
        for pieces in (["a", "b"], iter([b"a", b"b"])):
            socket.send(pieces)
            seen.append(socket.recv())
        return seen


@scenario
def pieces(serving: Serving) -> Facts:
    with connect(serving.url("pieces")) as socket:
        seen = [list(socket.recv_streaming()), list(socket.recv_streaming(decode=False))]
        socket.send("done")
        return [seen]


@scenario
def pings(serving: Serving) -> Facts:
    with connect(serving.url("talk")) as socket:
        heard = socket.ping(b"1").wait(5)
        socket.pong(b"2")
        return [heard, *facts_of(socket)]


@scenario
def a_timeout(serving: Serving) -> Facts:
    with connect(serving.url("echo")) as socket:
        with pytest.raises(TimeoutError) as error:
            socket.recv(timeout=0.01)
        socket.send("later")
        return [*raised(error.value), socket.recv()]


@scenario
def closed_by_the_other_side(serving: Serving) -> Facts:
    with connect(serving.url("closing")) as socket:
        socket.send(ASK)
        seen: Facts = [socket.recv()]
        with pytest.raises(ConnectionClosed) as error:
            socket.recv()
        return [*seen, *raised(error.value), *facts_of(socket)]


@scenario
def broken_off(serving: Serving) -> Facts:
    with connect(serving.url("breaking")) as socket:
        socket.send(ASK)
        seen: Facts = [socket.recv()]
        with pytest.raises(ConnectionClosed) as error:
            socket.recv()
        return [*seen, type(error.value).__name__, *facts_of(socket)]


@scenario
def too_large(serving: Serving) -> Facts:
    with connect(serving.url("large"), max_size=1000) as socket:
        with pytest.raises(ConnectionClosed) as error:
            socket.recv()
        return [*raised(error.value), *facts_of(socket)]


@scenario
def not_a_text(serving: Serving) -> Facts:
    with connect(serving.url("bad")) as socket:
        with pytest.raises(ConnectionClosed) as error:
            socket.recv()
        return [*raised(error.value), *facts_of(socket)]


@scenario
def left_in_the_middle(serving: Serving) -> Facts:
    with connect(serving.url("talk")) as socket:
        socket.send(ASK)
        seen = [socket.recv(), socket.recv()]
    with pytest.raises(ConnectionClosed) as error:
        socket.send("more")
    return [seen, *raised(error.value), *facts_of(socket)]


@scenario
def left_by_an_exception(serving: Serving) -> Facts:
    socket = connect(serving.url("talk"))
    with suppress(ZeroDivisionError), socket:
        socket.send(ASK)
        raise ZeroDivisionError
    return facts_of(socket)


@scenario
def refused(serving: Serving) -> Facts:
    with pytest.raises(WebSocketException) as error:
        connect(serving.url("refused"))
    return [*raised(error.value), error.value.response.status_code, error.value.response.body]  # type: ignore[attr-defined]


@scenario
def a_wrong_message(serving: Serving) -> Facts:
    with connect(serving.url("talk")) as socket:
        with pytest.raises(TypeError) as error:
            socket.send({"type": "response.create"})
        with pytest.raises(TypeError) as other:
            socket.send([ASK, b"bytes"])
        return [*raised(error.value), *raised(other.value)]


@scenario
def nobody_listens(serving: Serving) -> Facts:
    with pytest.raises(OSError) as error:
        connect("ws://127.0.0.1:1/v1/realtime")
    return [type(error.value).__name__]
