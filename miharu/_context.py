"""To whom a call belongs: the web request during which it was made.

The middleware sets it, the interceptor takes a reference, the worker reads it: nothing is computed on the
caller's path. ``asyncio`` tasks, thread pools of anyio and background tasks inherit it by themselves.
"""

import re
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = ("Context", "current", "request_context", "route_template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known at the moment of a call."""

    scope: MutableMapping[str, Any] | None = None
    """The host's own ASGI scope; routing fills it in after the middleware has passed it on."""

    def route(self) -> str | None:
        """Method and route template, such as ``POST /chat/{thread_id}``; ``None`` outside a request."""
        if self.scope is None:
            return None
        template = route_template(self.scope)
        method = self.scope.get("method", "")
        return f"{method} {template}".strip() if template else None

    def host_request_id(self) -> str | None:
        """The id that a proxy or the host gave the request, from ``X-Request-ID``."""
        for name, value in (self.scope or {}).get("headers") or ():
            if name.lower() == b"x-request-id":
                return str(value.decode("latin-1"))[:200]
        return None


request_context: ContextVar[Context | None] = ContextVar("miharu_request", default=None)


def current() -> Context | None:
    """What a call made here and now belongs to."""
    return request_context.get()


def route_template(scope: Mapping[str, Any]) -> str | None:
    """The template of the route that matched, mounts included and the server's own prefix left out.

    Where no framework left one, it is the path with its ids collapsed, such as ``/chat/{}``: routes are few,
    paths are not.
    """
    told = scope.get("path_template")  # Litestar
    if isinstance(told, str) and told:
        return told
    template = _matched(scope)
    if template is not None:
        return _mount(scope, template) + template
    path = scope.get("path")
    return _collapsed(path.removeprefix(_server_prefix(scope)) or "/") if isinstance(path, str) else None


def _matched(scope: Mapping[str, Any]) -> str | None:
    """What Starlette's or FastAPI's route knows of its own path, below the last mount.

    FastAPI keeps the prefixes of included routers only in ``effective_route_context`` (a private key, so each
    step is guarded); it outlives its route when that was a mount, so it counts for that route alone.
    """
    route, effective = scope.get("route"), None
    ours = scope.get("fastapi")
    if isinstance(ours, Mapping):
        effective = ours.get("effective_route_context")
    if route is not None and getattr(effective, "original_route", route) is not route:
        effective = None
    for candidate in (getattr(effective, "starlette_route", None), effective, route):
        template = getattr(candidate, "path_format", None)
        if isinstance(template, str) and template and not hasattr(candidate, "routes"):  # a mount has routes
            return template
    return None


def _mount(scope: Mapping[str, Any], template: str) -> str:
    """The mounts above the route: what they have added to ``root_path``, their parameters by name again."""
    if "app_root_path" not in scope:  # nothing has been mounted; root_path is the server's
        return ""
    mount = str(scope.get("root_path") or "").removeprefix(_server_prefix(scope))
    for name, value in (scope.get("path_params") or {}).items():
        if f"{{{name}}}" not in template and isinstance(value, str) and value:
            mount = "/".join(f"{{{name}}}" if part == value else part for part in mount.split("/"))
    return mount


def _server_prefix(scope: Mapping[str, Any]) -> str:
    return str(scope.get("app_root_path", scope.get("root_path")) or "").rstrip("/")


_ID = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=.*\d)[0-9a-f]{8,}|(?=.*\d)[\w.~=-]{16,}|[^/]*@[^/]*", re.IGNORECASE
)


def _collapsed(path: str) -> str:
    return "/".join("{}" if _ID.fullmatch(part) else part for part in path.split("/"))[:200]
