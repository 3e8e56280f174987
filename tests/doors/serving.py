"""Real servers in processes of their own, as their users start them, and a proxy that takes a prefix away."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, cast

__all__ = ("SERVERS", "Served", "Server", "environment", "free_port", "running", "serving", "stripping_proxy")

ROOT = Path(__file__).parents[2]
HANGS_S = 25.0
"""A server that has not ended by then never will."""


@dataclass(frozen=True)
class Server:
    """How one is started; ``root_path`` is the name of its option for a prefix."""

    command: tuple[str, ...]
    root_path: str
    trio: bool = False
    http2: bool = False


SERVERS = {
    "uvicorn (h11)": Server(("uvicorn", "--port", "{port}", "--http", "h11"), "--root-path"),
    "uvicorn (httptools)": Server(("uvicorn", "--port", "{port}", "--http", "httptools"), "--root-path"),
    "hypercorn, asyncio": Server(("hypercorn", "--bind", "127.0.0.1:{port}"), "--root-path"),
    "hypercorn, asyncio, HTTP/2": Server(
        ("hypercorn", "--bind", "127.0.0.1:{port}"), "--root-path", http2=True
    ),
    "hypercorn, trio": Server(
        ("hypercorn", "--bind", "127.0.0.1:{port}", "--worker-class", "trio"), "--root-path", trio=True
    ),
    "granian": Server(("granian", "--interface", "asgi", "--port", "{port}"), "--url-path-prefix"),
    "granian, HTTP/2": Server(
        ("granian", "--interface", "asgi", "--port", "{port}"), "--url-path-prefix", http2=True
    ),
}


@dataclass
class Served:
    """A running server."""

    address: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What it has said to its terminal, where it has one."""

    @property
    def log(self) -> str:
        return "".join([*self.said, *self.errors])

    def end(self) -> float:
        """Press Ctrl-C; how many seconds it takes to end."""
        begun = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(HANGS_S)
        return time.perf_counter() - begun


def environment(database: Path | str, **more: str) -> dict[str, str]:
    """What a program is started with; nothing of this test run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIHARU_", "PYTEST", "COV_", "COVERAGE"))
    }
    return kept | {
        "MIHARU_DATABASE_URL": str(database),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def serving(
    app: str,
    server: str,
    environ: Mapping[str, str],
    options: tuple[str, ...] = (),
    stderr: int = subprocess.STDOUT,
) -> Iterator[Served]:
    """The server, until the end of the block."""
    command = [part.format(port=free_port()) for part in SERVERS[server].command]
    port = int(re.findall(r"\d{4,}", " ".join(command))[0])
    with running([*command, app, *options], environ, f"http://127.0.0.1:{port}", stderr) as served:
        yield served


@contextmanager
def running(
    module: list[str], environ: Mapping[str, str], address: str | None = None, stderr: int = subprocess.STDOUT
) -> Iterator[Served]:
    """A module that serves; where ``address`` is not known before, the module says it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    served = Served(address or "", process)
    told = threading.Event()

    def listen() -> None:
        for line in cast("IO[str]", process.stdout):
            served.said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found and not served.address:
                served.address = found[0]
                told.set()
        told.set()

    reader = threading.Thread(target=listen)
    reader.start()
    try:
        if address is None:
            told.wait(60)
        _await_port(served)
        yield served
        if process.poll() is None:
            served.end()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join()
        cast("IO[str]", process.stdout).close()


def _await_port(served: Served) -> None:
    _, _, port = served.address.rpartition(":")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and served.process.poll() is None and port:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 5).close()
        except OSError:
            served.process.poll()
            time.sleep(0.01)
        else:
            return
    raise AssertionError(f"it does not listen ({served.process.returncode}):\n{served.log}")


@contextmanager
def stripping_proxy(upstream: str, prefix: str) -> Iterator[str]:
    """The address, prefix and all, of a proxy that takes the prefix away and adds no header."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            target = http.client.HTTPConnection(upstream.removeprefix("http://"), timeout=30)
            path = self.path.removeprefix(prefix) if self.path.startswith(f"{prefix}/") else "/outside"
            target.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                target.putheader(name, value)
            target.endheaders()
            answer = target.getresponse()
            body = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            target.close()

        do_GET = do_HEAD = do_POST = pass_on

        def log_message(self, format: str, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{prefix}"
        finally:
            server.shutdown()
            thread.join()
