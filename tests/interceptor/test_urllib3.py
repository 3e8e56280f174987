"""The hook on urllib3: what it knows of a request, whom it lets through, and that it comes off again."""

import gc
import http.client
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType
from typing import Any

import httpx
import pytest
import urllib3
from urllib3._collections import HTTPHeaderDict

from miharu import _guard
from miharu.exchange import Exchange
from miharu.holding import HOLDING
from miharu.interceptor import Interceptor, handoff, http_client
from miharu.interceptor import urllib3 as hook
from miharu.interceptor.gate import Gate
from miharu.kept_body import LEAST_HEAD, LEAST_TAIL, KeptBody
from miharu.providers.base import Rule

from .server import ANSWER, EVENTS, Server
from .world import PATH, RULES

POOL = urllib3.HTTPConnectionPool


@pytest.fixture
def library() -> ModuleType:
    return urllib3


@pytest.fixture
def manager() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as manager:
        yield manager


def asked(watching: list[Exchange], server: Server, url: str, **options: Any) -> Any:
    """What a request is said to be; the pool believes that the server has another name."""
    with urllib3.ProxyManager(server.url) as proxy:
        proxy.request("POST", url, **options)
    return watching[-1].request()


@pytest.mark.parametrize(
    ("url", "host", "path", "query", "userinfo"),
    [
        ("http://model.test/json/completions?a=b&c", "model.test", "/json/completions", "a=b&c", ""),
        ("http://model.test:81/json/completions", "model.test:81", "/json/completions", "", ""),
        ("http://[::1]:81/json/completions", "[::1]:81", "/json/completions", "", ""),
        ("http://me:word@model.test/json/completions", "model.test", "/json/completions", "", "me:word"),
        (
            "http://m.test/json/arn%3Aaws%3Abedrock%3A%3Aprofile%2Fx/completions",
            "m.test",
            "/json/arn:aws:bedrock::profile/x/completions",
            "",
            "",
        ),
        ("http://m.test/json/g%3AgenerateContent", "m.test", "/json/g:generateContent", "", ""),
    ],
)
def test_tells_where_it_went(
    watching: list[Exchange], server: Server, url: str, host: str, path: str, query: str, userinfo: str
) -> None:
    request = asked(watching, server, url, body=b"{}")
    assert (request.method, request.host, request.path, request.query) == ("POST", host, path, query)
    assert request.userinfo == userinfo


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ({"body": b'{"model": "m"}'}, b'{"model": "m"}'),
        ({"body": '{"model": "m"}'}, b'{"model": "m"}'),
        ({"body": bytearray(b"{}")}, b"{}"),
        ({"body": iter([b"{}"])}, None),
        ({}, None),
    ],
)
def test_tells_what_was_sent(
    watching: list[Exchange], server: Server, manager: Any, sent: dict[str, Any], body: bytes | None
) -> None:
    headers = {"Authorization": "Bearer x", "X-Bytes": b"yes"}
    manager.request("POST", f"{server.url}/json/{PATH}", headers=headers, **sent)
    headers.clear()
    if isinstance(sent.get("body"), bytearray):
        sent["body"][:] = b"xx"
    exchange = watching[-1]
    request = exchange.request()
    assert request.body == body
    assert (request.headers["authorization"], request.headers["x-bytes"]) == ("Bearer x", "yes")
    assert exchange.asked_size() == len(body or b"")


def test_tells_each_header_that_was_sent(watching: list[Exchange], server: Server, manager: Any) -> None:
    headers = HTTPHeaderDict([("X-A", "1"), ("x-a", "2")])
    manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}", headers=headers)
    assert watching[-1].request().headers["x-a"] == "1, 2"


def test_headers_that_go_through_a_tunnel_are_copied(watching: list[Exchange]) -> None:
    """There urllib3 sends its caller's own mapping, which the caller may change later."""
    headers = {"Authorization": "Bearer x"}
    exchange = hook.Urllib3Exchange("POST", POOL("model.test"), f"/{PATH}")
    exchange.asked_headers = headers
    hook._note_headers(exchange, {"headers": headers})
    headers.clear()
    assert exchange.request().headers == {"authorization": "Bearer x"}


