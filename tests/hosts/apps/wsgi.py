"""A WSGI app that asks with each request, and once when it is loaded."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.hosts.apps.asking import ask

ask("when loaded")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    pid = ask(environ["PATH_INFO"])
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(pid).encode()]
