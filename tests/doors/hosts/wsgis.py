"""The same small app in the frameworks of WSGI, each with the dashboard in it.

``/stream`` waits for the file that ``/release`` makes: a server may have several processes.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bottle
import django
import falcon
from django.conf import settings
from flask import Flask, Response
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import miharu
from tests.doors.wsgi_witness import Inside, Outside

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="any", MIDDLEWARE=[])
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - the settings come first
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

miharu.init()
released = Path(f"{os.environ['MIHARU_DATABASE_URL']}.released-{os.environ.get('RUN', '')}")
TEXT = "text/plain"


def lines() -> Iterator[bytes]:
    yield b"one\n"
    until = time.monotonic() + 20
    while not released.exists() and time.monotonic() < until:
        time.sleep(0.01)
    yield b"two\n"


def release() -> str:
    released.touch()
    return "released"


def within(app: Any, path: str = "/miharu") -> Any:
    return miharu.MiharuWsgiMiddleware(Inside(app), path=path)


def flask_app() -> Any:
    app = Flask(__name__)
    app.get("/hello")(lambda: "hello")
    app.get("/stream", endpoint="stream")(lambda: Response(lines(), mimetype=TEXT))
    app.get("/release", endpoint="release")(release)
    return app


def _flask() -> Any:
    app = flask_app()
    app.wsgi_app = Outside(within(app.wsgi_app))
    return app


def _bottle() -> Any:
    app = bottle.Bottle()
    app.get("/hello", callback=lambda: "hello")
    app.get("/stream", callback=lines)
    app.get("/release", callback=release)
    return app


def _pyramid() -> Any:
    with Configurator() as config:
        for name, view in {
            "hello": lambda _: PyramidResponse("hello"),
            "stream": lambda _: PyramidResponse(app_iter=lines(), content_type=TEXT),
            "release": lambda _: PyramidResponse(release()),
        }.items():
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name)
        return config.make_wsgi_app()


class Resource:
    def __init__(self, fill: Any) -> None:
        self._fill = fill

    def on_get(self, _: Any, response: Any) -> None:
        response.content_type = TEXT
        self._fill(response)


def _falcon() -> Any:
    app = falcon.App()
    app.add_route("/hello", Resource(lambda response: setattr(response, "text", "hello")))
    app.add_route("/stream", Resource(lambda response: setattr(response, "stream", lines())))
    app.add_route("/release", Resource(lambda response: setattr(response, "text", release())))
    return app


def host(environ: dict[str, Any], start_response: Any) -> Any:
    name = environ["PATH_INFO"].rpartition("/")[2]
    known = name in {"hello", "stream", "release"}
    start_response("200 OK" if known else "404 Not Found", [("Content-Type", TEXT)])
    if name == "stream":
        return lines()
    return [release().encode() if name == "release" else name.encode()]


urlpatterns = [
    path("hello", lambda _: HttpResponse("hello")),
    path("stream", lambda _: StreamingHttpResponse(lines())),
    path("release", lambda _: HttpResponse(release())),
]
WSGI_APPLICATION = f"{__name__}.django_app"

flask = _flask()
flask_mounted = Outside(within(DispatcherMiddleware(flask_app().wsgi_app, {"/other": host})))
django_app = Outside(within(get_wsgi_application()))
bottle_app = Outside(within(_bottle()))
pyramid_app = Outside(within(_pyramid()))
falcon_app = Outside(within(_falcon()))
plain = Outside(within(host, "/_ops/llm"))