def test_each_attempt_has_its_own_error(watching: list[Exchange]) -> None:
    """The first ends when the next begins, with what it failed of, and not with the end of them all."""
    with urllib3.ProxyManager("http://127.0.0.1:1") as manager, pytest.raises(urllib3.exceptions.HTTPError):
        manager.request("POST", f"https://model.test/{PATH}", body=b"{}", retries=1)
    kinds = [str(exchange.error_type).rpartition(".")[2] for exchange in watching]
    assert kinds == ["ProxyError", "MaxRetryError"]
    assert watching[0].ended <= watching[1].started


def test_keeps_the_ends_of_a_large_request(watching: list[Exchange], server: Server, manager: Any) -> None:
    manager.request("POST", f"{server.url}/json/{PATH}", body=b"a" * 9000)
    watching[-1].abridge_request()
    request = watching[-1].request()
    assert (request.body, request.gap) == (b"a" * 2 * LEAST_HEAD, LEAST_HEAD)
    assert request.path == f"/json/{PATH}"


def test_tells_the_fields_of_a_form_and_not_its_files(
    watching: list[Exchange], server: Server, manager: Any
) -> None:
    fields = {"model": "whisper", "file": ("a.wav", b"RIFF" * 100, "audio/wav"), "prompt": "p" * 2000}
    manager.request("POST", f"{server.url}/json/{PATH}", fields=fields)
    request = watching[-1].request()
    assert request.body is None
    assert request.fields == {"model": "whisper", "prompt": "p" * 1000}


def test_is_silent_below_a_client_that_is_seen(watching: list[Exchange], server: Server) -> None:
    """People have put httpx on urllib3; the call is one, and it is httpx's."""
    manager = urllib3.PoolManager()

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = manager.request("POST", str(request.url), body=request.read())
            return httpx.Response(answer.status, content=answer.data)

    with httpx.Client(transport=Transport()) as client:
        client.post(f"{server.url}/json/{PATH}", json={})
    assert [type(exchange).__name__ for exchange in watching] == ["HttpxExchange"]
    manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}")
    assert [type(exchange).__name__ for exchange in watching] == ["HttpxExchange", "Urllib3Exchange"]
    manager.clear()


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_may_be_kept_from_being_sent(server: Server, manager: Any, *, stream: bool) -> None:
    class RefusedError(Exception):
        pass

    def refuse() -> None:
        raise RefusedError

    exchanges: list[Exchange] = []
    interceptor = Interceptor(exchanges.append, RULES, admit=refuse)
    interceptor.install()
    try:
        with pytest.raises(RefusedError):
            manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}", preload_content=not stream)
        assert not handoff.running()
        manager.request("POST", f"{server.url}/json/files", body=b"{}")
        interceptor.admit = None
        manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}")
    finally:
        interceptor.uninstall()
    assert len(server.served) == 2
    assert len(exchanges) == 1


def test_our_own_requests_are_not_seen(watching: list[Exchange], server: Server, manager: Any) -> None:
    with handoff.unseen():
        manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}")
    assert len(server.served) == 1
    assert watching == []


def test_what_is_left_out_is_not_seen(server: Server, manager: Any) -> None:
    asked_about, exchanges = [], list[Exchange]()

    def ignores(host: str, port: int | None, path: str) -> bool:
        asked_about.append((host, port, path))
        return True

    interceptor = Interceptor(exchanges.append, RULES, ignores=ignores)
    interceptor.install()
    try:
        manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}")
        with urllib3.ProxyManager(server.url) as proxy:
            proxy.request("POST", f"http://model.test/json/{PATH}", body=b"{}")
    finally:
        interceptor.uninstall()
    port = int(server.url.rpartition(":")[2])
    assert asked_about == [("127.0.0.1", port, f"/json/{PATH}"), ("model.test", None, f"/json/{PATH}")]
    assert exchanges == []


