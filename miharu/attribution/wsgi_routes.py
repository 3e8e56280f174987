"""The same for WSGI: what frameworks leave in the environ, or say of a path when they are asked once more.

Flask and Bottle leave the route that has matched. Django, Pyramid and Falcon keep it to themselves, so their
own routing is asked, in the recorder. A server may empty the environ when the request has ended, so what
stands in it is noted before (``settle``).
"""

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from miharu.attribution.route_patterns import (
    asked_of_django,
    collapsed,
    inside,
    of_bottle,
    of_braces,
    of_werkzeug,
)

__all__ = ("ENVIRON", "is_wsgi", "settle", "wsgi_template")

ENVIRON = "wsgi.environ"
"""The key of a WSGI request's environ in the scope that is made of it, until the request has ended."""
_ROUTED = "wsgi.routed"


def is_wsgi(scope: Mapping[str, Any]) -> bool:
    """Whether the scope was made of a WSGI request."""
    return ENVIRON in scope or _ROUTED in scope


def settle(scope: MutableMapping[str, Any]) -> None:
    """Note what routing has left in the environ, and let go of it: the request has ended."""
    environ = scope.get(ENVIRON)
    if environ is not None:
        scope[_ROUTED] = _routed(environ)
        del scope[ENVIRON]


def wsgi_template(scope: Mapping[str, Any], app: object) -> str:
    """The template of the route that matched, mounts included and the server's own prefix left out.

    Args:
        scope: Made of the request.
        app: What answered it, with or without middlewares around it.
    """
    environ = scope.get(ENVIRON)
    routed = None if environ is None else _routed(environ)
    routed = scope.get(_ROUTED, routed)  # it may have ended while the environ was read
    script, path, flask, bottle = routed or (None, None, None, None)
    root = str(scope.get("root_path") or "")
    mount = script.removeprefix(root) if isinstance(script, str) else ""
    template = None
    if isinstance(flask, str):
        template = of_werkzeug(flask)
    elif isinstance(bottle, str):
        template = of_bottle(bottle)
    elif isinstance(path, str):
        template = _asked_again(app, mount, path or "/", str(scope.get("method") or "GET"))
    if template is not None:
        return mount + template
    return collapsed(str(scope.get("path") or "").removeprefix(root) or "/")


def _routed(environ: Mapping[str, Any]) -> tuple[str | None, str | None, str | None, str | None]:
    """Where the app that answers is mounted, the path below it, and the rule of Flask's or of Bottle's."""
    request, route = environ.get("werkzeug.request"), environ.get("bottle.route")
    return (
        _text(environ.get("SCRIPT_NAME")),
        _text(environ.get("PATH_INFO")),
        getattr(getattr(request, "url_rule", None), "rule", None),
        getattr(route, "rule", None),
    )


def _text(native: object) -> str | None:
    """WSGI's strings are bytes, each written as one letter; Bottle leaves a path that is decoded already."""
    if not isinstance(native, str):
        return None
    try:
        return native.encode("latin-1").decode(errors="replace")
    except UnicodeEncodeError:
        return native


def _asked_again(app: object, mount: str, path: str, method: str) -> str | None:
    for candidate in _candidates(app, mount):
        # Where the path is wrong, the framework itself has told the visitor.
        with suppress(Exception):
            for name, ask in _FRAMEWORKS:
                if name in sys.modules and (found := ask(candidate, path, method)):
                    return found
    return None


def _candidates(app: object, mount: str) -> Iterator[object]:
    for candidate in inside(app):
        yield candidate
        mounts = getattr(candidate, "mounts", None)  # of werkzeug's DispatcherMiddleware
        if mount and isinstance(mounts, Mapping) and mount in mounts:
            yield from inside(mounts[mount])
            return


def _of_django(candidate: Any, path: str, _: str) -> str | None:
    handler = sys.modules["django.core.handlers.wsgi"].WSGIHandler
    return asked_of_django(path) if isinstance(candidate, handler) else None


def _of_pyramid(candidate: Any, path: str, method: str) -> str | None:
    if not isinstance(candidate, sys.modules["pyramid.router"].Router):
        return None
    request = sys.modules["pyramid.request"].Request.blank(path, method=method)
    route = candidate.routes_mapper(request)["route"]
    return None if route is None else of_braces(route.pattern)


def _of_falcon(candidate: Any, path: str, _: str) -> str | None:
    if not isinstance(candidate, sys.modules["falcon"].App):
        return None
    found = candidate._router.find(path)  # noqa: SLF001 - it has no other; each step is guarded
    return of_braces(found[3]) if found else None


_FRAMEWORKS = (
    ("django.core.handlers.wsgi", _of_django),
    ("pyramid.request", _of_pyramid),
    ("falcon", _of_falcon),
)
"""The module that a program with it has loaded, and how it is asked."""
