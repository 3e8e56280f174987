"""A small door in front of chDB, the engine of ClickHouse in a process: as much of its HTTP interface as
the official client uses. It runs in an environment of its own (``requirements/clickhouse.txt``).

    .venv-clickhouse/bin/python tests/stores/clickhouse/door.py FOLDER [PORT]

It prints its port. Who may come in is the door's business: ``tester`` may do everything. All else is the
engine's.
"""

import base64
import gzip
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "tester", "not a s@cret: 100%/?#"
_OF_HTTP = {"query", "database", "compress", "decompress", "default_format", "client_protocol_version"}
_OF_HTTP |= {"session_id", "query_id", "wait_end_of_query", "http_headers_progress_interval_ms"}
_OF_HTTP |= {"date_time_input_format", "cast_string_to_dynamic_use_inference"}
_OF_HTTP |= {"send_progress_in_http_headers", "cancel_http_readonly_queries_on_client_close", "role"}


class Engine:
    """One engine, a statement at a time."""

    def __init__(self, folder: str) -> None:
        from chdb.session import Session

        self._session = Session(folder)
        self._folder = folder
        self._turn = threading.Lock()
        self._database = "default"
        self._settings: dict[str, str] = {}

    def run(self, statement: str, options: dict[str, str], block: bytes = b"") -> bytes:
        parameters = {name[6:]: value for name, value in options.items() if name.startswith("param_")}
        settings = {
            name: value
            for name, value in options.items()
            if name not in _OF_HTTP and not name.startswith("param_")
        }
        statement = statement.rstrip().rstrip(";")
        body, found, wanted = statement.rpartition("FORMAT ")
        if found and wanted.isalnum() and not block:
            statement = body
        else:
            wanted = options.get("default_format", "TabSeparated")
        with self._turn, tempfile.NamedTemporaryFile(dir=self._folder, suffix=".native") as file:
            self._set(options.get("database", "default"), settings)
            if block:
                file.write(block)
                file.flush()
                statement = f"{statement.rpartition('FORMAT')[0]} SELECT * FROM file('{file.name}', 'Native')"
            answer = self._session.query(statement, wanted, params=parameters or None)
            return bytes(answer.bytes() or b"")

    def _set(self, database: str, settings: dict[str, str]) -> None:
        if database != self._database:
            self._session.query(f"USE `{database}`")
            self._database = database
        for name in self._settings.keys() - settings.keys():
            self._session.query(f"SET {name} = DEFAULT")
            del self._settings[name]
        for name, value in settings.items():
            if self._settings.get(name) != value:
                self._session.query(f"SET {name} = '{value}'")
                self._settings[name] = value


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine: Engine

    def do_GET(self) -> None:
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = self._chunks()
        if self._user() != (USER, PASSWORD):
            said = "Authentication failed: password is incorrect, or there is no user with such name."
            self._refuse(516, f"Code: 516. DB::Exception: {self._user()[0]}: {said} (AUTHENTICATION_FAILED)")
            return
        try:
            data = _decoded(data, self.headers.get("Content-Encoding"))
        except Exception as error:  # the driver breaks off in this way
            self._refuse(1001, f"Code: 1001. DB::Exception: {error}. (STD_EXCEPTION)")
            return
        options = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if "query" in options:
            statement, block = options["query"], data
        elif data.lstrip()[:6].upper() == b"INSERT" and b"FORMAT Native\n" in data[:10_000]:
            head, _, block = data.partition(b"FORMAT Native\n")
            statement = head.decode() + "FORMAT Native"
        else:
            statement, block = data.decode(), b""
        try:
            answer = self.engine.run(statement, options, block)
        except Exception as error:
            text = str(error).strip()
            code = text.partition("Code: ")[2].partition(".")[0]
            self._refuse(int(code) if code.isdigit() else 1000, text)
            return
        self._answer(200, answer)

    def log_message(self, *_: Any) -> None: ...

    def _user(self) -> tuple[str, str]:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            user, _, password = base64.b64decode(value).decode().partition(":")
            return user, password
        return self.headers.get("X-ClickHouse-User", "default"), self.headers.get("X-ClickHouse-Key", "")

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _refuse(self, code: int, text: str) -> None:
        status = {516: 403, 81: 404, 60: 404}.get(code, 500)
        self._answer(status, text.encode(), {"X-ClickHouse-Exception-Code": str(code)})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"X-ClickHouse-Summary": "{}", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _decoded(data: bytes, coding: str | None) -> bytes:
    if coding == "gzip":
        return gzip.decompress(data)
    if coding == "lz4":
        import lz4.frame

        return bytes(lz4.frame.decompress(data))
    if coding == "zstd":
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        return bytes(zstd.decompress(data))
    return data


def main(folder: str, port: str = "0") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    Door.engine = Engine(folder)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Door)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