def test_what_is_fetched_by_its_id_is_seen(
    interceptor: Interceptor, exchanges: list[Exchange], server: Server, manager: Any
) -> None:
    interceptor.gate.widen([Rule("/responses", method="GET")])
    interceptor.install()
    manager.request("GET", f"{server.url}/json/v1/responses/resp_1")
    assert [exchange.request().method for exchange in exchanges] == ["GET"]


def test_original_functions_are_back(interceptor: Interceptor, server: Server, manager: Any) -> None:
    before = dict(vars(POOL))
    interceptor.install()
    assert POOL.urlopen is not before["urlopen"]
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        assert getattr(POOL.urlopen, name) == getattr(before["urlopen"], name)
    assert not hasattr(POOL.urlopen, "__wrapped__")
    first = POOL.urlopen, POOL._make_request
    interceptor.install()
    assert first == (POOL.urlopen, POOL._make_request)
    assert interceptor.seen["urllib3"] == "client"
    interceptor.uninstall()
    assert dict(vars(POOL)) == before


def test_uninstalling_mid_stream_harms_nobody(
    interceptor: Interceptor, exchanges: list[Exchange], server: Server, manager: Any
) -> None:
    interceptor.install()
    response = manager.request("POST", f"{server.url}/stream/{PATH}", body=b"{}", preload_content=False)
    assert type(response._original_response) is not http.client.HTTPResponse
    chunks = []
    for chunk in response.stream():
        interceptor.uninstall()
        chunks.append(chunk)
        server.step()
    server.step()
    assert tuple(chunks) == EVENTS
    assert [exchange.end for exchange in exchanges] == ["closed"]
    assert exchanges[0].chunks == [EVENTS[0]]
    assert type(response._original_response) is http.client.HTTPResponse


def test_runs_until_its_end(watching: list[Exchange], server: Server, manager: Any) -> None:
    response = manager.request("POST", f"{server.url}/stream/{PATH}", body=b"{}", preload_content=False)
    [running] = handoff.running()
    assert running.status == 200
    server.step(len(EVENTS))
    response.read()
    assert handoff.running() == []
    assert watching == [running]


def test_says_so_when_there_is_nothing_to_patch(
    interceptor: Interceptor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "urllib3", ModuleType("urllib3"))
    with caplog.at_level(logging.WARNING, "miharu"):
        interceptor.install()
    assert interceptor.seen["urllib3"] == "none"
    assert "watching nothing" in caplog.text


@pytest.mark.skipif(version("urllib3") < "2", reason="version 1 makes its response of any other")
def test_a_response_of_somebodys_own_kind_is_a_call_without_a_body(
    watching: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        status = 200
        headers: dict[str, str] = {}  # noqa: RUF012

    class Own(urllib3.HTTPConnectionPool):
        def _make_request(self, *_: Any, **__: Any) -> Any:
            return Answer()

    monkeypatch.setattr(Answer, "get_redirect_location", lambda _: None, raising=False)
    assert isinstance(Own("model.test").urlopen("POST", f"/{PATH}", retries=False), Answer)
    assert [(exchange.status, exchange.end) for exchange in watching] == [(200, "dropped")]


def test_a_change_of_protocol_is_no_model_call(watching: list[Exchange]) -> None:
    class Answer:
        status = 101

    exchange = hook.Urllib3Exchange("POST", POOL("model.test"), f"/{PATH}")
    handoff.begun(exchange)
    hook._attach(exchange, Answer())
    assert watching == handoff.running() == []


def test_threads_lose_nothing(watching: list[Exchange], server: Server, manager: Any) -> None:
    def work() -> None:
        for _ in range(20):
            manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}", preload_content=False).read()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(watching) == 160
    assert {(exchange.end, b"".join(exchange.chunks)) for exchange in watching} == {("eof", ANSWER)}


