"""Which route a call belongs to, as the frameworks leave it in the scope."""

import warnings
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, Router, get
from litestar.params import FromPath
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from miharu.attribution.context import Context, Origin
from miharu.attribution.resolve import Attribution, attribution_of
from miharu.attribution.routes.patterns import without_regex
from miharu.attribution.routes.templates import route_template
from tests.listening import Listening


def whose(scope: Any) -> Attribution:
    return attribution_of(Context(origin=Origin(scope)))


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def fastapi() -> FastAPI:
    inner = APIRouter(prefix="/in")
    inner.add_api_route("/n/{key}", lambda key: key)
    inner.add_route("/plain/{x}", plain)
    sub = FastAPI()
    sub.add_api_route("/y/{key}", lambda key: key)
    sub.include_router(inner, prefix="/p")
    outer = APIRouter(prefix="/out")
    outer.include_router(inner, prefix="/v1")
    outer.mount("/mounted", sub)
    app = FastAPI()
    app.add_api_route("/direct/{i}", lambda i: i)
    app.include_router(outer, prefix="/api")
    app.mount("/sub", sub)
    app.mount("/t/{tenant}", sub)
    app.mount(
        "/star",
        Starlette(routes=[Mount("/deep", routes=[Route("/q/{key:int}", plain)]), Route("/{p:path}", plain)]),
    )
    return app


@pytest.mark.parametrize("root_path", ["", "/pre"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/direct/1", "/direct/{i}"),
        ("/api/out/v1/in/n/2", "/api/out/v1/in/n/{key}"),
        ("/api/out/v1/plain/3", "/api/out/v1/plain/{x}"),
        ("/sub/y/4", "/sub/y/{key}"),
        ("/sub/p/in/n/5", "/sub/p/in/n/{key}"),
        ("/t/acme/y/6", "/t/{tenant}/y/{key}"),
        ("/api/mounted/y/7", "/api/mounted/y/{key}"),
        ("/api/mounted/p/in/n/7", "/api/mounted/p/in/n/{key}"),
        ("/star/deep/q/8", "/star/deep/q/{key}"),
        ("/star/a/b", "/star/{p}"),
    ],
)
def test_fastapi_and_starlette(root_path: str, path: str, template: str) -> None:
    app = Listening(fastapi())
    assert TestClient(app, root_path=root_path).get(root_path + path).status_code == 200
    assert route_template(app.scope) == template
    assert whose(app.scope).route == f"GET {template}"


def test_fastapi_behind_a_proxy_that_strips_its_prefix() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = FastAPI(root_path="/pre")
    app.add_api_route("/direct/{i}", lambda i: i)
    listening = Listening(app)
    assert TestClient(listening).get("/direct/1").status_code == 200
    assert route_template(listening.scope) == "/direct/{i}"


def test_litestar() -> None:
    @get("/y/{key:int}")
    async def handler(key: FromPath[int]) -> None: ...

    app = Listening(Litestar([Router("/api", route_handlers=[handler])], logging_config=None))
    assert TestClient(app).get("/api/y/7").status_code == 200
    assert route_template(app.scope) == "/api/y/{key}"


@pytest.mark.parametrize("path", ["/api/mounted/nope", "/star", "/nope"])
def test_where_nothing_matched_the_path_speaks(path: str) -> None:
    app = Listening(fastapi())
    TestClient(app).get(path, follow_redirects=False)
    assert route_template(app.scope) == path


@pytest.mark.parametrize(
    ("path", "collapsed"),
    [
        ("/", "/"),
        ("/chat/17", "/chat/{}"),
        ("/chat/0198f1c2-6a3e-7c11-9d5e-0a1b2c3d4e5f/x", "/chat/{}/x"),
        ("/chat/65f0c1deadbeef0012345678", "/chat/{}"),
        ("/t/thread_AbC123xyz789qqq/run", "/t/{}/run"),
        ("/u/ann@example.org", "/u/{}"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/facade/added", "/facade/added"),
        ("/transcriptions-of-meetings", "/transcriptions-of-meetings"),
    ],
)
def test_ids_in_an_unknown_frameworks_path_are_collapsed(path: str, collapsed: str) -> None:
    assert route_template({"path": path}) == collapsed
    assert route_template({"path": "/pre" + path, "root_path": "/pre"}) == collapsed


def test_outside_a_request_there_is_none() -> None:
    assert attribution_of(Context()).route is None
    assert attribution_of(None).host_request_id is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [([], None), ([(b"x-request-id", b"abc")], "abc"), ([(b"X-Request-ID", b"a" * 900)], "a" * 200)],
)
def test_the_request_id_of_proxy_or_host(headers: Any, expected: str | None) -> None:
    assert whose({"headers": headers}).host_request_id == expected


@pytest.mark.parametrize(
    "scope",
    [
        {"fastapi": "odd", "route": object(), "path": None},
        {"fastapi": {"effective_route_context": object()}, "path": 3},
        {"path_template": 3, "route": None},
    ],
)
def test_what_it_does_not_know_is_no_error(scope: Any) -> None:
    assert route_template(scope) is None


@pytest.mark.parametrize(
    ("route", "template"),
    [
        ("articles/<int:year>/<slug>/", "articles/{year}/{slug}/"),
        (r"^articles/(?P<year>[0-9]{4})/(?P<month>(a|b)\))/$", "articles/{year}/{month}/"),
        (r"api/^x/(?:page-)?(\d+)/v1\.0/\Z", "api/x/page-{}/v1.0/"),
        (r"^(?P<broken>[0-9", "{broken}"),
    ],
)
def test_djangos_expressions_are_read_by_their_names(route: str, template: str) -> None:
    assert without_regex(route) == template
