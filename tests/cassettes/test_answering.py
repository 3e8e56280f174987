"""Every client that is watched is answered from a cassette, as the provider has answered it."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import urllib3
import websockets.asyncio.client
import websockets.sync.client

from miharu.cassettes.answering import answering
from miharu.cassettes.file import load
from miharu.cassettes.playing import playing
from miharu.cassettes.recorded import Asked, Recorded
from miharu.cassettes.replay import Replay
from miharu.errors import ConfigError
from miharu.testing import FakeProvider
from tests.cassettes.clients import CLIENTS, Ask

URL = "https://api.openai.com/v1/chat/completions"
ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Does it rain in Huế?"}]}
each_client = pytest.mark.parametrize("ask", CLIENTS.values(), ids=list(CLIENTS))


@pytest.fixture(autouse=True)
def nothing_leaves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No name is looked up and no connection opened, but to a server that the test has started."""
    left = []

    def refuse(self: socket.socket, address: Any) -> None:
        if "provider" in request.fixturenames and address[0] == "127.0.0.1":
            return real(self, address)
        left.append(address)
        raise OSError("this test has no network")

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in {"127.0.0.1", None}:
            left.append(host)
            raise OSError("this test has no network")
        return names(host, *rest, **more)

    real, names = socket.socket.connect, socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    assert left == []


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=30) as serving:
        yield serving


def answers(*exchanges: Recorded, **options: Any) -> Replay:
    return Replay(exchanges, where="a cassette", **options)


def one(body: Any = ASKED, **facts: Any) -> Recorded:
    given: dict[str, Any] = {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "pieces": [b"{}"],
    }
    return Recorded(asked=Asked(path="/v1/chat/completions", body=body), **(given | facts))


