"""Stands around a host that is called by WSGI, and tells at ``/facts`` what the dashboard has done to it."""

import json
from collections.abc import Iterable
from typing import Any

import miharu
from tests.doors.witness import loggers

__all__ = ("Inside", "Outside")

_changed: list[str] = []
_AS_SENT = "tests.as_sent"


class Outside:
    """The whole app as the server sees it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loggers: dict[str, str] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._loggers is None:
            self._loggers = loggers()
        if environ["PATH_INFO"].endswith("/facts"):
            body = json.dumps(self._facts()).encode()
            start_response(
                "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            )
            return [body]
        environ[_AS_SENT] = dict(environ) | {"start_response": start_response}
        answered: Iterable[bytes] = self._app(environ, start_response)
        return answered

    def _facts(self) -> dict[str, Any]:
        before, now = self._loggers or {}, loggers()
        return {
            "scopes": _changed,
            "loggers": [name for name, state in before.items() if now[name] != state],
            "errors": miharu.stats()["errors"],
        }


class Inside:
    """The host, behind the middleware: what it is given is what the server has given."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        sent = environ.pop(_AS_SENT)
        if sent.pop("start_response") is not start_response or environ.keys() != sent.keys():
            _changed.append(environ["PATH_INFO"])
        elif changed := [name for name, value in sent.items() if environ[name] is not value]:
            _changed.append(f"{environ['PATH_INFO']}: {changed}")
        answered: Iterable[bytes] = self._app(environ, start_response)
        return answered
