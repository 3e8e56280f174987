"""``MiharuMiddleware``: the dashboard under its path, everything else untouched, and whose call it was."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import anyio
import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from litestar import Litestar, get
from litestar.params import FromPath
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from miharu import monitor
from miharu._asgi import MiharuMiddleware, _overheard
from miharu.attribution import context
from miharu.attribution.resolve import attribution_of
from miharu.dashboard.access import decide
from miharu.errors import ConfigError

from .driver import ask, scope_of


async def host(scope: Any, receive: Any, send: Any) -> None:
    """An app that says what it was asked."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"host {scope['path']}".encode()})


# --- the dashboard under its path


@pytest.mark.parametrize(
    ("path", "root_path", "below"),
    [
        ("/miharu/", "", ""),
        ("/miharu/calls", "", "calls"),
        ("/pre/miharu/calls", "/pre", "calls"),
        ("/miharu/calls", "/pre", "calls"),
        ("/miharu/miharu/calls", "/miharu", "calls"),
    ],
)
async def test_it_serves_the_dashboard(path: str, root_path: str, below: str) -> None:
    answer = await ask(MiharuMiddleware(host), path, root_path=root_path)
    assert answer.seen["path"] == below


@pytest.mark.parametrize("path", ["/", "/miharus", "/miharus/calls", "/x/miharu/", "/mih", "/pre"])
async def test_it_passes_the_rest(path: str) -> None:
    answer = await ask(MiharuMiddleware(host), path, root_path="/pre")
    assert answer.body == f"host {path}".encode()


async def test_the_path_can_be_chosen() -> None:
    app = MiharuMiddleware(host, path="/_ops/llm/")
    assert (await ask(app, "/_ops/llm/calls")).seen["path"] == "calls"
    assert (await ask(app, "/miharu/")).body == b"host /miharu/"


async def test_the_path_without_its_slash_redirects_relatively() -> None:
    answer = await ask(MiharuMiddleware(host), "/pre/miharu", root_path="/pre")
    assert (answer.status, answer.headers["location"]) == (307, "miharu/")


async def test_the_logged_link_names_the_servers_prefix(caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/pre/miharu/calls", "/miharu/calls"):
        await ask(MiharuMiddleware(host, auth="token"), path, root_path="/pre")
    assert [
        " http://localhost:8000/pre/miharu/?token=" in record.getMessage() for record in caplog.records
    ] == [True, True]


@pytest.mark.parametrize("path", ["", "/", "miharu", "//"])
def test_a_nonsense_path_raises_at_once(path: str) -> None:
    with pytest.raises(ConfigError, match="path="):
        MiharuMiddleware(host, path=path)


def test_a_nonsense_auth_raises_at_once() -> None:
    with pytest.raises(ConfigError):
        MiharuMiddleware(host, auth="nobody")  # type: ignore[arg-type]


async def test_a_forwarded_request_for_the_host_closes_the_open_door() -> None:
    app = MiharuMiddleware(host)
    assert (await ask(app, "/miharu/")).status == 200
    await ask(app, "/", headers=[(b"host", b"localhost"), (b"x-forwarded-for", b"1.2.3.4")])
    assert (await ask(app, "/miharu/")).status == 403


# --- what it passes on


async def test_scope_receive_and_send_are_the_hosts_own() -> None:
    """Of a request ``receive`` is listened to, and hands on the very messages."""
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.append(given)

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None: ...

    for kind in ("http", "websocket", "lifespan"):
        scope = scope_of("/x", type=kind)
        await MiharuMiddleware(app)(scope, receive, send)
        theirs = seen.pop()
        assert theirs[0] is scope
        assert theirs[2] is send
        assert kind == "http" or theirs[1] is receive
        sent: list[Any] = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]
        messages = list(sent)
        assert all([await theirs[1]() is message for message in sent])


async def test_it_hears_that_the_visitor_has_gone() -> None:
    origins: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        here = context.current()
        assert here is not None
        assert here.origin is not None
        origins.append(here.origin)
        await receive()
        origins.append(here.origin.left)
        await receive()

    messages: list[Any] = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None: ...

    await MiharuMiddleware(app)(scope_of("/x"), receive, send)
    assert origins[1] == 0
    assert origins[0].left > 0


async def test_a_message_that_is_none_is_the_hosts_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())

    async def receive() -> Any:
        return "what is this"

    async def send(message: Any) -> None: ...

    await MiharuMiddleware(app)(scope_of("/x"), receive, send)
    assert seen == ["what is this"]


async def test_the_hosts_exception_passes() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("the host's own")

    with pytest.raises(LookupError, match="the host's own"):
        await ask(MiharuMiddleware(app), "/x")
    assert context.current() is None


