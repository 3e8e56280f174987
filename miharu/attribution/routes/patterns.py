"""Routes as each framework writes them, written in one way: ``/chat/{thread_id}``."""

import re
import sys
from collections.abc import Iterator

__all__ = ("asked_of_django", "collapsed", "inside", "of_bottle", "of_braces", "of_werkzeug", "without_regex")

_DEEPEST = 20
"""How many middlewares a framework's app may be wrapped in."""


def inside(*apps: object) -> Iterator[object]:
    """Each app, and the apps that its middlewares are wrapped around."""
    for outer in apps:
        app = outer
        for _ in range(_DEEPEST):
            if app is None:
                break
            yield app
            # A bound method, such as ``app.asgi_app`` of Quart, belongs to its app.
            names = ("__self__", "app", "_app", "asgi_app", "application", "wsgi_app")
            app = next((found for name in names if (found := getattr(app, name, None)) is not None), None)


def of_werkzeug(rule: str) -> str:
    """Flask's and Quart's: ``/chat/<int:key>``."""
    return re.sub(r"<(?:[^<>:]*:)?(\w+)>", r"{\1}", rule)


def of_braces(route: str) -> str:
    """Falcon's and Pyramid's: ``/chat/{key:int}``, ``/chat/{key:[a-f]{4}}``, ``/files/*rest``."""
    route = re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", route)
    return re.sub(r"\*(\w+)$", r"{\1}", route)


def of_bottle(rule: str) -> str:
    """Bottle's: ``/chat/<key:int>``, and in its old way ``/chat/:key``."""
    return _BOTTLES.sub(lambda found: f"{{{found['name'] or found['old'] or ''}}}", rule)


_BOTTLES = re.compile(
    r"<(?P<name>\w*)(?::[a-zA-Z_]*(?::(?:\\.|[^\\>])+)?)?>|:(?P<old>[a-zA-Z_]\w*)(?:#.*?#)?"
)


def asked_of_django(path: str) -> str:
    """What Django's own routing says of a path.

    Raises:
        Exception: It has no such path, as Django itself says it.
    """
    return "/" + without_regex(sys.modules["django.urls"].resolve(path).route)


def without_regex(route: str) -> str:
    """Django's route, which may be a regular expression in part, with the names of what it looks for."""
    written, rest = "", route
    while found := _MARK.search(rest):
        written, mark, rest = written + rest[: found.start()], found[0], rest[found.end() :]
        if mark.startswith("("):
            inner, rest = _group(rest)
            written += without_regex(inner) if mark == "(?:" else f"{{{found[1] or ''}}}"
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


def collapsed(path: str) -> str:
    """A path whose ids are left out: routes are few, paths are not."""
    return "/".join("{}" if _ID.fullmatch(part) else part for part in path.split("/"))[:200]
