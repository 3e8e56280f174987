"""``asgi()``: the dashboard in the hosts it may be mounted in, and in none."""

import copy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from litestar import Litestar
from litestar import asgi as litestar_asgi
from litestar.types import Receive, Scope, Send
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from miharu import monitor as monitor_module
from miharu._asgi import asgi
from miharu.config import Config
from miharu.dashboard.access import decide
from miharu.errors import ConfigError, StoreError

from .driver import StandIn, ask, scope_of

SECURITY = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "cache-control",
)


# --- what reaches the view


async def test_the_view_gets_path_parameters_headers_and_the_site() -> None:
    answer = await ask(asgi(), "/calls?model=a&model=b&empty=&x=%C3%A9")
    assert answer.status == 200
    seen = answer.seen
    assert seen["path"] == "calls"
    assert seen["params"] == {"model": "b", "empty": "", "x": "é"}
    assert seen["headers"] == {"host": "localhost:8000"}
    assert seen["store"] == "the store"
    assert seen["database"] == "postgresql+asyncpg://db/llm"
    assert seen["access"] == "local only"
    assert seen["losses"] == 3


async def test_head_is_get_without_its_body() -> None:
    get, head = await ask(asgi(), "/calls"), await ask(asgi(), "/calls", method="HEAD")
    assert head.status == 200
    assert head.body == b""
    assert int(head.headers["content-length"]) > 0
    assert set(head.headers) == set(get.headers)


async def test_repeated_headers_are_joined() -> None:
    headers = [
        (b"host", b"localhost"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"X-Odd", b"1"),
        (b"x-odd", b"2"),
    ]
    answer = await ask(asgi(), "/", headers=headers)
    assert answer.seen["headers"] == {"host": "localhost", "cookie": "a=1; b=2", "x-odd": "1, 2"}


async def test_a_parameter_of_several_values_is_said_to_be_one() -> None:
    answer = await ask(
        asgi(), "/calls", query_string=b"model=a&model=b&user=&user=c&status=error&status=error"
    )
    assert answer.seen["repeated"] == {"model": ["a", "b"]}
    assert answer.seen["params"] == {"model": "b", "user": "c", "status": "error"}


async def test_a_second_host_header_opens_nothing() -> None:
    answer = await ask(asgi(), "/", headers=[(b"host", b"evil.example"), (b"host", b"localhost")])
    assert answer.status == 403


async def test_the_hosts_scope_stays_as_it_is() -> None:
    scope = scope_of("/miharu/calls", root_path="/miharu", state={}, path_params={})
    before = copy.deepcopy(scope)

    async def send(message: Any) -> None:
        pass

    await asgi()(scope, send, send)
    assert scope == before


# --- the slash


@pytest.mark.parametrize(
    ("scope", "location"),
    [
        ({"path": "/", "raw_path": b"/miharu"}, "miharu/"),
        ({"path": "/", "raw_path": b"/a/miharu", "query_string": b"token=x&y=%41"}, "miharu/?token=x&y=%41"),
        ({"path": "/miharu", "root_path": "/miharu", "raw_path": None}, "miharu/"),
        ({"path": "/", "raw_path": b"//evil.example"}, "evil.example/"),
        ({"path": "/", "raw_path": b"/https:x"}, "https%3Ax/"),
        ({"path": "/", "raw_path": b"/m%0d%0ax"}, "m%0D%0Ax/"),
    ],
)
async def test_the_mount_without_its_slash_redirects_relatively(scope: dict[str, Any], location: str) -> None:
    answer = await ask(asgi(), "", **scope)
    assert answer.status == 307
    assert answer.headers["location"] == location
    assert set(SECURITY) <= set(answer.headers)


async def test_the_mount_with_its_slash_does_not_redirect() -> None:
    assert (await ask(asgi(), "/miharu/", root_path="/miharu")).status == 200
    assert (await ask(asgi(), "/", raw_path=None)).status == 200


# --- when things are not well


async def test_it_says_what_to_add_when_nobody_called_init(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "current", lambda: None)
    answer = await ask(asgi(), "/calls")
    assert answer.status == 503
    assert b"miharu.init()" in answer.body
    assert set(SECURITY) <= set(answer.headers)


async def test_a_failure_of_ours_is_a_calm_page_and_one_line(
    running: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    monkeypatch.setattr("miharu._guard._said", set())
    running.broken = RuntimeError("the secret of the machine room")
    app = asgi()
    for _ in range(2):
        answer = await ask(app)
        assert answer.status == 500
        assert b"machine room" not in answer.body
        assert set(SECURITY) <= set(answer.headers)
    ours = [record.name for record in caplog.records if record.name != "asyncio"]  # it may find it slow
    assert ours == ["miharu"]


async def test_a_callable_that_fails_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)

    def fail(scope: Mapping[str, Any]) -> bool:
        raise RuntimeError("no session")

    assert (await ask(asgi(auth=fail))).status == 500


async def test_a_store_that_cannot_be_read_is_said_to_those_who_may_know(running: StandIn) -> None:
    running.broken = StoreError("db is gone, <start> it")
    answer = await ask(asgi())
    assert answer.status == 503
    assert b"db is gone, &lt;start&gt; it" in answer.body
    assert (await ask(asgi(auth="token"))).status == 403


def test_a_nonsense_auth_raises_at_once() -> None:
    with pytest.raises(ConfigError):
        asgi(auth="nobody")  # type: ignore[arg-type]


