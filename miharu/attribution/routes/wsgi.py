"""The same for WSGI: what frameworks leave in the environ, or say of a path when they are asked once more.

Bottle leaves the route that has matched. Flask takes it away again at the end of the request; Django, Pyramid
and Falcon keep it to themselves: their own routing is asked, in the recorder. A server may empty the environ
when the request has ended, so what stands in it is noted before (``settle``).
"""

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, NamedTuple

from miharu.attribution.routes.patterns import (
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
    script, path, bottle = routed or (None, None, None)
    root = str(scope.get("root_path") or "")
    mount = script.removeprefix(root) if isinstance(script, str) else ""
    template = None
    if isinstance(bottle, str):
        template = of_bottle(bottle)
    elif isinstance(path, str):
        template = _asked_again(app, mount, _Asked(path or "/", str(scope.get("method") or "GET"), scope))
    if template is not None:
        return mount + template
    return collapsed(str(scope.get("path") or "").removeprefix(root) or "/")


class _Asked(NamedTuple):
    """What a framework is asked."""

    path: str
    method: str
    scope: Mapping[str, Any]


def _routed(environ: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Where the app that answers is mounted, the path below it, and the rule of Bottle's."""
    rule = getattr(environ.get("bottle.route"), "rule", None)
    return _text(environ.get("SCRIPT_NAME")), _text(environ.get("PATH_INFO")), rule


def _text(native: object) -> str | None:
    """WSGI's strings are bytes, each written as one letter; Bottle leaves a path that is decoded already."""
    if not isinstance(native, str):
        return None
    try:
        return native.encode("latin-1").decode(errors="replace")
    except UnicodeEncodeError:
        return native


def _asked_again(app: object, mount: str, asked: _Asked) -> str | None:
    for candidate in _candidates(app, mount):
        # Where the path is wrong, the framework itself has told the visitor.
        with suppress(Exception):
            for name, ask in _FRAMEWORKS:
                if name in sys.modules and (found := ask(candidate, asked)):
                    return found
    return None


def _candidates(app: object, mount: str) -> Iterator[object]:
    for candidate in inside(app):
        yield candidate
        mounts = getattr(candidate, "mounts", None)  # of werkzeug's DispatcherMiddleware
        if mount and isinstance(mounts, Mapping) and mount in mounts:
            yield from inside(mounts[mount])
            return


def _of_flask(candidate: Any, asked: _Asked) -> str | None:
    if not isinstance(candidate, sys.modules["flask"].Flask):
        return None
    hosts = [value.decode("latin-1") for name, value in asked.scope.get("headers") or () if name == b"host"]
    adapter = candidate.url_map.bind(hosts[0] if hosts else "localhost", url_scheme=asked.scope.get("scheme"))
    return of_werkzeug(adapter.match(asked.path, method=asked.method, return_rule=True)[0].rule)


def _of_django(candidate: Any, asked: _Asked) -> str | None:
    handler = sys.modules["django.core.handlers.wsgi"].WSGIHandler
    return asked_of_django(asked.path) if isinstance(candidate, handler) else None


def _of_pyramid(candidate: Any, asked: _Asked) -> str | None:
    if not isinstance(candidate, sys.modules["pyramid.router"].Router):
        return None
    request = sys.modules["pyramid.request"].Request.blank(asked.path, method=asked.method)
    route = candidate.routes_mapper(request)["route"]
    return None if route is None else of_braces(route.pattern)


def _of_falcon(candidate: Any, asked: _Asked) -> str | None:
    if not isinstance(candidate, sys.modules["falcon"].App):
        return None
    found = candidate._router.find(asked.path)  # noqa: SLF001 - it has no other; each step is guarded
    return of_braces(found[3]) if found else None


_FRAMEWORKS = (
    ("flask", _of_flask),
    ("django.core.handlers.wsgi", _of_django),
    ("pyramid.request", _of_pyramid),
    ("falcon", _of_falcon),
)
"""The module that a program with it has loaded, and how it is asked."""
