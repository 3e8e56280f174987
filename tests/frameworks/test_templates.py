"""Routes of frameworks that leave nothing in the scope, also behind middlewares, mounts and prefixes."""

from typing import Any

import pytest

pytest.importorskip("quart", reason="it has an environment of its own: requirements/frameworks.txt")

import django
from django.conf import settings
from hypercorn.middleware import ProxyFixMiddleware
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.listening import Listening


@pytest.fixture
def quart() -> Quart:
    app = Quart(__name__)

    @app.get("/chat/<int:key>/<path:rest>")
    @app.post("/other/<key>")
    async def view(key: int, rest: str) -> str:
        return "ok"

    return app


def test_quart_behind_middlewares(quart: Quart) -> None:
    for app in (quart, quart.asgi_app, ProxyFixMiddleware(OpenTelemetryMiddleware(quart))):
        assert Listening(app).template("/chat/1/a/b") == "/chat/{key}/{rest}"


def test_quart_in_a_mount_and_below_a_prefix(quart: Quart) -> None:
    app = Listening(Starlette(routes=[Mount("/in/{tenant}", app=quart)]))
    assert app.template("/in/acme/chat/1/x") == "/in/{tenant}/chat/{key}/{rest}"
    assert app.template("/in/acme/chat/1/x", root_path="/pre") == "/in/{tenant}/chat/{key}/{rest}"
    assert Listening(quart).template("/chat/1/x", root_path="/pre") == "/chat/{key}/{rest}"


def test_where_quart_matches_nothing_the_path_speaks(quart: Quart) -> None:
    assert Listening(quart).template("/nope/4711") == "/nope/{}"
    assert Listening(quart).template("/other/4711") == "/other/{}", "it takes no GET"


def test_django_in_a_mount() -> None:
    if not settings.configured:
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="any")
        django.setup()
    from django.core.asgi import get_asgi_application

    app = Listening(Starlette(routes=[Mount("/shop", app=get_asgi_application())]))
    assert app.template("/shop/articles/2026/x") == "/shop/articles/{year}/{slug}"
    assert app.template("/shop/nope/4711") == "/shop/nope/{}"
    bare = Listening(get_asgi_application())
    assert bare.template("/old/7/") == "/old/{}/"
    assert bare.template("/articles/2026/x", root_path="/pre") == "/articles/{year}/{slug}"


def _urls() -> list[Any]:
    from django.http import HttpResponse
    from django.urls import path, re_path

    def view(*args: Any, **options: Any) -> HttpResponse:
        return HttpResponse("ok")

    return [path("articles/<int:year>/<slug:slug>", view), re_path(r"^old/(\d+)/$", view)]


urlpatterns = _urls()
