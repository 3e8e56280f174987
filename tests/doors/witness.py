"""Stands around a host and around its door, and tells at ``/facts`` what the dashboard has done to either."""

import copy
import json
import logging
from collections.abc import MutableMapping
from typing import Any

import miharu
from miharu import MiharuMiddleware

__all__ = ("Inside", "Middleware", "Outside", "loggers")

_scopes_changed: list[str] = []
_HOSTS = ("state", "headers")
"""In ``state`` Litestar notes what it sends; headers are compared by themselves."""


class Outside:
    """The whole app as the server sees it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loggers: dict[str, str] | None = None
        self._lifespan: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._overhear(send))
            return
        if self._loggers is None:
            self._loggers = loggers()
        if scope["type"] == "http" and scope["path"].endswith("/facts"):
            await _send_json(send, self._facts())
            return
        await self._app(scope, receive, send)

    def _overhear(self, send: Any) -> Any:
        async def overheard(message: MutableMapping[str, Any]) -> None:
            self._lifespan.append(message["type"])
            await send(message)

        return overheard

    def _facts(self) -> dict[str, Any]:
        before, now = self._loggers or {}, loggers()
        return {
            "lifespan": self._lifespan,
            "scopes": _scopes_changed,
            "loggers": [name for name, state in before.items() if now[name] != state],
            "errors": miharu.stats()["errors"],
        }


class Inside:
    """The door as the host sees it; ``below`` is where it answers itself."""

    def __init__(self, door: Any, below: str = "") -> None:
        self._door, self._below = door, below

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._below not in scope["path"]:
            await self._door(scope, receive, send)
            return
        before, values = (
            list(scope),
            {name: repr(value) for name, value in scope.items() if name not in _HOSTS},
        )
        headers = copy.deepcopy(scope["headers"])
        await self._door(scope, receive, send)
        if list(scope) != before or headers != scope["headers"]:
            _scopes_changed.append(scope["path"])
        elif changed := [name for name, value in values.items() if repr(scope[name]) != value]:
            _scopes_changed.append(f"{scope['path']}: {changed}")


class Middleware(Inside):
    """``MiharuMiddleware``, watched."""

    def __init__(self, app: Any, path: str = "/miharu") -> None:
        super().__init__(MiharuMiddleware(app, path=path), path)


def loggers() -> dict[str, str]:
    """How each logger is set up, the root first."""
    found = {"root": logging.getLogger()} | {
        name: logger
        for name, logger in logging.Logger.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    return {
        name: repr([logger.level, logger.handlers, logger.filters, logger.propagate, logger.disabled])
        for name, logger in found.items()
    }


async def _send_json(send: Any, facts: object) -> None:
    body = json.dumps(facts).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
