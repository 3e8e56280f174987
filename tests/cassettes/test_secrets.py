"""A request's credentials stand nowhere in the file, wherever an answer repeats them."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from miharu.cassettes.playing import playing

KEY = "onlyknownfromtherequest1"
"""Nothing in itself says that it is a credential."""


class Echo(BaseHTTPRequestHandler):
    kind = ""
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        for name, value in (
            ("content-type", self.kind),
            ("content-length", str(len(self.body))),
            ("x-request-id", f"of-{KEY}"),
            ("set-cookie", KEY),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(address: str, key: str = KEY) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": f"it is {key}"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{address}/of/{key}/v1/chat/completions?key={key}", headers=headers, json=body)


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/vnd.x+json", "application/octet-stream", "x"],
)
def test_no_credential_of_the_request_is_in_the_file(
    address: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {"message": {"role": "assistant", "content": f"Your key is {KEY}."}, "finish_reason": "stop"}
    monkeypatch.setattr(Echo, "kind", kind)
    monkeypatch.setattr(Echo, "body", json.dumps({"id": "c", "choices": [choice]}).encode())
    path = tmp_path / "one.json"
    with playing(path, record=True):
        assert KEY in ask(address).text
    assert KEY not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    with playing(path):  # another key is the same question
        answer = ask(address, "quiteanotherkeyofanother")
    assert answer.json()["choices"][0]["message"]["content"] == "Your key is [redacted]."


def test_what_cannot_be_redacted_is_not_recorded(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Echo, "kind", "application/vnd.amazon.eventstream")
    monkeypatch.setattr(Echo, "body", b"\0\0\0\x90\xff\xfe" + KEY.encode())
    path = tmp_path / "one.json"
    with caplog.at_level(logging.WARNING, "miharu"), playing(path, record=True):
        ask(address)
    assert not path.exists()
    assert "repeats a credential" in caplog.text
