"""Which requests a test client makes: it calls the application itself, and no socket lies between."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from miharu.dashboard.access.names import name_of

__all__ = ("is_test_client", "is_test_name")

_CLIENTS = {
    ("testclient", 50000),  # starlette.testclient and litestar.testing
    ("127.0.0.1", 123),  # httpx.ASGITransport
}
_NAMES = {"testserver", "testserver.local"}
"""The default host names of test clients; a network may resolve either to any machine."""
_DEBUGGING = "http.response.debug"
"""An extension that Starlette's test client offers and no server does."""


def is_test_client(scope: Mapping[str, Any]) -> bool:
    """Whether the request came over no socket, by facts that its sender cannot set.

    Behind a server that believes ``X-Forwarded-For``, a visitor chooses the ``client`` of the scope, port and
    all. But ``server`` is the address of the server's own socket; a test client has a name there.
    """
    client = scope.get("client")
    if not isinstance(client, list | tuple) or tuple(client) not in _CLIENTS:
        return False
    return not _is_address(scope.get("server")) or _DEBUGGING in (scope.get("extensions") or {})


def is_test_name(host: str) -> bool:
    """Whether test clients ask by that name, with its port or without."""
    return name_of(host).lower() in _NAMES


def _is_address(server: Any) -> bool:
    """Whether that is the address of a socket; a server that gives none has one too."""
    if not isinstance(server, list | tuple) or not server:
        return True
    host = str(server[0])
    if host.startswith(("/", "@", "\0", "unix:")):
        return True
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
