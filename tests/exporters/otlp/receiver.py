"""A receiver on a port of this machine that reads the real messages, and fails as a test says."""

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ("Answer", "Receiver", "Taken", "attributes", "plain", "receiving")

MESSAGES: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One request, with its message parsed."""

    path: str
    headers: dict[str, str]
    message: Any
    connection: int


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None
    """Waited for before it is given."""
    hangs_up: bool = False
    """Close the connection afterwards, without saying so, as receivers do with an idle one."""


class Receiver:
    """What has arrived, and how the next requests are answered."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.answers: list[Answer] = []
        """For the next requests with traces, in turn; then all is well."""
        self.always: Callable[[str], Answer] = lambda _: Answer()
        self.url = ""
        self.arrived = threading.Condition()

    def answer(self, path: str) -> Answer:
        if path == "/v1/traces" and self.answers:
            return self.answers.pop(0)
        return self.always(path)

    def wait(self, count: int, path: str = "/v1/traces", timeout: float = 20.0) -> list[Taken]:
        """The requests of that path, once there are so many."""
        with self.arrived:
            done = self.arrived.wait_for(lambda: len(self.at(path)) >= count, timeout)
            assert done, f"{len(self.at(path))} of {count} requests arrived at {path}"
            return self.at(path)

    def at(self, path: str) -> list[Taken]:
        return [one for one in self.taken if one.path == path]

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for taken in self.at("/v1/traces")
            for resource in taken.message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def logs(self) -> list[Any]:
        return [
            record
            for taken in self.at("/v1/logs")
            for resource in taken.message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the last request, by name."""
        taken = self.at("/v1/metrics")[-1]
        return {
            metric.name: metric
            for resource in taken.message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def plain(value: Any) -> Any:
    """An attribute's value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, kind)


def attributes(message: Any) -> dict[str, Any]:
    return {one.key: plain(one.value) for one in message.attributes}


@contextmanager
def receiving(
    port: int = 0, certificate: tuple[Path, Path] | None = None, receiver: Receiver | None = None
) -> Iterator[Receiver]:
    """A receiver; with a certificate and its key it speaks TLS."""
    here = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers["content-encoding"] == "gzip":
                body = gzip.decompress(body)
            assert self.headers["content-type"] == "application/x-protobuf"
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = here.answer(path)
            if answer.gate is not None:
                answer.gate.wait(30)
            message = MESSAGES[path[path.index("/v1/") :]].FromString(body)
            with here.arrived:
                here.taken.append(Taken(path, headers, message, self.client_address[1]))
                here.arrived.notify_all()
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = answer.hangs_up
            except OSError:
                self.close_connection = True  # it was too slow

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    scheme = "https" if certificate else "http"
    here.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
