"""A local model that says its script one step at a time, so that no test sleeps to get an order.

The first segment of the path names the script; ``/stream/v1/chat/completions`` streams. Where a script
waits, the test opens its gate with ``step()``.
"""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

__all__ = ("ANSWER", "EVENTS", "Served", "Server", "encode")

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
).encode()


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-x",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


EVENTS = (
    _event({"role": "assistant", "content": ""}),
    _event({"content": "hel"}),
    _event({"content": "lo"}),
    _event({}, "stop"),
    b"data: [DONE]\n\n",
)


def encode(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "gzip":
            return gzip.compress(body, mtime=0)
        case "deflate":
            return zlib.compress(body)
        case "br":
            import brotli  # not in every environment in which these tests run

            return bytes(brotli.compress(body))
        case _:
            import zstandard

            return zstandard.compress(body)


class _Abandoned(Exception):
    """The test is over, and nobody opens this gate any more."""


class _Gate:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._steps = 0
        self._over = False

    def wait(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._over or self._steps, timeout=20) or self._over:
                raise _Abandoned
            self._steps -= 1

    def step(self, steps: int) -> None:
        with self._changed:
            self._steps += steps
            self._changed.notify_all()

    def abandon(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()


@dataclass
class Served:
    """One request, and what was said so far."""

    script: str
    headers: dict[str, str]
    body: bytes
    said: list[bytes] = field(default_factory=list)


class Server:
    """Listens on a free port of this machine for as long as it is entered."""

    def __init__(self) -> None:
        self.served: list[Served] = []
        self.arrived = threading.Event()
        """A request has come."""
        self._gate = _Gate()
        outer = self

        class Handler(_Handler):
            server_says = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reset()
        self._http.shutdown()
        self._http.server_close()

    def reset(self) -> None:
        """Let go of whoever still waits, and forget."""
        self._gate.abandon()
        self._gate = _Gate()
        self.served = []
        self.arrived = threading.Event()

    def step(self, steps: int = 1) -> None:
        """Let the script go on."""
        self._gate.step(steps)

    def answer(self, script: str, handler: "_Handler", served: Served, gate: _Gate) -> None:
        """Play a script; an unknown one is a stream whose content has that encoding."""
        play: Callable[..., None] = _SCRIPTS.get(script, _encoded)
        play(handler, served, gate)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_says: Server

    def do_POST(self) -> None:
        gate = self.server_says._gate
        served = Served(
            urlsplit(self.path).path.split("/")[1],
            {k.lower(): v for k, v in self.headers.items()},
            self._read_body(),
        )
        self.server_says.served.append(served)
        self.server_says.arrived.set()
        with suppress(_Abandoned, OSError):  # the client may leave at any moment
            self.server_says.answer(served.script, self, served, gate)
            return
        self.close_connection = True

    do_GET = do_POST

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def begin(self, status: int, first: bytes = b"", **headers: str) -> None:
        """Send the head and the first chunk in one piece, so that they arrive together."""
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        chunked = "content_length" not in headers
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self._headers_buffer.append(b"\r\n")
        head = b"".join(self._headers_buffer)
        self._headers_buffer: list[bytes] = []
        self.connection.sendall(head + (_chunk(first) if chunked and first else first))

    def say(self, served: Served, chunk: bytes) -> None:
        served.said.append(chunk)
        self.connection.sendall(_chunk(chunk))

    def end(self) -> None:
        self.connection.sendall(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _json(http: _Handler, served: Served, gate: _Gate) -> None:
    served.said.append(ANSWER)
    http.begin(200, ANSWER, content_type="application/json", content_length=str(len(ANSWER)))


def _stream(http: _Handler, served: Served, gate: _Gate) -> None:
    served.said.append(EVENTS[0])
    http.begin(200, EVENTS[0], content_type="text/event-stream")
    for event in EVENTS[1:]:
        gate.wait()
        http.say(served, event)
    gate.wait()
    http.end()


def _auto(http: _Handler, served: Served, gate: _Gate) -> None:
    """A model for SDKs: streams if asked to, and waits for nobody."""
    if not json.loads(served.body).get("stream"):
        _json(http, served, gate)
        return
    gate.step(len(EVENTS))
    _stream(http, served, gate)


def _dying(http: _Handler, served: Served, gate: _Gate) -> None:
    served.said.append(EVENTS[0])
    http.begin(200, EVENTS[0], content_type="text/event-stream")
    gate.wait()
    http.connection.shutdown(socket.SHUT_RDWR)
    http.close_connection = True


def _silent(http: _Handler, served: Served, gate: _Gate) -> None:
    gate.wait()


def _redirect(http: _Handler, served: Served, gate: _Gate) -> None:
    http.begin(307, location=http.path.replace("/redirect/", "/json/"), content_length="0")


def _encoded(http: _Handler, served: Served, gate: _Gate) -> None:
    body = encode(b"".join(EVENTS), served.script)
    pieces = [body[start : start + 40] for start in range(0, len(body), 40)]
    served.said.append(pieces[0])
    http.begin(200, pieces[0], content_type="text/event-stream", content_encoding=served.script)
    for piece in pieces[1:]:
        gate.wait()
        http.say(served, piece)
    gate.wait()
    http.end()


def _busy(http: _Handler, served: Served, gate: _Gate) -> None:
    served.said.append(b"later")
    http.begin(503, b"later", content_length="5")


def _empty(http: _Handler, served: Served, gate: _Gate) -> None:
    http.begin(200, content_length="0")


def _short(http: _Handler, served: Served, gate: _Gate) -> None:
    """Less than its length says."""
    served.said.append(ANSWER[:50])
    http.begin(200, ANSWER[:50], content_type="application/json", content_length=str(len(ANSWER)))
    http.close_connection = True


def _unmeasured(http: _Handler, served: Served, gate: _Gate) -> None:
    """Neither a length nor chunks: it ends with the connection."""
    served.said.append(ANSWER)
    http.connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + ANSWER)
    http.close_connection = True


def _garbled(http: _Handler, served: Served, gate: _Gate) -> None:
    """A chunk without a length."""
    served.said.append(EVENTS[0])
    http.begin(200, EVENTS[0], content_type="text/event-stream")
    http.connection.sendall(b"many\r\nno chunk")
    http.close_connection = True


def _lines(http: _Handler, served: Served, gate: _Gate) -> None:
    """Chunks that look like the ends of chunks."""
    http.begin(200, content_type="text/event-stream")
    for chunk in (b"data: 1", b"\r\n", b"\r\n", b"\r", b"\n\r\n", b"12", b"data: [DONE]\r\n\r\n"):
        http.say(served, chunk)
    http.end()


_SCRIPTS: dict[str, Callable[[_Handler, Served, _Gate], None]] = {
    "json": _json,
    "stream": _stream,
    "auto": _auto,
    "dying": _dying,
    "silent": _silent,
    "redirect": _redirect,
    "busy": _busy,
    "empty": _empty,
    "short": _short,
    "unmeasured": _unmeasured,
    "garbled": _garbled,
    "lines": _lines,
}
