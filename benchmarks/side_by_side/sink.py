"""A receiver for tools that export, on this machine: keeps what comes, and counts the calls in it when asked.

    python sink.py            prints its port; GET /count answers {"calls": …, "requests": …, "bytes": …}

A call is a trace with a span that names a model or a URL: the program makes each call on its own, and some
tools make two spans of a stream. OTLP is read by its wire format (opentelemetry-proto, trace/v1), Sentry's
envelopes by theirs (develop.sentry.dev/sdk/envelopes).
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALLS = (
    b"gen_ai.request.model",
    b"llm.model_name",
    b"url.full",
    b"http.url",
    b"langfuse.observation.model.name",
)
LOGGED = b"streaming response from"
"""Logfire says so of each stream, beside the call's own span and in a trace of its own."""
received: list[tuple[str, bytes]] = []


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protobuf message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == 0:
            _, at = _varint(message, at)
        else:
            at += {1: 8, 5: 4}[kind]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def inside(message: bytes, *path: int) -> Iterator[bytes]:
    """The messages at that path of field numbers."""
    for number, value in fields(message):
        if number == path[0]:
            yield from inside(value, *path[1:]) if len(path) > 1 else (value,)


def calls_of(path: str, body: bytes) -> Iterator[bytes]:
    """The trace ids of the calls in a request."""
    if path.endswith("/traces"):
        # ExportTraceServiceRequest.resource_spans.scope_spans.spans; Span.trace_id, .attributes.key
        for span in inside(body, 1, 2, 2):
            name = next(inside(span, 5))
            if any(key in CALLS for key in inside(span, 9, 1)) and not name.startswith(LOGGED):
                yield next(inside(span, 1))
    elif path.endswith("/envelope/"):
        for line in body.split(b"\n"):
            if line.startswith(b'{"version":2,"items":'):
                for span in json.loads(line)["items"]:
                    if "gen_ai.request.model" in span["attributes"]:
                        yield span["trace_id"].encode()


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        received.append((self.path, body))
        self._answer(b"{}" if self.headers.get("content-type") != "application/x-protobuf" else b"")

    def do_GET(self) -> None:
        if self.path != "/count":
            self._answer(b'{"project_name": "local", "project_url": "http://127.0.0.1"}')
            return
        calls = {call for path, body in received for call in calls_of(path.partition("?")[0], _plain(body))}
        size = sum(len(body) for _, body in received)
        self._answer(json.dumps({"calls": len(calls), "requests": len(received), "bytes": size}).encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json" if content else "application/x-protobuf")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


def _plain(body: bytes) -> bytes:
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body)
    try:
        return zlib.decompress(body) if body[:1] == b"\x78" else body
    except zlib.error:
        return body


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_address[1], flush=True)
    server.serve_forever()
