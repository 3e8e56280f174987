"""Whether a visitor within this machine is a process of another user.

A visitor from a loopback address may be another user of the machine, or a reverse proxy that has an account
of its own and says nothing of its visitors. On Linux the kernel tells whose a socket is; where it does not,
nothing is concluded.
"""

import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from miharu.dashboard.access.socket_owners import (
    End,
    owner_by_netlink,
    owners_by_tables,
    owners_of_visitors,
)

__all__ = ("is_strangers",)

_ROOT = 0
"""Root can read the database anyway, and root's process relays a Windows browser into WSL."""


def is_strangers(
    scope: Mapping[str, Any],
    ask: Callable[[End, End], int | None] = owner_by_netlink,
    look_up: Callable[[End, int], set[int]] = owners_by_tables,
    environ: Mapping[str, str] = os.environ,
    look_at_all: Callable[[int], set[int]] = owners_of_visitors,
) -> bool:
    """Whether another user's process is asking.

    Where the server does not say from which port the visitor comes, as some of WSGI do not, any process of
    another user that is connected may be the one. May read files of the kernel: not for an event loop.
    """
    if not hasattr(os, "geteuid"):
        return False
    client = scope.get("client")
    far, near = _end(client), _end(scope.get("server"))
    port = near.port if near else _port(scope.get("server"))
    if port is not None and client and tuple(client)[1:] == (None,):
        return bool(look_at_all(port) - _allowed(os.geteuid(), environ))
    if far is None or port is None:
        return False
    owners = next(
        ({owner} for end in _nearby(far, near, port) if (owner := ask(far, end)) is not None), None
    ) or look_up(far, port)
    return bool(owners) and not owners & _allowed(os.geteuid(), environ)


def _allowed(user: int, environ: Mapping[str, str]) -> set[int]:
    """This process's own user, root, and the user who has started it by sudo."""
    behind = environ.get("SUDO_UID", "")
    return {user, _ROOT, *([int(behind)] if user == _ROOT and behind.isdecimal() else [])}


def _nearby(far: End, near: End | None, port: int) -> Iterator[End]:
    """Our end of the connection: a server may name the address it listens at, such as 0.0.0.0, or a name."""
    loopback = ipaddress.ip_address("127.0.0.1" if far.ip.version == 4 else "::1")
    ends = ([near] if near else []) + [End(loopback, port), End(far.ip, port)]
    yield from dict.fromkeys(ends)


def _end(given: Any) -> End | None:
    """The end of a connection in an ASGI scope; granian writes ports as text."""
    port = _port(given)
    try:
        ip = ipaddress.ip_address(given[0])
    except (TypeError, ValueError, LookupError):  # a test client's, a socket's path, or nothing
        return None
    return None if port is None else End(getattr(ip, "ipv4_mapped", None) or ip, port)


def _port(given: Any) -> int | None:
    try:
        port = int(given[1])
    except (TypeError, ValueError, LookupError):
        return None
    return port if 0 < port < 1 << 16 else None
