"""``MiharuWsgiMiddleware``: the dashboard under its path, and who may see it there."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from miharu import monitor
from miharu._wsgi.middleware import MiharuWsgiMiddleware
from miharu.dashboard.access import decide, interface
from miharu.errors import ConfigError, StoreError
from tests.asgi.test_mount import SECURITY

from .driver import StandIn, ask, environ_of


def host(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """An app that says what it was asked."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"host {environ['PATH_INFO']}".encode()]


# --- the dashboard under its path


@pytest.mark.parametrize(
    ("script", "path", "below"),
    [
        ("", "/miharu/", ""),
        ("", "/miharu/calls", "calls"),
        ("/pre", "/miharu/calls", "calls"),
        ("/miharu", "/miharu/calls", "calls"),
    ],
)
def test_it_serves_the_dashboard(script: str, path: str, below: str) -> None:
    answer = ask(MiharuWsgiMiddleware(host), path, SCRIPT_NAME=script)
    assert (answer.status, answer.seen["path"]) == (200, below)


@pytest.mark.parametrize("path", ["/", "/miharus", "/miharus/calls", "/x/miharu/", "/mih", ""])
def test_it_passes_the_rest(path: str) -> None:
    answer = ask(MiharuWsgiMiddleware(host), path, SCRIPT_NAME="/pre")
    assert answer.body == f"host {path}".encode()


def test_the_path_can_be_chosen() -> None:
    app = MiharuWsgiMiddleware(host, path="/_ops/llm/")
    assert ask(app, "/_ops/llm/calls").seen["path"] == "calls"
    assert ask(app, "/miharu/").body == b"host /miharu/"


@pytest.mark.parametrize("script", ["", "/pre"])
def test_the_path_without_its_slash_redirects_relatively(script: str) -> None:
    answer = ask(MiharuWsgiMiddleware(host), "/miharu?range=7d&q=%C3%A9", SCRIPT_NAME=script)
    assert (answer.status, answer.headers["location"]) == (307, "miharu/?range=7d&q=%C3%A9")


def test_the_view_gets_path_parameters_headers_and_the_site() -> None:
    answer = ask(
        MiharuWsgiMiddleware(host),
        "/miharu/calls?model=a&model=b&empty=&x=%C3%A9",
        HTTP_X_ODD="1",
        HTTP_COOKIE="a=\xe9",
    )
    seen = answer.seen
    assert seen["path"] == "calls"
    assert seen["params"] == {"model": "b", "empty": "", "x": "é"}
    assert seen["repeated"] == {"model": ["a", "b"]}
    assert seen["headers"] == {"host": "localhost:8000", "x-odd": "1", "cookie": "a=\xe9"}
    assert (seen["store"], seen["access"], seen["losses"]) == ("the store", "local only", 3)


def test_a_path_is_read_as_utf_8() -> None:
    written = "/miharu/é ü".encode().decode("latin-1")
    assert ask(MiharuWsgiMiddleware(host), written).seen["path"] == "é ü"
    assert ask(MiharuWsgiMiddleware(host), "/miharu/\xff").seen["path"] == "\ufffd"


def test_head_is_get_without_its_body() -> None:
    app = MiharuWsgiMiddleware(host)
    get, head = ask(app, "/miharu/calls"), ask(app, "/miharu/calls", REQUEST_METHOD="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert set(head.headers) == set(get.headers)
    assert int(head.headers["content-length"]) > 0


def test_the_logged_link_names_the_prefix(caplog: pytest.LogCaptureFixture) -> None:
    ask(MiharuWsgiMiddleware(host, auth="token"), "/miharu/calls", SCRIPT_NAME="/pre")
    assert [" http://localhost:8000/pre/miharu/?token=" in one.getMessage() for one in caplog.records] == [
        True
    ]


@pytest.mark.parametrize("path", ["", "/", "miharu", "//"])
def test_a_nonsense_path_raises_at_once(path: str) -> None:
    with pytest.raises(ConfigError, match="path="):
        MiharuWsgiMiddleware(host, path=path)


def test_making_it_loads_no_framework() -> None:
    code = (
        "import sys, miharu; app = miharu.MiharuWsgiMiddleware(print);"
        "heavy = {'litestar', 'starlette', 'flask', 'sqlalchemy', 'jinja2', 'anyio', 'httpx', 'uvicorn'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=60)


# --- what is sent along


def test_a_post_is_refused_once_it_was_heard_out() -> None:
    body = io.BytesIO(b"x" * 5000)
    seen = ask(
        MiharuWsgiMiddleware(host),
        "/miharu/calls",
        REQUEST_METHOD="POST",
        CONTENT_LENGTH="5000",
        **{"wsgi.input": body},
    ).seen
    assert seen["method"] == "POST"
    assert body.read() == b""


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({"CONTENT_LENGTH": "9999999999"}, [1 << 20]),
        ({"CONTENT_LENGTH": "7"}, [7]),
        ({"CONTENT_LENGTH": ""}, []),
        ({"CONTENT_LENGTH": "-1"}, []),
        ({"CONTENT_LENGTH": "many"}, []),
        ({}, []),
        ({"wsgi.input_terminated": True}, [1 << 20]),
        ({"CONTENT_LENGTH": "7", "REQUEST_METHOD": "GET"}, []),
    ],
)
def test_no_more_of_a_body_is_read_than_is_there_and_a_mebibyte(
    more: dict[str, Any], read: list[int]
) -> None:
    """Without a length a server may wait for ever for what does not come."""
    asked: list[int] = []

    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return b""

    environ = environ_of("/miharu/calls", **({"REQUEST_METHOD": "POST", "wsgi.input": Body()} | more))
    assert list(MiharuWsgiMiddleware(host)(environ, lambda *_: None))
    assert asked == read


