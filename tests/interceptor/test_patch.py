"""The patch goes on, comes off, and gets along with the patches of others."""

import logging
import os
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, httpx, wrapping
from miharu.providers.base import Rule

from .server import ANSWER, EVENTS, Server
from .world import NO_TLS, RULES

URL = "http://model.test/v1/chat/completions"


def client_of(library: ModuleType, **options: Any) -> Any:
    """A client whose model answers at once, in memory."""
    transport = library.MockTransport(lambda request: library.Response(200, content=ANSWER))
    return library.Client(transport=transport, **options)


def points(library: ModuleType) -> list[object]:
    return [getattr(c, "_send_single_request") for c in (library.Client, library.AsyncClient)]  # noqa: B009


def test_original_functions_are_back(library: ModuleType, interceptor: Interceptor) -> None:
    before = points(library)
    interceptor.install()
    assert all(now is not then for now, then in zip(points(library), before, strict=True))
    interceptor.uninstall()
    assert all(now is then for now, then in zip(points(library), before, strict=True))


def test_looks_like_the_original(library: ModuleType, interceptor: Interceptor) -> None:
    before = points(library)
    interceptor.install()
    for now, then in zip(points(library), before, strict=True):
        for name in ("__name__", "__qualname__", "__doc__", "__module__"):
            assert getattr(now, name) == getattr(then, name)
        assert not hasattr(now, "__wrapped__")


def test_installs_once(library: ModuleType, interceptor: Interceptor, exchanges: list[Exchange]) -> None:
    interceptor.install()
    first = points(library)
    interceptor.install()
    assert points(library) == first
    with client_of(library) as client:
        client.post(URL)
    assert len(exchanges) == 1
    assert interceptor.seen.items() >= {"httpx": "client", "httpx2": "client"}.items()


def test_comes_and_goes(library: ModuleType, interceptor: Interceptor, exchanges: list[Exchange]) -> None:
    seen = []
    with client_of(library) as client:  # older than any patch
        for step in (interceptor.install, interceptor.uninstall, interceptor.install):
            step()
            client.post(URL)
            seen.append(len(exchanges))
    assert seen == [1, 1, 2]


def test_the_last_one_installed_has_the_say(library: ModuleType, watching: list[Exchange]) -> None:
    others: list[Exchange] = []
    other = Interceptor(others.append, RULES)
    other.install()
    try:
        with client_of(library) as client:
            client.post(URL)
    finally:
        other.uninstall()
    assert (len(watching), len(others)) == (0, 1)


def test_module_level_functions_are_seen(
    library: ModuleType, server: Server, watching: list[Exchange]
) -> None:
    library.post(f"{server.url}/json/v1/chat/completions", json={}, verify=NO_TLS)
    library.request("POST", f"{server.url}/json/v1/chat/completions", json={}, verify=NO_TLS)
    assert [exchange.end for exchange in watching] == ["eof", "eof"]


@pytest.mark.parametrize(
    ("method", "path", "seen"),
    [
        ("POST", "/v1/chat/completions", True),
        ("POST", "/v1/chat/completions/", True),
        ("POST", "/v1beta/models/gemini-2.5-pro:generateContent", True),
        ("POST", "/v1/chat/completions?x=/y", True),
        ("GET", "/v1/chat/completions", False),
        ("POST", "/v1/completions/other", False),
        ("POST", "/xcompletions", False),
        ("POST", "/:completions:", False),
        ("POST", "/", False),
        ("POST", "", False),
    ],
)
def test_only_what_may_be_a_model_call(
    library: ModuleType, watching: list[Exchange], method: str, path: str, seen: bool
) -> None:
    with client_of(library) as client:
        client.request(method, f"http://model.test{path}")
    assert len(watching) == seen


def test_gate_widens(library: ModuleType, interceptor: Interceptor, watching: list[Exchange]) -> None:
    interceptor.gate.widen([Rule("/ask")])
    with client_of(library) as client:
        client.post("http://model.test/ask")
        client.post(URL)
    assert len(watching) == 2


def test_tells_what_was_asked(library: ModuleType, watching: list[Exchange]) -> None:
    with client_of(library, headers={"X-Thing": "1"}) as client:
        client.post("http://model.test:81/v1/chat/completions?alt=sse", json={"model": "x"})
    plain = watching[0].request()
    assert (plain.method, plain.host, plain.path) == ("POST", "model.test:81", "/v1/chat/completions")
    assert (plain.query, plain.headers["x-thing"]) == ("alt=sse", "1")
    assert plain.body is not None
    assert plain.body.startswith(b'{"model"')


@pytest.mark.parametrize("body", [{"content": iter([b"{}"])}, {"files": {"file": b"RIFF"}}])
def test_body_that_is_a_stream_is_not_read_by_us(
    library: ModuleType, server: Server, watching: list[Exchange], body: dict[str, Any]
) -> None:
    library.post(f"{server.url}/json/v1/chat/completions", verify=NO_TLS, **body)
    assert watching[0].request().body is None


