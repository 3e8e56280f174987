"""A request of WSGI as a scope of ASGI: what attribution and the dashboard know of a request.

PEP 3333: every string is bytes, each written as one letter; the headers' names are in capitals, with
underscores, so that ``X-Real-IP`` and ``X_Real_IP`` are the same.
"""

from collections.abc import Mapping
from typing import Any

from miharu.attribution.routes.wsgi import ENVIRON

__all__ = ("scope_of",)

_ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound: a server may take its name from the request
_A_TEST = {"client": ("testclient", 50000), "server": ("testserver", 80)}


def scope_of(environ: Mapping[str, Any]) -> dict[str, Any]:
    """The scope, with the environ itself in it."""
    root, path = _text(environ.get("SCRIPT_NAME", "")).rstrip("/"), _text(environ.get("PATH_INFO", ""))
    scope = {
        "type": "http",
        "http_version": str(environ.get("SERVER_PROTOCOL", "HTTP/1.1")).partition("/")[2],
        "method": environ.get("REQUEST_METHOD", "GET"),
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root,
        "path": root + path,
        "query_string": str(environ.get("QUERY_STRING", "")).encode("latin-1", "replace"),
        "headers": _headers(environ),
        ENVIRON: environ,
    }
    return scope | (_A_TEST if _is_a_test(environ) else _ends(environ))


def _text(native: str) -> str:
    return native if native.isascii() else native.encode("latin-1", "replace").decode(errors="replace")


def _headers(environ: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (name[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    ]


def _ends(environ: Mapping[str, Any]) -> dict[str, Any]:
    """The two ends of the connection; many servers do not say from which port a visitor comes."""
    address, port = environ.get("REMOTE_ADDR"), str(environ.get("SERVER_PORT", ""))
    return {
        "client": (address, environ.get("REMOTE_PORT") or None) if address else None,
        "server": (_ANYWHERE, int(port) if port.isdecimal() else None),
    }


def _is_a_test(environ: Mapping[str, Any]) -> bool:
    """Whether Flask's or WebTest's client calls: they leave what no request can bring along.

    The debugger of a real server leaves Flask's mark as well; but a server says who it is.
    """
    if "SERVER_SOFTWARE" in environ or "REMOTE_PORT" in environ:
        return False
    return "werkzeug.debug.preserve_context" in environ or environ.get("paste.testing") is True
