"""Which route of the host's app a request belongs to, as a template such as ``/chat/{thread_id}``.

Starlette, FastAPI and Litestar leave it in the scope. Quart and Django keep it to themselves, so their own
routing is asked once more, where the program has loaded them. It runs in the worker, after the request has
been routed; nothing of the host's is imported or changed.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

__all__ = ("route_template",)

_DEEPEST = 20
"""How many middlewares a framework's app may be wrapped in."""


def route_template(scope: Mapping[str, Any], app: object = None) -> str | None:
    """The template of the route that matched, mounts included and the server's own prefix left out.

    Where no framework has one, it is the path with its ids collapsed, such as ``/chat/{}``: routes are few,
    paths are not.

    Args:
        scope: The request's ASGI scope, as the host has left it.
        app: What answered it, with or without middlewares around it.
    """
    told = scope.get("path_template")  # Litestar
    if isinstance(told, str) and told:
        return told
    template = _matched(scope)
    if template is None:
        template = _asked_again(scope, app)
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


def _asked_again(scope: Mapping[str, Any], app: object) -> str | None:
    """What a framework's own routing says of the path, where it leaves no trace in the scope."""
    quart, django = "quart" in sys.modules, sys.modules.get("django.core.handlers.asgi")
    if not quart and django is None:
        return None
    root = str(scope.get("root_path") or "")
    path = str(scope.get("path") or "").removeprefix(root.rstrip("/")) or "/"
    for candidate in _inside(scope.get("endpoint"), app):  # the endpoint of a mount is the app that it mounts
        # Where the path is wrong, the framework itself has told the visitor.
        with suppress(Exception):
            if quart and hasattr(candidate, "url_map") and hasattr(candidate, "asgi_app"):
                return _of_werkzeug(candidate.url_map, scope, root, path)
            if django is not None and isinstance(candidate, django.ASGIHandler):
                return _of_django(path)
    return None


def _inside(*apps: object) -> Iterator[object]:
    """Each app, and the apps that its middlewares are wrapped around."""
    for outer in apps:
        app = outer
        for _ in range(_DEEPEST):
            if app is None:
                break
            yield app
            # A bound method, such as ``app.asgi_app`` of Quart, belongs to its app.
            names = ("__self__", "app", "_app", "asgi_app", "application")
            app = next((found for name in names if (found := getattr(app, name, None)) is not None), None)


def _of_werkzeug(url_map: Any, scope: Mapping[str, Any], root: str, path: str) -> str:
    hosts = [value.decode("latin-1") for name, value in scope.get("headers") or () if name.lower() == b"host"]
    socket = scope.get("type") == "websocket"
    adapter = url_map.bind(
        hosts[0] if hosts else "localhost",
        script_name=root or "/",
        url_scheme=scope.get("scheme") or ("ws" if socket else "http"),
    )
    rule, _ = adapter.match(path, method=scope.get("method"), return_rule=True, websocket=socket)
    return re.sub(r"<(?:[^<>:]*:)?(\w+)>", r"{\1}", rule.rule)


def _of_django(path: str) -> str:
    return "/" + _without_regex(sys.modules["django.urls"].resolve(path).route)


def _without_regex(route: str) -> str:
    """Django's route, which may be a regular expression in part, with the names of what it looks for."""
    written, rest = "", route
    while found := _MARK.search(rest):
        written, mark, rest = written + rest[: found.start()], found[0], rest[found.end() :]
        if mark.startswith("("):
            inner, rest = _group(rest)
            written += _without_regex(inner) if mark == "(?:" else f"{{{found[1] or ''}}}"
        elif mark.startswith("<"):
            written += f"{{{found[2]}}}"
        elif mark.startswith("\\"):
            written += "" if mark[1].isalnum() else mark[1]
    return written + rest


_MARK = re.compile(r"\(\?P<(\w+)>|\(\?:|\(|<(?:\w+:)?(\w+)>|\\.|[\^$?*+]")


def _group(rest: str) -> tuple[str, str]:
    """What stands before the parenthesis that closes a group, and what after it."""
    depth = 1
    for found in re.finditer(r"\\.|[()]", rest):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return rest[: found.start()], rest[found.end() :]
    return rest, ""


_ID = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=.*\d)[0-9a-f]{8,}|(?=.*\d)[\w.~=-]{16,}|[^/]*@[^/]*", re.IGNORECASE
)


def _collapsed(path: str) -> str:
    return "/".join("{}" if _ID.fullmatch(part) else part for part in path.split("/"))[:200]