# --- init()


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nobody has called ``init()``; how often it is called."""
    calls: list[str] = []
    monkeypatch.setattr(monitor, "current", lambda: None)
    monkeypatch.setattr(monitor, "init", lambda: calls.append("init"))
    return calls


async def test_it_starts_miharu_at_the_first_request(starts: list[str]) -> None:
    started = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        started.append(scope["type"])
        if scope["type"] == "http":
            await host(scope, receive, send)

    app = MiharuMiddleware(application)
    await app({"type": "lifespan"}, None, None)
    assert started == ["lifespan"]
    assert not starts
    await ask(app, "/x")
    await ask(app, "/y")
    assert starts == ["init"]


async def test_an_init_of_the_hosts_own_wins(starts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    app = MiharuMiddleware(host)
    monkeypatch.setattr(monitor, "current", lambda: "the host's")
    await ask(app, "/x")
    assert not starts


async def test_a_failing_init_does_not_reach_the_host(
    starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("no disk")

    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    monkeypatch.setattr(monitor, "init", fail)
    assert (await ask(MiharuMiddleware(host), "/x")).status == 200


# --- whose call it was


def route_here() -> str | None:
    return attribution_of(*context.now()).route


@pytest.fixture
def seen() -> list[str | None]:
    return []


@pytest.fixture
def client(seen: list[str | None]) -> Iterator[TestClient]:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(MiharuMiddleware)

    @app.get("/async/{key}")
    async def in_a_coroutine(key: int) -> None:
        seen.append(route_here())
        async with anyio.create_task_group() as group:
            group.start_soon(in_a_task)
        await asyncio.create_task(in_a_task())

    async def in_a_task() -> None:
        seen.append(route_here())

    @app.get("/sync/{key}")
    def in_a_thread(key: int) -> None:
        seen.append(route_here())

    @app.get("/background/{key}")
    async def in_the_background(key: int, tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: seen.append(route_here()))

    @app.get("/stream/{key}")
    async def in_a_stream(key: int) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            seen.append(route_here())
            yield b"one"
            seen.append(route_here())

        return StreamingResponse(chunks())

    @app.websocket("/ws/{key}")
    async def in_a_websocket(socket: WebSocket, key: int) -> None:
        await socket.accept()
        seen.append(route_here())
        await socket.close()

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "times"), [("/async/1", 3), ("/sync/1", 1), ("/background/1", 1), ("/stream/1", 2)]
)
def test_a_call_knows_its_route(client: TestClient, seen: list[str | None], path: str, times: int) -> None:
    assert client.get(path).status_code == 200
    template = path.replace("1", "{key}")
    assert seen == [f"GET {template}"] * times


def test_a_websockets_call_knows_its_route(client: TestClient, seen: list[str | None]) -> None:
    with client.websocket_connect("/ws/7"):
        pass
    assert seen == ["/ws/{key}"]


async def test_nothing_is_left_after_the_request() -> None:
    await ask(MiharuMiddleware(host), "/x")
    assert context.current() is None


async def test_a_request_inside_a_request_gives_back_the_outer_one() -> None:
    seen: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/outer":
            await ask(middleware, "/inner")
        seen.append(route_here())
        await host(scope, receive, send)

    middleware = MiharuMiddleware(app)
    await ask(middleware, "/outer")
    assert seen == ["GET /inner", "GET /outer"]


async def test_a_cancelled_request_leaves_nothing_and_raises_nothing_else() -> None:
    entered = anyio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(ask, MiharuMiddleware(app), "/x")
        await entered.wait()
        group.cancel_scope.cancel()
    assert context.current() is None


def test_a_coroutine_closed_from_another_context_does_not_complain() -> None:
    class Pause:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Pause()

    running: Any = MiharuMiddleware(app)(scope_of("/x"), None, None)
    contextvars.Context().run(running.send, None)
    running.close()


def test_as_a_middleware_of_litestar(seen: list[str | None]) -> None:
    """It runs for routes that match, so the dashboard is not reachable there."""

    @get("/chat/{key:int}")
    async def chat(key: FromPath[int]) -> None:
        seen.append(route_here())

    app = Litestar([chat], middleware=[MiharuMiddleware], logging_config=None)
    with TestClient(app) as client:  # type: ignore[arg-type]
        assert client.get("/chat/7").status_code == 200
        assert client.get("/miharu/").status_code == 404
    assert seen == ["GET /chat/{key}"]


# --- the guard of the door stands before the host's own paths as well


async def test_the_latch_never_fails_on_odd_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    assert (await ask(MiharuMiddleware(host), "/x", headers=[])).status == 200
    assert (await ask(MiharuMiddleware(host), "/x", headers=None)).status == 200
    assert not decide.PROCESS.closed


async def test_a_visitor_leaves_when_the_host_is_first_told_so() -> None:
    origin = context.Origin(scope_of("/"))

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    overhear = _overheard(receive, origin)
    assert await overhear() == {"type": "http.disconnect"}
    left = origin.left
    assert left
    await overhear()
    assert origin.left == left
