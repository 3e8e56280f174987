"""A receiver that reads or answers byte by byte holds no request longer than its time-out in all."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from miharu.exporters.otlp.connection import Connection
from miharu.exporters.otlp.environment import Endpoint, environment
from tests.exporters.otlp.receiver import receiving
from tests.remote.test_hostile import ENDLESS, speaking

TIMEOUT_S = 0.5
BOUND_S = 10.0
"""Of a busy machine; without a bound of the whole, the attacks go on without an end."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=r"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def is_given_up(url: str, body: bytes = b"spans", certificate: Path | None = None) -> None:
    endpoint = Endpoint(
        signal="traces", url=url, timeout=TIMEOUT_S, certificate=str(certificate) if certificate else None
    )
    connection, began = Connection(endpoint), time.monotonic()
    with pytest.raises(OSError, match=r"(?i)timed out|too long in all"):
        connection.post(body)
    assert TIMEOUT_S * 0.9 < time.monotonic() - began < BOUND_S
    connection.close()


@contextmanager
def tls_before(port: int, certificate: tuple[Path, Path]) -> Iterator[str]:
    """A receiver that speaks TLS, and passes on what another one says; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            plain, _ = listener.accept()
            onward = socket.create_connection(("127.0.0.1", port))
            with context.wrap_socket(plain, server_side=True) as client, closing(onward):
                onward.sendall(client.recv(1 << 16))
                while piece := onward.recv(1):
                    client.sendall(piece)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join(BOUND_S)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("attack", ENDLESS)
def test_an_answer_without_an_end_is_given_up(
    attack: str, secure: bool, certificate: tuple[Path, Path]
) -> None:
    pause = threading.Event()
    with speaking(*ENDLESS[attack], pause=lambda: pause.wait(0.02)) as found:
        port = int(found.rpartition(":")[2])
        if not secure:
            is_given_up(f"http://127.0.0.1:{port}")
            return
        with tls_before(port, certificate) as url:
            is_given_up(url, certificate=certificate[0])


@pytest.mark.parametrize("secure", [False, True])
def test_a_receiver_that_reads_byte_by_byte_is_given_up(secure: bool, certificate: tuple[Path, Path]) -> None:
    """Each of its reads lets a little more be sent, so that no single wait is a long one."""
    ended, pause = threading.Event(), threading.Event()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection:
            if secure:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*certificate)
                connection = context.wrap_socket(connection, server_side=True)
            while not ended.is_set() and connection.recv(20_000):
                pause.wait(0.05)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    scheme = "https" if secure else "http"
    url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    is_given_up(url, b"x" * (32 << 20), certificate[0] if secure else None)
    ended.set()
    thread.join(BOUND_S)
    listener.close()


def test_a_proxy_that_answers_byte_by_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = threading.Event()
    with speaking(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", pause=lambda: pause.wait(0.02)) as found:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{found.rpartition(':')[2]}")
        is_given_up("https://collect.example")


def test_a_request_begins_with_the_whole_of_its_time() -> None:
    """One that is later than the time-out of the one before is not late."""
    with receiving() as receiver:
        connection = Connection(Endpoint(signal="traces", url=f"{receiver.url}/v1/traces", timeout=TIMEOUT_S))
        assert connection.post(b"").status == 200
        threading.Event().wait(TIMEOUT_S * 1.2)
        assert connection.post(b"").status == 200
        assert len({one.connection for one in receiver.taken}) == 1
        connection.close()


def test_no_credential_stands_in_its_repr() -> None:
    found = environment(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:swordfish@collect.example/?key=swordfish",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=swordfish",
        }
    )
    assert "swordfish" in found.endpoints[0].url
    assert "swordfish" not in f"{found!r}{found.endpoints[0]!r}{found.endpoints[0].public}"
