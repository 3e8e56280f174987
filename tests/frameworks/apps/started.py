"""An app that starts miharu while it is loaded, which uWSGI does before it forks its workers."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import miharu
from tests.frameworks.model import ask

miharu.init()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    ask("started")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
