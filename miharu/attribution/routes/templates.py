"""Which route of the host's app a request belongs to, as a template such as ``/chat/{thread_id}``.

Starlette, FastAPI and Litestar leave it in the scope. Quart and Django keep it to themselves, so their own
routing is asked once more, where the program has loaded them. It runs in the worker, after the request has
been routed; nothing of the host's is imported or changed.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from miharu.attribution.routes.patterns import asked_of_django, collapsed, inside, of_werkzeug
from miharu.attribution.routes.wsgi import is_wsgi, wsgi_template

__all__ = ("route_template",)


def route_template(scope: Mapping[str, Any], app: object = None) -> str | None:
    """The template of the route that matched, mounts included and the server's own prefix left out.

    Where no framework has one, it is the path with its ids collapsed, such as ``/chat/{}``: routes are few,
    paths are not.

    Args:
        scope: The request's ASGI scope, as the host has left it, or one that was made of a WSGI request.
        app: What answered it, with or without middlewares around it.
    """
    if is_wsgi(scope):
        return wsgi_template(scope, app)
    told = scope.get("path_template")  # Litestar
    if isinstance(told, str) and told:
        return told
    template = _matched(scope)
    if template is None:
        template = _asked_again(scope, app)
    if template is not None:
        return _mount(scope, template) + template
    path = scope.get("path")
    return collapsed(path.removeprefix(_server_prefix(scope)) or "/") if isinstance(path, str) else None


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


def _asked_again(scope: Mapping[str, Any], app: object) -> str | None:
    """What a framework's own routing says of the path, where it leaves no trace in the scope."""
    quart, django = "quart" in sys.modules, sys.modules.get("django.core.handlers.asgi")
    if not quart and django is None:
        return None
    root = str(scope.get("root_path") or "")
    path = str(scope.get("path") or "").removeprefix(root.rstrip("/")) or "/"
    for candidate in inside(scope.get("endpoint"), app):  # the endpoint of a mount is the app that it mounts
        # Where the path is wrong, the framework itself has told the visitor.
        with suppress(Exception):
            if quart and hasattr(candidate, "url_map") and hasattr(candidate, "asgi_app"):
                return _of_werkzeug(candidate.url_map, scope, root, path)
            if django is not None and isinstance(candidate, django.ASGIHandler):
                return asked_of_django(path)
    return None


def _of_werkzeug(url_map: Any, scope: Mapping[str, Any], root: str, path: str) -> str:
    hosts = [value.decode("latin-1") for name, value in scope.get("headers") or () if name.lower() == b"host"]
    socket = scope.get("type") == "websocket"
    adapter = url_map.bind(
        hosts[0] if hosts else "localhost",
        script_name=root or "/",
        url_scheme=scope.get("scheme") or ("ws" if socket else "http"),
    )
    rule, _ = adapter.match(path, method=scope.get("method"), return_rule=True, websocket=socket)
    return of_werkzeug(rule.rule)