def test_a_body_that_breaks_off_is_no_matter() -> None:
    class Gone(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    environ = environ_of("/miharu/", REQUEST_METHOD="POST", CONTENT_LENGTH="5", **{"wsgi.input": Gone()})
    assert list(MiharuWsgiMiddleware(host)(environ, lambda *_: None))


# --- who may see it


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "192.168.1.5"}, 403),
        ({"REMOTE_ADDR": None}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"HTTP_HOST": "rebound.example"}, 403),
        ({"HTTP_HOST": "evil.example,localhost"}, 403),
        ({"HTTP_HOST": None}, 403),
        ({"HTTP_HOST": "testserver", "REMOTE_PORT": "50000"}, 403),
        ({"REMOTE_ADDR": "testclient", "REMOTE_PORT": "50000"}, 403),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "1.2.3.4"}, 403),
        ({"HTTP_VIA": "a proxy"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "cors"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "no-cors"}, 403),
        (
            {
                "HTTP_SEC_FETCH_SITE": "cross-site",
                "HTTP_SEC_FETCH_MODE": "navigate",
                "HTTP_SEC_FETCH_DEST": "document",
            },
            200,
        ),
        ({"HTTP_ORIGIN": "https://evil.example"}, 403),
        ({"HTTP_ORIGIN": "http://localhost:8000"}, 200),
        ({"HTTP_ORIGIN": "http://localhost:9000"}, 403),
        ({"HTTP_ORIGIN": "null"}, 403),
    ],
)
def test_who_is_let_in(more: dict[str, Any], status: int) -> None:
    answer = ask(MiharuWsgiMiddleware(host), "/miharu/calls", **more)
    assert answer.status == status
    assert set(SECURITY) <= set(answer.headers)


@pytest.mark.parametrize(
    "spoofed",
    [
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        {
            "HTTP_SEC_FETCH_SITE": "cross-site",
            "HTTP_SEC_FETCH_MODE": "navigate",
            "HTTP_SEC_FETCH_DEST": "document",
        },
    ],
)
def test_a_header_with_underscores_opens_nothing(spoofed: dict[str, str]) -> None:
    """A page of another site may send ``Sec_Fetch_Site``; uWSGI puts it in the place of the browser's own."""
    answer = ask(MiharuWsgiMiddleware(host), "/miharu/", HTTP_ORIGIN="https://evil.example", **spoofed)
    assert answer.status == 403


def test_without_a_terminal_it_asks_for_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "_has_terminal", lambda: False)
    assert ask(MiharuWsgiMiddleware(host), "/miharu/").status == 403


def test_a_forwarded_request_for_the_host_closes_the_open_door() -> None:
    app = MiharuWsgiMiddleware(host)
    assert ask(app, "/miharu/").status == 200
    ask(app, "/", HTTP_X_FORWARDED_FOR="1.2.3.4")
    assert ask(app, "/miharu/").status == 403


def test_the_token_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_TOKEN", "a token of sixteen letters and more")
    app = MiharuWsgiMiddleware(host, auth="token")
    assert ask(app, "/miharu/").status == 403
    entered = ask(app, "/miharu/?token=a+token+of+sixteen+letters+and+more")
    assert (entered.status, entered.headers["location"]) == (303, "./")
    cookie = entered.headers["set-cookie"].partition(";")[0]
    assert ask(app, "/miharu/", HTTP_COOKIE=cookie).seen["access"] == "token"
    assert ask(app, "/miharu/", HTTP_AUTHORIZATION="Bearer wrong").status == 403