def test_a_response_closed_by_another_thread_fails_as_before(
    watching: list[Exchange], server: Server, manager: Any
) -> None:
    """The class is the original again while a method of the other one is under way."""
    response = manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}", preload_content=False)
    below = response._original_response
    read, close = type(below).read, type(below).close
    close(below)
    assert type(below) is http.client.HTTPResponse
    assert read(below) == b""
    close(below)
    response.close()
    assert [exchange.end for exchange in watching] == ["closed"]


def test_program_keeps_a_response_and_not_our_copy(
    watching: list[Exchange], server: Server, manager: Any
) -> None:
    response = manager.request("POST", f"{server.url}/json/{PATH}", body=b"{}", preload_content=False)
    response.read()
    exchange = watching.pop()
    gc.collect()
    holders = [one for one in gc.get_referrers(exchange) if one is not sys._getframe()]
    assert holders == []


@pytest.mark.parametrize("how", ["read", "stream"])
def test_without_memory_the_ends_are_kept(
    watching: list[Exchange], server: Server, manager: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    long = b"data: " + b"x" * 20_000 + b"\n\n"
    monkeypatch.setattr("tests.interceptor.server.EVENTS", (EVENTS[0], *[long] * 20, EVENTS[-1]))
    monkeypatch.setattr(HOLDING, "limit", HOLDING.used)
    server.step(30)
    response = manager.request("POST", f"{server.url}/stream/{PATH}", body=b"{}", preload_content=False)
    total = len(response.read()) if how == "read" else sum(map(len, response.stream()))
    exchange = watching[-1]
    assert exchange.shed
    assert exchange.tail is not None
    assert exchange.tail[-1].endswith(EVENTS[-1])
    assert exchange.held <= LEAST_HEAD + LEAST_TAIL + 2 * LEAST_HEAD
    assert sum(map(len, [*exchange.chunks, *exchange.tail])) + exchange.lost == total


def _broken(*_: Any, **__: Any) -> Any:
    raise LookupError("a mistake of ours")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Gate, "passes"),
        (hook, "Urllib3Exchange"),
        (hook, "_where"),
        (hook, "tee"),
        (http_client, "_end"),
        (http_client, "_why_closed"),
        (KeptBody, "overflow"),
    ],
)
@pytest.mark.parametrize("how", ["read", "stream", "close"])
def test_caller_gets_the_answer_all_the_same(
    *,
    watching: list[Exchange],
    server: Server,
    manager: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    name: str,
    how: str,
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(_guard, "_said", set())
    monkeypatch.setattr(owner, name, _broken)
    monkeypatch.setattr(HOLDING, "limit", 0)  # every chunk overflows
    server.step(len(EVENTS))
    response = manager.request("POST", f"{server.url}/stream/{PATH}", body=b"{}", preload_content=False)
    if how == "read":
        assert response.read() == b"".join(EVENTS)
    elif how == "stream":
        assert b"".join(response.stream()) == b"".join(EVENTS)
    response.close()
    for exchange in handoff.running():
        handoff.forget(exchange)


def test_later_import_is_seen_and_other_copies_are_left_alone() -> None:
    program = """
import sys
from miharu.interceptor import Interceptor
interceptor = Interceptor(print, [])
interceptor.install()
assert not {"urllib3", "http.client"} & set(sys.modules)
try:
    from pip._vendor.urllib3 import HTTPConnectionPool as Theirs
except ImportError:
    Theirs = None
assert interceptor.seen == {}
import urllib3
assert interceptor.seen == {"urllib3": "client"}
assert "miharu" in urllib3.HTTPConnectionPool.urlopen.__code__.co_filename
assert Theirs is None or "miharu" not in Theirs.urlopen.__code__.co_filename
"""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_program_ends_quietly_with_an_answer_unread(server: Server) -> None:
    program = f"""
from miharu.interceptor import Interceptor
from miharu.providers.base import Rule
seen = []
Interceptor(seen.append, [Rule("/completions")]).install()
import urllib3
manager = urllib3.PoolManager()
answers = [
    manager.request("POST", "{server.url}/stream/{PATH}", body=b"", preload_content=False) for _ in "ab"
]
chunks = answers[1].stream()
next(chunks)
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
