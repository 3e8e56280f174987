"""A miharu that takes in calls, programs that send them, and what can stand between the two."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from tests.stores.faults import ROOT, App

__all__ = ("TOKEN", "Front", "Program", "Taker", "free_port", "models")

TOKEN = "a-token-of-the-tests"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("MIHARU", "PYTEST", "COVERAGE"))}
    return kept | {"PYTHONPATH": str(ROOT), "NO_PROXY": "*"} | more


class Taker:
    """``miharu dashboard --ingest``, which can be killed and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "taken.db"
        self.port = free_port()
        self.url = f"http://{TOKEN}@127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Taker":
        command = [sys.executable, "-m", "miharu", "dashboard", "--ingest", "--database", str(self.database)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=self.database.parent,
            env=environment(MIHARU_TOKEN=TOKEN),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "MIHARU_DATABASE_URL=http://<the value of MIHARU_TOKEN>@127.0.0.1" in "".join(
            cast("Any", self._process.stdout).readline() for _ in range(3)
        )
        return self

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(30)
            cast("Any", process.stdout).close()


class Program(App):
    """A program that sends its calls; its working directory is its own."""

    def __init__(self, provider: str, folder: Path, **environ: str) -> None:
        folder.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.app", provider],
            cwd=environ.pop("cwd", str(folder)),
            env=environment(HOME=str(folder)) | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.logs = []
        self._answer()


class Front:
    """Stands before a miharu, as a proxy does, and has habits of its own."""

    def __init__(self, port: int) -> None:
        self.largest = 1 << 30
        """Bytes of a body; what is larger is answered 413."""
        self.loses = 0
        """So many answers are lost on their way back."""
        self.open = threading.Event()
        """Without it, nothing is passed on."""
        self.open.set()
        self.seen: list[int] = []
        """The statuses that were answered."""
        self._port = port
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                front._pass_on(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{TOKEN}@127.0.0.1:{self._server.server_address[1]}"

    def _pass_on(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.open.wait(60)
        if len(body) > self.largest:
            self._answer(request, 413, {}, b"too large, says the proxy")
            return
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as onward:
            onward.request("POST", request.path, body, dict(request.headers))
            response = onward.getresponse()
            content = response.read()
        if self.loses and body:
            self.loses -= 1
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(request, response.status, dict(response.getheaders()), content)

    def _answer(
        self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes
    ) -> None:
        self.seen.append(status)
        request.send_response(status)
        for name, value in headers.items():
            if name.lower() == "miharu-form":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @contextmanager
    def serving(self) -> "Iterator[Front]":
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.open.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def models(database: Path) -> list[str]:
    """Of the calls that are stored."""
    with closing(sqlite3.connect(database)) as connection:
        return [
            model for (model,) in connection.execute("SELECT request_model FROM llm_calls ORDER BY rowid")
        ]