def test_redirected_request_keeps_its_body(
    library: ModuleType, server: Server, watching: list[Exchange]
) -> None:
    url = f"{server.url}/redirect/v1/chat/completions"
    with library.Client(follow_redirects=True, verify=NO_TLS) as client:
        client.post(url, content=b"{}")
    assert [(exchange.status, exchange.request().body) for exchange in watching] == [
        (307, b"{}"),
        (200, b"{}"),
    ]


def test_wrapper_on_top_survives(
    library: ModuleType,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = library.Client._send_single_request
    interceptor.install()
    ours = library.Client._send_single_request
    passed = []

    def theirs(self: Any, request: Any) -> Any:
        passed.append(request)
        return ours(self, request)

    library.Client._send_single_request = theirs
    with client_of(library) as client:
        interceptor.uninstall()
        assert library.Client._send_single_request is theirs
        client.post(URL)
        assert (len(passed), len(exchanges)) == (1, 0)

        interceptor.install()
        client.post(URL)
        assert (len(passed), len(exchanges)) == (2, 1)

        library.Client._send_single_request = ours
        client.post(URL)
        assert (len(passed), len(exchanges)) == (2, 2)
        interceptor.uninstall()
    assert library.Client._send_single_request is original


def test_comes_back_after_somebody_restored_the_original(
    library: ModuleType, interceptor: Interceptor, exchanges: list[Exchange]
) -> None:
    original = library.Client._send_single_request
    interceptor.install()
    library.Client._send_single_request = original
    interceptor.install()
    with client_of(library) as client:
        client.post(URL)
    assert len(exchanges) == 1


def test_uninstalling_mid_stream_harms_nobody(
    library: ModuleType, interceptor: Interceptor, server: Server, exchanges: list[Exchange]
) -> None:
    interceptor.install()
    url = f"{server.url}/stream/v1/chat/completions"
    with library.Client(verify=NO_TLS) as client, client.stream("POST", url) as response:
        chunks = []
        for chunk in response.iter_raw():
            interceptor.uninstall()
            chunks.append(chunk)
            server.step()
    assert tuple(chunks) == EVENTS
    assert [exchange.end for exchange in exchanges] == ["closed"]


def test_inherited_method_is_patched_where_it_stands(library: ModuleType) -> None:
    """A library may one day move the method to a base class."""
    base = type(
        "Base", (), {"_send_single_request": lambda self, request: library.Response(200, content=b"x")}
    )
    client = type("Client", (base,), {})
    double: Any = SimpleNamespace(
        Client=client,
        AsyncClient=client,
        SyncByteStream=library.SyncByteStream,
        AsyncByteStream=library.AsyncByteStream,
    )
    original = base.__dict__["_send_single_request"]
    assert httpx.patch(double) == "client"
    assert "_send_single_request" not in client.__dict__
    wrapping.restore()
    assert base.__dict__["_send_single_request"] is original


def test_falls_back_to_the_transports(
    *,
    library: ModuleType,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hidden = library.Client._send_single_request
    monkeypatch.delattr(library.Client, "_send_single_request")
    monkeypatch.setattr(library.Client, "_send_one", hidden, raising=False)
    monkeypatch.setattr(library.Client, "_send_handling_redirects", _handing_to_send_one)
    before = library.HTTPTransport.handle_request
    with caplog.at_level(logging.WARNING, "miharu"):
        interceptor.install()
        interceptor.install()

    with library.Client(verify=NO_TLS) as client:
        client.post(f"{server.url}/json/v1/chat/completions")
    assert interceptor.seen[library.__name__] == "transport"
    assert [b"".join(exchange.chunks) for exchange in exchanges] == [ANSWER]
    messages = [record.getMessage() for record in caplog.records if record.name == "miharu"]
    assert len(messages) == 1
    assert "HTTP transports" in messages[0]
    interceptor.uninstall()
    assert library.HTTPTransport.handle_request is before


def _handing_to_send_one(self: Any, request: Any, **_: Any) -> Any:
    response = self._send_one(request)
    response.history = []
    return response


def test_says_so_when_there_is_nothing_to_patch(
    interceptor: Interceptor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bare = ModuleType("httpx2")
    monkeypatch.setitem(__import__("sys").modules, "httpx2", bare)
    with caplog.at_level(logging.WARNING, "miharu"):
        interceptor.install()
    assert interceptor.seen["httpx2"] == "none"
    assert "watching nothing" in caplog.text


def test_threads_lose_nothing(library: ModuleType, watching: list[Exchange]) -> None:
    def work() -> None:
        with client_of(library) as client:
            for _ in range(100):
                client.post(URL, json={})

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(watching) == 1600
    assert {exchange.end for exchange in watching} == {"eof"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_child_process_is_watched_too(library: ModuleType, watching: list[Exchange]) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        try:
            with client_of(library) as client:
                client.post(URL)
            os.write(write, str(len(watching)).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as told:
        assert told.read() == "1"
    assert watching == []
