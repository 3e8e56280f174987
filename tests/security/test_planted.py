"""A program's whole life with some forty planted secrets: none is in any table, file, log or export of it."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import pytest

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}
PLACES = (
    *(
        "authorization",
        "x-api-key",
        "x-goog-api-key, async",
        "api-key, async",
        "a login",
        "a cookie",
        "a query",
    ),
    *(
        "the address, as a login",
        "a query, async",
        "a session of aiohttp",
        "a query of aiohttp",
        "a login of aiohttp",
    ),
    *("a cookie of aiohttp", "a user agent", "a user agent, by its shape", "a private key", "a prompt"),
    *("the address of an MCP server", "the authorization of an MCP server", "a header of an MCP server"),
    *("an MCP server of Anthropic", "a data source", "the definition of a tool", "the arguments of a tool"),
    *(
        "the result of a tool",
        "a prompt, by its shape",
        "a form",
        "an observed function",
        "a session",
        "a tag",
    ),
    *("a note", "a comment", "a webhook", "an exporter"),
)
_SHAPES = {
    "a user agent, by its shape": "sk-proj-{}",
    "a prompt, by its shape": "ghp_{}",
    "a session": "eyJhbGciOiJIUzI1NiJ9.{}.x",
    "a private key": "MIIE{}",
}
"""Where only its shape can tell."""
_WITHOUT_SIGNS = {"a webhook", "a note", "a cookie", "a cookie of aiohttp", "a private key"} | set(_SHAPES)


def planted() -> dict[str, str]:
    made = {}
    for number, place in enumerate(PLACES):
        core = f"pLanTed{number:02}Zx9Qw7Er5"
        text = core if place in _WITHOUT_SIGNS else f"{core}/+={number:02}sEcret"
        made[place] = _SHAPES.get(place, "{}").format(text)
    return made


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append(self.path)
        do = self.headers.get("x-do", "ok")
        if do in {"bad", "drop"}:
            self.wfile.write(b"NONSENSE what is this\r\n\r\n" if do == "bad" else b"")
            self.close_connection = True
            return
        if do == "loop":
            self._answer(307, b"", location=f"http://{self.headers['host']}{self.path}")
            return
        if do == "quote":
            said = [self.path, str(self.headers), sent.decode(errors="replace")]
            said += [base64.b64encode(value.encode()).decode() for value in self.headers.values()]
            body = {
                "error": {"message": " | ".join(said), "type": "authentication_error", "code": said[1][:200]}
            }
            self._answer(
                401, json.dumps(body).encode(), **{"x-request-id": self.headers.get("authorization") or "r"}
            )
            return
        if do == "stream":
            echo = json.dumps({"choices": [{"delta": {"content": "x"}}], "tools": json.loads(sent)["tools"]})
            ends = json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            self._answer(
                200, f"data: {echo}\n\ndata: {ends}\n\ndata: [DONE]\n\n".encode(), kind="text/event-stream"
            )
            return
        echoed = {"asked": json.loads(sent)} if do == "echo" else {"by": dict(self.headers)}
        self._answer(200, json.dumps(ANSWER | echoed).encode())

    def _answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


def live(folder: Path, server: str, secrets: dict[str, str]) -> bytes:
    """Let the program live; all that it has said."""
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("MIHARU_", "PYTEST_"))}
    environ |= {"XDG_STATE_HOME": str(folder), "HOME": str(folder)}
    program = Path(__file__).with_name("planted.py")
    done = subprocess.run(
        [sys.executable, str(program), server, str(folder), json.dumps(secrets)],
        capture_output=True,
        timeout=240,
        check=False,
        env=environ,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout + b"\n" + done.stderr


def forms(secret: str) -> Iterator[tuple[str, bytes]]:
    core = next(part for part in secret.replace(".", "/").split("/") if "pLanTed" in part)
    core = core[core.index("pLanTed") :]
    yield "plain", core.encode()
    yield "percent-encoded", quote(secret, safe="").encode()
    yield "hexadecimal", core.encode().hex().encode()
    for ahead in range(3):
        code = base64.b64encode(b"x" * ahead + core.encode())
        yield "base64", code[(ahead * 8 + 5) // 6 : (ahead + len(core)) * 8 // 6]


def found(secrets: dict[str, str], places: dict[str, bytes]) -> list[tuple[str, str, str]]:
    return [
        (name, form, place)
        for place, content in places.items()
        for name, secret in secrets.items()
        for form, text in forms(secret)
        if text.lower() in content.lower()
    ]


def files(folder: Path) -> dict[str, bytes]:
    """Each file, as it is and with whatever is compressed in it."""
    made = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "httpx.log":
            made[path.name] = path.read_bytes() + b"\n" + b"\n".join(inflated(path.read_bytes()))
    return made


def inflated(data: bytes) -> Iterator[bytes]:
    for head in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        at = data.find(head)
        while at >= 0:
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:])
            at = data.find(head, at + 1)


def tables(database: Path) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    with closing(sqlite3.connect(database)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if name == "miharu_said":
                continue  # it has no rows of its own: what it knows stands in the tables behind it
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                for value in row:
                    data = value if isinstance(value, bytes) else str(value).encode()
                    made[name] = made.get(name, b"") + b"\n" + data + b"\n" + b"".join(inflated(data))
    return made


def test_none_of_the_planted_secrets_is_kept(tmp_path: Path, server: str) -> None:
    secrets = planted()
    said = live(tmp_path, server, secrets)
    database = tmp_path / "calls.db"
    kept = tables(database)
    assert kept["llm_calls"].count(b"openai.chat") > 30
    assert kept["llm_bodies"].count(b"[redacted]") > 30
    assert kept["llm_spans"].count(b"[redacted]") > 3
    exported = [
        subprocess.run(
            [sys.executable, "-m", "miharu", "export", "--database", str(database), *options],
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for options in (["--format", "jsonl", "--with-content"], ["--format", "csv"])
    ]
    assert min(map(len, exported)) > 1000
    everywhere = {"what it said": said, "export": b"".join(exported), **kept, **files(tmp_path)}
    assert found(secrets, everywhere) == []
    clients = (tmp_path / "httpx.log").read_bytes()
    assert secrets["a query"][:18].encode() in clients  # the program's own affair
    assert f"/hooks/{secrets['a webhook']}" in Provider.asked
    assert secrets["a webhook"].encode() not in clients


def test_none_is_kept_in_the_file_that_waits_for_a_database(tmp_path: Path, server: str) -> None:
    secrets = planted()
    password = "pLanTed99Zx9Qw7Er5"
    database = f"postgresql://someone:{password}@127.0.0.1:1/calls"
    said = live(tmp_path, server, secrets | {"database": database})
    kept = files(tmp_path)
    assert any("spool" in name for name in kept)
    assert found(secrets | {"the database": password}, {"what it said": said, **kept}) == []