def test_a_token_that_is_made_is_read_in_the_requests_own_thread(
    running: StandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running.config = type(running.config)(database=f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}")
    assert ask(MiharuWsgiMiddleware(host, auth="token"), "/miharu/").status == 403
    token = (tmp_path / "calls.db.token").read_text().strip()
    assert f"?token={token}" in caplog.text
    assert ask(MiharuWsgiMiddleware(host, auth="token"), f"/miharu/?token={token}").status == 303


def test_another_users_process_is_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def is_strangers(scope: Any) -> bool:
        asked.append((scope["client"], scope["server"]))
        return True

    app = MiharuWsgiMiddleware(host)
    monkeypatch.setattr(app._door._access, "_strangers", is_strangers)
    assert ask(app, "/miharu/").status == 403
    assert ask(app, "/miharu/", REMOTE_PORT=None).status == 403
    near = ("0.0.0.0", 8000)
    assert asked == [(("127.0.0.1", "5000"), near), (("127.0.0.1", None), near)]


@pytest.mark.parametrize("mark", [{"werkzeug.debug.preserve_context": print}, {"paste.testing": True}])
def test_a_test_client_is_let_in_and_no_server_is_taken_for_one(
    mark: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "_has_terminal", lambda: False)
    app = MiharuWsgiMiddleware(host)
    alone = {"SERVER_SOFTWARE": None, "REMOTE_PORT": None}
    assert ask(app, "/miharu/", **mark, **alone).status == 200
    assert ask(app, "/miharu/", **mark).status == 403
    assert ask(app, "/miharu/", **mark, REMOTE_PORT=None).status == 403
    assert ask(app, "/miharu/", **alone).status == 403


def test_the_callable_gets_the_environ() -> None:
    seen = []

    def allow(environ: dict[str, Any]) -> bool:
        seen.append(environ["ann's session"])
        return environ["ann's session"] is session

    session = object()
    app = MiharuWsgiMiddleware(host, auth=allow)
    environ = environ_of("/miharu/", **{"ann's session": session})
    statuses: list[str] = []
    list(app(environ, lambda status, headers: statuses.append(status)))
    list(app(environ | {"ann's session": 7}, lambda status, headers: statuses.append(status)))
    assert statuses == ["200 OK", "403 Forbidden"]
    assert seen == [session, 7]


def test_a_callable_that_waits_for_a_loop_is_refused_at_once() -> None:
    async def allow(environ: dict[str, Any]) -> bool:
        return True

    class Allow:
        async def __call__(self, environ: dict[str, Any]) -> bool:
            return True

    def takes_nothing() -> bool:
        return True

    for function in (allow, Allow()):
        with pytest.raises(ConfigError, match="plain function"):
            MiharuWsgiMiddleware(host, auth=function)  # type: ignore[arg-type] # that is what is refused
    with pytest.raises(ConfigError, match="the WSGI environ"):
        MiharuWsgiMiddleware(host, auth=takes_nothing)  # type: ignore[arg-type] # as above


def test_a_callable_that_fails_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)

    def fail(environ: dict[str, Any]) -> bool:
        raise RuntimeError("no session")

    class Suspended:
        def __await__(self) -> Any:
            yield

    def waits(environ: dict[str, Any]) -> Any:
        return Suspended()

    assert ask(MiharuWsgiMiddleware(host, auth=fail), "/miharu/").status == 500
    assert ask(MiharuWsgiMiddleware(host, auth=waits), "/miharu/").status == 500


def test_what_waits_for_a_loop_is_said_to_have_none() -> None:
    async def waits() -> None:
        class Pause:
            def __await__(self) -> Any:
                yield

        await Pause()

    with pytest.raises(RuntimeError, match="plain function"):
        interface.result_of(waits())


# --- when things are not well


def test_it_says_what_to_add_when_nobody_called_init(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "current", lambda: None)
    monkeypatch.setattr(monitor, "init", lambda: None)
    answer = ask(MiharuWsgiMiddleware(host), "/miharu/calls")
    assert answer.status == 503
    assert b"miharu.init()" in answer.body


def test_a_store_that_cannot_be_read_is_said_to_those_who_may_know(running: StandIn) -> None:
    running.broken = StoreError("db is gone, <start> it")
    answer = ask(MiharuWsgiMiddleware(host), "/miharu/")
    assert answer.status == 503
    assert b"db is gone, &lt;start&gt; it" in answer.body
    assert ask(MiharuWsgiMiddleware(host, auth="token"), "/miharu/").status == 403


def test_an_environ_that_is_none_is_the_hosts_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ)
        return [b"ok"]

    for environ in ({}, {"PATH_INFO": 7}, {"HTTP_X": 7}, None):
        given: Any = environ
        assert list(MiharuWsgiMiddleware(app)(given, lambda *_: None)) == [b"ok"]
        assert seen.pop() is environ


# --- init()


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nobody has called ``init()``; how often it is called."""
    calls: list[str] = []
    monkeypatch.setattr(monitor, "current", lambda: None)
    monkeypatch.setattr(monitor, "init", lambda: calls.append("init"))
    return calls


def test_it_starts_miharu_at_the_first_request(starts: list[str]) -> None:
    app = MiharuWsgiMiddleware(host)
    assert not starts
    ask(app, "/x")
    ask(app, "/y")
    assert starts == ["init"]


def test_an_init_of_the_hosts_own_wins(starts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    app = MiharuWsgiMiddleware(host)
    monkeypatch.setattr(monitor, "current", lambda: "the host's")
    ask(app, "/x")
    assert not starts


def test_a_failing_init_does_not_reach_the_host(starts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no disk")

    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    monkeypatch.setattr(monitor, "init", fail)
    assert ask(MiharuWsgiMiddleware(host), "/x").body == b"host /x"
