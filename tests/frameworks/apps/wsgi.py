"""The frameworks of WSGI, each with the middleware, and with a call of a model in each place."""

import contextvars
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bottle
import django
import falcon
from django.conf import settings
from flask import Blueprint, Flask, Response, request
from openai import OpenAI
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import miharu
from tests.frameworks.model import ask

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="any", MIDDLEWARE=[f"{__name__}.before"]
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - the settings come first
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import include, path, re_path  # noqa: E402


def in_a_thread(name: str) -> None:
    thread = threading.Thread(target=ask, args=(name,))
    thread.start()
    thread.join()


def in_a_pool(name: str) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(ask, name).result()


def copied(name: str) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(contextvars.copy_context().run, ask, name).result()


def stated(name: str) -> None:
    miharu.context(user="ann", session="s-1")
    ask(name)


VIEWS: dict[str, Callable[[str], None]] = {
    "view": ask,
    "stated": stated,
    "copied": copied,
    "pool": in_a_pool,
    "thread": in_a_thread,
}


def viewed(place: str) -> str:
    VIEWS[place](place)
    return "ok"


def mounted_view() -> str:
    ask("mounted")
    return "ok"


def chunks() -> Iterator[bytes]:
    yield b"one "
    ask("stream")
    yield b"two"


def ask_before(path: str) -> Any:
    if path.startswith("/before"):
        ask("before")


# --- Flask


def _flask() -> Any:
    app, mounted = Flask(__name__), Blueprint("mounted", __name__)
    app.before_request(lambda: ask_before(request.path))
    app.get("/before/<key>", endpoint="before")(lambda key: "ok")
    app.get("/view/<place>/<int:key>", endpoint="view")(lambda place, key: viewed(place))
    app.get("/stream/<int:key>", endpoint="stream")(lambda key: Response(chunks()))
    app.get("/endless/<int:key>", endpoint="endless")(lambda key: Response(endless()))
    mounted.get("/<int:key>", endpoint="mounted")(lambda key: mounted_view())
    app.register_blueprint(mounted, url_prefix="/mounted")
    return app


def endless() -> Iterator[str]:
    """What a model streams, handed on as it comes."""
    with OpenAI(base_url=os.environ["MODEL_URL"], api_key="any", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "hi"}]
        with client.chat.completions.create(model="endless", messages=messages, stream=True) as stream:
            for chunk in stream:
                yield chunk.choices[0].delta.content or "" if chunk.choices else ""


flask = _flask()
flask.wsgi_app = miharu.MiharuWsgiMiddleware(flask.wsgi_app)

# --- Django


def before(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        ask_before(request.path)
        return get_response(request)

    return middleware


def django_view(request: HttpRequest, place: str, key: int) -> HttpResponse:
    VIEWS[place](place)
    return HttpResponse("ok")


def django_mounted(request: HttpRequest, key: int) -> HttpResponse:
    ask("mounted")
    return HttpResponse("ok")


urlpatterns = [
    path("view/<slug:place>/<int:key>", django_view),
    path("stream/<int:key>", lambda _, key: StreamingHttpResponse(chunks())),
    re_path(r"^before/(?P<key>[0-9]+)$", lambda _, key: HttpResponse("ok")),
    path("mounted/", include([path("<int:key>", django_mounted)])),
]
django_app = miharu.MiharuWsgiMiddleware(get_wsgi_application())

# --- Bottle


def _bottle() -> Any:
    app, inner = bottle.Bottle(), bottle.Bottle()
    app.hook("before_request")(lambda: ask_before(bottle.request.path))
    app.get("/before/<key>", callback=lambda key: "ok")
    app.get("/view/<place>/<key:int>", callback=lambda place, key: viewed(place))
    app.get("/stream/:key", callback=lambda key: chunks())
    inner.get("/<key:re:[0-9]+>", callback=lambda key: mounted_view())
    app.mount("/mounted/", inner)
    return app


bottle_app = miharu.MiharuWsgiMiddleware(_bottle())

# --- Pyramid


def _pyramid() -> Any:
    views: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "view": ("/view/{place}/{key}", lambda it: PyramidResponse(viewed(it.matchdict["place"]))),
        "mounted": (r"/mounted/{key:\d{1,9}}", lambda _: PyramidResponse(mounted_view())),
        "before": ("/before/{key}", lambda it: ask_before(it.path) or PyramidResponse("ok")),
        "stream": ("/stream/{key}", lambda _: PyramidResponse(app_iter=chunks())),
    }
    with Configurator() as config:
        for name, (route, view) in views.items():
            config.add_route(name, route)
            config.add_view(view, route_name=name)
        return config.make_wsgi_app()


pyramid_app = miharu.MiharuWsgiMiddleware(_pyramid())

# --- Falcon


class View:
    def on_get(self, _: Any, response: Any, key: int, place: str = "") -> None:
        if place:
            VIEWS[place](place)


class Stream:
    def on_get(self, _: Any, response: Any, key: int) -> None:
        response.stream = chunks()


class Mounted:
    def on_get(self, _: Any, response: Any, key: int) -> None:
        ask("mounted")


class Before:
    def process_request(self, request: Any, _: Any) -> None:
        ask_before(request.path)


def _falcon() -> Any:
    app = falcon.App(middleware=[Before()])
    app.add_route("/view/{place}/{key:int}", View())
    app.add_route("/before/{key}", View())
    app.add_route("/mounted/{key:int(min=1)}", Mounted())
    app.add_route("/stream/{key}", Stream())
    return app


falcon_app = miharu.MiharuWsgiMiddleware(_falcon())

# --- a framework that nobody knows, and others below a dispatcher


def unknown_framework(environ: dict[str, Any], start_response: Any) -> Any:
    _, what, *rest = environ["PATH_INFO"].split("/")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if what == "stream":
        return chunks()
    if what == "view":
        VIEWS[rest[0]](rest[0])
    else:
        ask(what)
    return [b"ok"]


unknown = miharu.MiharuWsgiMiddleware(unknown_framework)
dispatched = miharu.MiharuWsgiMiddleware(
    DispatcherMiddleware(
        unknown_framework,
        {"/flask": _flask(), "/django": get_wsgi_application(), "/bottle": _bottle(), "/falcon": _falcon()},
    )
)
