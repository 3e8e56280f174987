"""Routes of apps that are called by WSGI; ``tests/frameworks/test_wsgi.py`` has the real frameworks."""

from typing import Any

import pytest

from miharu.attribution.routes.patterns import of_bottle, of_braces, of_werkzeug
from miharu.attribution.routes.templates import route_template
from miharu.attribution.routes.wsgi import ENVIRON, is_wsgi, settle, wsgi_template


def scope_of(path: str, root: str = "", rule: object = None) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "root_path": root,
        "path": root + path,
        ENVIRON: {"SCRIPT_NAME": root, "PATH_INFO": path} | ({"bottle.route": Route(rule)} if rule else {}),
    }


class Route:
    def __init__(self, rule: object) -> None:
        self.rule = rule


@pytest.mark.parametrize(
    ("rule", "template"),
    [
        ("/chat/<key>", "/chat/{key}"),
        ("/chat/<key:int>", "/chat/{key}"),
        (r"/chat/<key:re:[a-z\>]+>/x", "/chat/{key}/x"),
        ("/old/:key/and/:more#[0-9]+#", "/old/{key}/and/{more}"),
        ("/plain", "/plain"),
    ],
)
def test_bottles(rule: str, template: str) -> None:
    assert of_bottle(rule) == template
    assert wsgi_template(scope_of("/chat/4711", rule=rule), None) == template


@pytest.mark.parametrize(
    ("route", "template"),
    [
        ("/chat/{key}", "/chat/{key}"),
        ("/chat/{key:int(min=1)}/x", "/chat/{key}/x"),
        (r"/chat/{key:\d{1,9}}/{more}", "/chat/{key}/{more}"),
        ("/files/*rest", "/files/{rest}"),
        ("/plain", "/plain"),
    ],
)
def test_falcons_and_pyramids(route: str, template: str) -> None:
    assert of_braces(route) == template


def test_flasks() -> None:
    assert of_werkzeug("/chat/<int:key>/<path:rest>/<name>") == "/chat/{key}/{rest}/{name}"


def test_a_path_that_no_framework_knows_is_left_without_its_ids() -> None:
    for app in (None, object(), lambda: None):
        assert route_template(scope_of("/chat/4711"), app) == "/chat/{}"
        assert route_template(scope_of("/chat/4711", "/pre"), app) == "/chat/{}"
    assert route_template(scope_of("", "/pre")) == "/"


def test_what_a_dispatcher_has_moved_is_a_mount() -> None:
    scope = scope_of("/in/chat/4711", "/pre", rule="/chat/<key>")
    scope[ENVIRON] |= {"SCRIPT_NAME": "/pre/in", "PATH_INFO": "/chat/4711"}
    assert wsgi_template(scope, None) == "/in/chat/{key}"


def test_a_settled_request_knows_as_much_and_holds_no_environ() -> None:
    scope = scope_of("/chat/4711", rule="/chat/<key>")
    environ = scope[ENVIRON]
    for _ in range(2):
        settle(scope)
        assert environ not in scope.values()
        assert is_wsgi(scope)
        assert wsgi_template(scope, None) == "/chat/{key}"


def test_an_environ_that_makes_no_sense_is_a_path() -> None:
    for environ in ({"SCRIPT_NAME": 7}, {"PATH_INFO": None}, {"bottle.route": Route(7)}):
        assert wsgi_template(scope_of("/chat/4711") | {ENVIRON: environ}, None) == "/chat/{}"


def test_a_path_in_utf_8_is_read_so() -> None:
    scope = scope_of("/x")
    scope[ENVIRON] |= {"SCRIPT_NAME": "/é".encode().decode("latin-1"), "bottle.route": Route("/<key>")}
    assert wsgi_template(scope, None) == "/é/{key}"
    scope[ENVIRON] |= {"SCRIPT_NAME": "/日"}  # decoded already
    assert wsgi_template(scope, None) == "/日/{key}"


class Router:
    """What a framework's app is wrapped in, as werkzeug's ``DispatcherMiddleware`` has it."""

    def __init__(self, **mounts: object) -> None:
        self.app, self.mounts = object(), {f"/{name}": app for name, app in mounts.items()}


def test_a_dispatcher_without_the_mount_is_no_matter() -> None:
    scope = scope_of("/in/chat/4711")
    scope[ENVIRON] |= {"SCRIPT_NAME": "/in", "PATH_INFO": "/chat/4711"}
    assert wsgi_template(scope, Router(other=object())) == "/in/chat/{}"
    assert wsgi_template(scope, Router(**{"in": object()})) == "/in/chat/{}"