@each_client
@pytest.mark.parametrize("body", [ASKED, ASKED | {"stream": True}, ASKED | {"model": "error-429"}])
def test_it_answers_as_the_provider_did(ask: Ask, body: Any, provider: FakeProvider, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    url = f"{provider.base_url}/chat/completions"
    with playing(file, record=True):
        status, pieces, headers = ask(url, body)
    assert len(provider.requests) == 1
    assert len(load(file)) == 1
    with playing(file) as replay:
        again, pieces_again, headers_again = ask(URL, body)
    assert (replay.missed, replay.unused) == ([], [])
    assert len(provider.requests) == 1
    assert again == status
    if body.get("stream"):
        assert b"".join(pieces_again) == b"".join(pieces)
        assert len(pieces_again) > 3
    else:
        assert json.loads(b"".join(pieces_again)) == json.loads(b"".join(pieces))
    for name in ("content-type", "x-request-id", "x-ratelimit-limit-requests", "retry-after"):
        assert headers_again.get(name) == headers.get(name)
    assert headers_again["x-miharu-replayed"] == "1"


@each_client
def test_what_was_not_recorded_never_goes_out(ask: Ask) -> None:
    other = ASKED | {"messages": [{"role": "user", "content": "Does it rain in Hà Nội?"}]}
    with answering(answers(one())) as _, pytest.MonkeyPatch.context():
        status, pieces, _ = ask(URL, other)
    said = json.loads(b"".join(pieces))
    assert status == 400
    message = said["error"]["message"]
    assert message.startswith(
        "POST /v1/chat/completions was not recorded in a cassette, and nothing was sent."
    )
    assert (
        'body.messages[0].content: asked "Does it rain in Hà Nội?", recorded "Does it rain in Huế?"'
        in message
    )


@each_client
def test_each_is_used_once_and_in_order(ask: Ask) -> None:
    replay = answers(one(pieces=[b'"first"']), one(status=503, pieces=[b'"second"']))
    with answering(replay):
        assert [ask(URL, ASKED)[:2] for _ in range(2)] == [(200, [b'"first"']), (503, [b'"second"'])]
        assert replay.missed == []
        assert ask(URL, ASKED)[0] == 400
    [said] = replay.missed
    assert "Exchange 1 of 2 is the same, and was used already" in said


@each_client
def test_a_client_that_is_asked_to_wait_does_not_wait_unless_it_is_paced(ask: Ask) -> None:
    waiting = one(status=429, headers={"retry-after": "20"})
    with answering(answers(waiting)):
        headers = ask(URL, ASKED)[2]
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("20", "1")
    with answering(answers(waiting, paced=True)):
        assert "retry-after-ms" not in ask(URL, ASKED)[2]


@each_client
@pytest.mark.parametrize(
    "facts",
    [
        {"pieces": [b"1", b"2", b"3"], "at_ms": [50, 60, 300]},
        {"pieces": [b"1", b"2", b"3"], "ttft_ms": 50, "duration_ms": 300},
        {"pieces": [b"{}"], "duration_ms": 300},
    ],
)
def test_it_keeps_the_pace_on_demand(ask: Ask, facts: Any) -> None:
    with answering(answers(one(**facts), paced=True)):
        before = time.perf_counter()
        assert ask(URL, ASKED)[1] == facts["pieces"]
        assert time.perf_counter() - before >= 0.3


@each_client
def test_else_it_answers_at_once(ask: Ask) -> None:
    slow = {"pieces": [b"1", b"2"], "at_ms": [50_000, 60_000], "duration_ms": 60_000}
    with answering(answers(one(**slow))):
        before = time.perf_counter()
        assert ask(URL, ASKED)[1] == slow["pieces"]
        assert time.perf_counter() - before < 30


@each_client
def test_what_is_no_call_of_a_model_is_left_alone(ask: Ask, provider: FakeProvider) -> None:
    with answering(answers()):
        status, _, headers = ask(f"{provider.url}/other", {})
    assert (status, "x-miharu-replayed" in headers) == (404, False)
    assert [asked.path for asked in provider.requests] == ["/other"]


@each_client
def test_the_originals_are_back_afterwards(ask: Ask, provider: FakeProvider) -> None:
    points = [
        *((library.Client, "_transport_for_url") for library in (httpx, httpx2)),
        *((library.AsyncClient, "_transport_for_url") for library in (httpx, httpx2)),
        *((urllib3.HTTPConnectionPool, name) for name in ("urlopen", "_get_conn", "_put_conn")),
        (aiohttp.BaseConnector, "connect"),
        (aiohttp.ClientSession, "_ws_connect"),
    ]
    before = [vars(owner)[name] for owner, name in points]
    with answering(answers()):
        assert all(vars(owner)[name] is not was for (owner, name), was in zip(points, before, strict=True))
    assert [vars(owner)[name] for owner, name in points] == before
    assert ask(f"{provider.base_url}/chat/completions", ASKED)[0] == 200


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize("name", ["ConnectError", "ReadTimeout", "RemoteProtocolError"])
def test_an_error_without_a_response_is_the_same_error(library: Any, name: str) -> None:
    broken = one(status=None, error_type=f"httpx.{name}", error_message="It was so.")
    with (
        answering(answers(broken)),
        library.Client() as client,
        pytest.raises(getattr(library, name)) as caught,
    ):
        client.post(URL, json=ASKED)
    assert str(caught.value) == "It was so."
    assert str(caught.value.request.url) == URL


@each_client
def test_a_body_that_broke_off_breaks_off_again(ask: Ask) -> None:
    broken = one(pieces=[b"data: 1\n\n", b"data: 2\n\n"], error_type="httpx.RemoteProtocolError")
    with (
        answering(answers(broken)),
        pytest.raises(
            (
                httpx.ReadError,
                httpx2.ReadError,
                OSError,
                urllib3.exceptions.HTTPError,
                aiohttp.ClientError,
                httpx.RemoteProtocolError,
                httpx2.RemoteProtocolError,
            )
        ),
    ):
        ask(URL, ASKED)


@each_client
def test_a_failed_connection_fails_again(ask: Ask) -> None:
    broken = one(status=None, error_type="httpx.ConnectTimeout")
    with (
        answering(answers(broken)),
        pytest.raises(
            (
                httpx.TimeoutException,
                httpx2.TimeoutException,
                OSError,
                urllib3.exceptions.HTTPError,
                aiohttp.ClientError,
            )
        ),
    ):
        ask(URL, ASKED)


def test_a_session_is_refused() -> None:
    async def by_aiohttp() -> None:
        async with aiohttp.ClientSession() as session:
            await session.ws_connect("wss://api.openai.com/v1/realtime?model=gpt-realtime")

    replay = answers()
    with answering(replay), pytest.raises(ConnectionRefusedError, match="is a session with a model"):
        asyncio.run(by_aiohttp())
    assert len(replay.missed) == 1


def test_nothing_of_a_session_is_sent_by_websockets(provider: FakeProvider) -> None:
    async def by_asyncio() -> None:
        async with websockets.asyncio.client.connect(f"{provider.websocket_url}/realtime"):
            pass

    def by_sync() -> None:
        with websockets.sync.client.connect(f"{provider.websocket_url}/realtime"):
            pass

    replay = answers()
    for number, ask in enumerate((by_sync, lambda: asyncio.run(by_asyncio())), 1):
        with answering(replay), pytest.raises(ConnectionRefusedError, match="is a session with a model"):
            ask()  # type: ignore[no-untyped-call] # mypy takes the second for untyped
        assert len(replay.missed) == number
    assert not provider.requests
    by_sync()
    assert len(provider.requests) == 1


def test_there_is_one_replay_at_a_time() -> None:
    with answering(answers()), pytest.raises(ConfigError, match="one at a time"), answering(answers()):
        pass


def test_a_library_that_is_imported_later_is_answered_too(tmp_path: Path) -> None:
    program = (
        "from miharu.cassettes.answering import begin\n"
        "from miharu.cassettes.replay import Replay\n"
        "begin(Replay([], where='it'))\n"
        "import sys\n"
        "assert not {'httpx', 'httpx2', 'aiohttp', 'urllib3'} & set(sys.modules)\n"
        "import httpx2, httpx, urllib3\n"
        f"for client in (httpx, httpx2):\n    assert client.post({URL!r}, json={{}}).status_code == 400\n"
        f"assert urllib3.request('POST', {URL!r}, json={{}}).status == 400\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=60)


def test_it_waits_for_libraries_beside_the_interceptor(tmp_path: Path) -> None:
    program = (
        "import miharu\n"
        "from miharu.cassettes.answering import begin\n"
        "from miharu.cassettes.replay import Replay\n"
        "with miharu.capture() as calls:\n"
        "    begin(Replay([], where='it'))\n"
        "    import aiohttp, httpx, urllib3\n"
        f"    assert httpx.post({URL!r}, json={{'model': 'm', 'messages': []}}).status_code == 400\n"
        f"    assert urllib3.request('POST', {URL!r}, json={{'model': 'm', 'messages': []}}).status == 400\n"
        "assert [call.outcome.http_status for call in calls] == [400, 400]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=60)
