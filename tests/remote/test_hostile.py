"""What answers in the place of another miharu can neither hold a program up nor learn or show its token."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from miharu.batch import Batch
from miharu.config import resolve_database
from miharu.errors import ConfigError, StoreError
from miharu.stores.remote import exchange
from miharu.stores.remote.questions import RemoteQuestions
from miharu.stores.remote.writer import RemoteWriter
from tests.remote.test_door import call
from tests.remote.test_store import answering

TOKEN = "tok-of-this-very-test-7261"
OK = b"HTTP/1.1 200 OK\r\nMiharu-Form: 1\r\n"


@pytest.fixture
def anyio_backend() -> str:
    """Questions run on asyncio, the loop of theirs."""
    return "asyncio"


@contextmanager
def speaking(first: bytes, again: bytes, pause: Callable[[], object]) -> Iterator[str]:
    """A server that says the first, and then the other without an end; its URL."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(first)
                    while not ended.is_set():
                        connection.sendall(again)
                        pause()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"miharu+http://{TOKEN}@127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.close()


ENDLESS = {
    "a body": (OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "a body without length": (OK + b"Connection: close\r\n\r\n", b"x"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"x"),
}


@pytest.mark.parametrize("attack", ENDLESS)
def test_an_answer_without_an_end_is_given_up(attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "WHOLE_S", 0.4)
    pause = threading.Event()
    with speaking(*ENDLESS[attack], pause=lambda: pause.wait(0.02)) as url:
        writer = RemoteWriter(url)
        with pytest.raises(StoreError, match="does not answer in time"):
            writer.add(Batch(calls=[call()]))
        for thread in threading.enumerate():
            if thread.name == "miharu-sending":
                thread.join(30)
                assert not thread.is_alive()
        writer.close()


async def test_a_question_is_given_up_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "WHOLE_S", 0.4)
    pause = threading.Event()
    with speaking(*ENDLESS["chunks"], pause=lambda: pause.wait(0.02)) as url:
        questions = RemoteQuestions(url)
        with pytest.raises(StoreError, match="does not answer in time"):
            await questions.revision()
        await questions.close()


def test_after_a_request_that_was_given_up_another_works(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = threading.Event()
    with (
        speaking(*ENDLESS["chunks"], pause=lambda: pause.wait(0.02)) as url,
        answering(200, b"{}", Miharu_Form="1") as other,
    ):
        writer = RemoteWriter(url)
        monkeypatch.setattr(exchange, "WHOLE_S", 0.4)
        with pytest.raises(StoreError):
            writer.add(Batch(calls=[call()]))
        monkeypatch.undo()
        writer._connection._line._address = RemoteWriter(other)._address
        assert writer.add(Batch(calls=[call()])) == 1
        writer.close()


@pytest.mark.parametrize("size", [100, 8_000_000])
def test_words_that_repeat_the_token_do_not_show_it(size: int, caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"error": "\\u001b[31mno\\n%s %s"}' % (TOKEN.encode(), b"x" * size)
    with answering(500, body, Miharu_Form="1") as url:
        writer = RemoteWriter(f"miharu+http://{TOKEN}@{url.rpartition('@')[2]}")
        with pytest.raises(StoreError) as raised:
            writer.add(Batch(calls=[call()]))
        writer.close()
    logging.getLogger("miharu").warning("%s", raised.value)
    said = f"{raised.value}{caplog.text}"
    assert TOKEN not in said
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 700


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_gets_no_token(status: int) -> None:
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    place = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/miharu"
    with answering(status, b"", Location=place, Miharu_Form="1") as url:
        writer = RemoteWriter(f"miharu+http://{TOKEN}@{url.rpartition('@')[2]}")
        with pytest.raises(StoreError, match="redirects to another address"):
            writer.add(Batch(calls=[call()]))
        writer.close()
    with suppress(TimeoutError):
        asked.append(listener.accept()[0].recv(1000))
    listener.close()
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://{TOKEN}%0D%0AX-Forged@miharu.test",
        f"https://{TOKEN}%E2%82%AC@miharu.test",
        f"https://{TOKEN}\u20ac@miharu.test",
        f"https://{TOKEN}%00@miharu.test",
        f"https://{TOKEN}@miharu.test/a b",
        f"https://{TOKEN}@miharu.test/\u20ac",
        f"http://{TOKEN}@miharu.test",
        f"http://{TOKEN}@127.0.0.1@miharu.test",
        f"http://{TOKEN}@127.0.0.1\\@miharu.test",
        f"http://{TOKEN}@localhost.miharu.test",
        f"https://{TOKEN}@miharu.test?key={TOKEN}",
        f"https://{TOKEN}@",
        f"https:/{TOKEN}@miharu.test",
        f"https:{TOKEN}@miharu.test",
        f"https//{TOKEN}@miharu.test",
        f"http;//{TOKEN}@miharu.test",
        f"clickhouse:/user:{TOKEN}@host/name",
        f"clickhouse//user:{TOKEN}@host/name",
        f"postgresql:user:{TOKEN}@host/name",
        f"postgres:/user:{TOKEN}@host/name",
        f"sqlite://user:{TOKEN}@host/name",
    ],
)
def test_addresses_that_cannot_be_are_refused_without_their_token(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve_database(url, {})
    assert TOKEN not in str(raised.value)
    assert raised.value.__cause__ is None or TOKEN not in str(raised.value.__cause__)


@pytest.mark.parametrize("host", ["a" * 70, "a..b", "\u20ac" * 70])
def test_a_name_that_no_host_has_loses_no_call(host: str) -> None:
    writer = RemoteWriter(f"miharu+https://{TOKEN}@{host}")
    with pytest.raises(StoreError, match="cannot be reached") as raised:
        writer.add(Batch(calls=[call()]))
    assert TOKEN not in str(raised.value)
    writer.close()