# --- access, through the door


async def test_a_refusal_carries_the_security_headers() -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = await ask(asgi(auth="token"), method=method)
        assert answer.status == 403
        assert set(SECURITY) <= set(answer.headers)
        assert (answer.body == b"") == (method == "HEAD")


async def test_the_logged_link_shows_the_path_as_asked(caplog: pytest.LogCaptureFixture) -> None:
    for scope in (
        {"path": "/miharu/calls", "root_path": "/miharu"},
        {"path": "/calls/", "raw_path": b"/miharu/calls"},
        {"path": "/miharu/calls", "root_path": "/api/miharu"},
        {"path": "/"},
    ):
        await ask(asgi(auth="token"), "", **({"raw_path": str(scope["path"]).encode()} | scope))
    links = [record.getMessage().partition("Open ")[2].partition("?")[0] for record in caplog.records]
    at = "http://localhost:8000"
    assert links == [f"{at}/miharu/", f"{at}/miharu/", f"{at}/api/miharu/", f"{at}/"]


async def test_the_callable_gets_the_hosts_own_scope() -> None:
    seen = []

    async def allow(scope: Mapping[str, Any]) -> bool:
        await anyio.lowlevel.checkpoint()
        seen.append(scope["session"])
        return True

    session = {"user": "ann"}
    answer = await ask(asgi(auth=allow), session=session)
    assert answer.seen["access"] == "custom"
    assert seen == [session]
    assert seen[0] is session


async def test_a_forwarded_request_closes_the_door_of_every_mount_of_the_process() -> None:
    assert (await ask(asgi())).status == 200
    headers = [(b"host", b"localhost"), (b"x-forwarded-for", b"1.2.3.4")]
    assert (await ask(asgi(), headers=headers)).status == 403
    assert (await ask(asgi())).status == 403


# --- other kinds of scope


async def test_a_websocket_is_closed() -> None:
    sent = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await asgi()(scope_of("/", type="websocket"), receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_lifespan_is_agreed_to() -> None:
    sent, messages = [], iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await asgi()({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_unknown_kind_of_scope_is_left_alone() -> None:
    await asgi()({"type": "webtransport"}, None, None)


# --- path tricks


@pytest.mark.parametrize(
    "path",
    [
        "/miharu/../x",
        "/miharu/static/../../x",
        "/miharu/..",
        "/miharu//etc/passwd",
        "/miharu/static/..\\..\\x",
        "/miharu/static/\0",
    ],
)
async def test_a_path_trick_is_a_page_that_is_not_there(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(monitor_module, "current", lambda: StandIn(Config(database="x")))
    answer = await ask(asgi(auth="off"), path, root_path="/miharu")
    assert answer.status == 404
    assert set(SECURITY) <= set(answer.headers)


# --- real hosts


def nested() -> Any:
    return Starlette(routes=[Mount("/admin", routes=[Mount("/miharu", asgi())])])


def fastapi() -> FastAPI:
    app = FastAPI()
    app.mount("/miharu", asgi())
    return app


def sub_app() -> FastAPI:
    app = FastAPI()
    app.mount("/api", fastapi())
    return app


def litestar() -> Litestar:
    dashboard = asgi()

    @litestar_asgi("/miharu", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await dashboard(scope, receive, send)

    return Litestar([mounted], openapi_config=None, logging_config=None)


def dispatcher() -> Any:
    dashboard = asgi()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith("/miharu")
        await dashboard(scope | {"path": scope["path"].removeprefix("/miharu") or "/"}, receive, send)

    return app


def stripped() -> Any:
    """Behind a proxy that takes ``/api`` away, which FastAPI has been told."""
    with pytest.warns(match="root_path"):
        app = FastAPI(root_path="/api")
    app.mount("/miharu", asgi())
    return app


REAL = {
    "FastAPI": (fastapi, "/miharu", ""),
    "FastAPI under --root-path": (fastapi, "/pre/miharu", "/pre"),
    "nested mounts": (nested, "/admin/miharu", ""),
    "an app in an app": (sub_app, "/api/miharu", ""),
    "Litestar": (litestar, "/miharu", ""),
    "a dispatcher": (dispatcher, "/miharu", ""),
    "a stripping proxy": (stripped, "/miharu", ""),
}


@pytest.mark.parametrize("host", REAL)
def test_it_works_in_a_real_host(host: str) -> None:
    make, mount, root_path = REAL[host]
    client = TestClient(make(), root_path=root_path, base_url="http://localhost")
    for path, expected in (("/", ""), ("/calls?model=x", "calls"), ("/static/miharu", "static/miharu")):
        response = client.get(mount + path)
        assert response.status_code == 200, (host, path)
        assert response.json()["path"] == expected
    slash = client.get(mount, follow_redirects=True)
    assert slash.status_code == 200
    assert str(slash.url).endswith(mount + "/")


def test_starlettes_test_client_is_let_in_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "_has_terminal", lambda: False)
    assert TestClient(fastapi()).get("/miharu/").status_code == 200


# --- what it costs to have


def test_making_it_loads_no_framework() -> None:
    code = (
        "import sys, miharu; app = miharu.asgi(); miharu.MiharuMiddleware(app);"
        "heavy = {'litestar', 'starlette', 'sqlalchemy', 'jinja2', 'anyio', 'httpx', 'uvicorn'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=60)
