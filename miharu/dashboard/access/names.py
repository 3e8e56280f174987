"""The names by which a dashboard is asked for.

A stranger can give a name of his own the address of this machine, and his page in a visitor's browser then
asks for it (DNS rebinding). But it can ask by no other name than that.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping

from miharu.errors import ConfigError

__all__ = ("Hosts", "hosts_from", "is_local", "is_loopback", "may_be_rebound", "name_of")

_LOCAL = re.compile(r"localhost|127\.0\.0\.1|\[::1\]|([a-z0-9_-]+\.)+localhost", re.IGNORECASE)
_NAME = re.compile(r"\.?([a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)
_PORT = re.compile(r":\d{1,5}\Z")
_UNREGISTERED = ("local", "internal", "lan", "home", "corp", "intranet", "test", "localdomain", "home.arpa")
"""Ends of names that cannot be registered, so that no stranger's page has one."""


class Hosts:
    """Names besides the local ones; with a dot in front, also all names below it.

    Raises:
        ConfigError: One is not a name: it has a scheme, a path or a port.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        if isinstance(names, str | bytes) or not isinstance(names, Iterable):
            raise ConfigError(f"allowed_hosts={names!r}: give a list of names, such as ['llm.example'].")
        self._names = tuple(map(_checked, names))

    def __bool__(self) -> bool:
        return bool(self._names)

    def __contains__(self, host: str) -> bool:
        name = name_of(host).lower()
        return any(
            name == known.removeprefix(".") or (known.startswith(".") and name.endswith(known))
            for known in self._names
        )


def _checked(name: object) -> str:
    known = name.strip().lower() if isinstance(name, str) else ""
    if not _NAME.fullmatch(known):
        raise ConfigError(
            f"allowed_hosts={name!r}: give names without scheme, port and path, "
            "such as 'llm.example' or '.example' for all below it."
        )
    return known


def hosts_from(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names in ``MIHARU_ALLOWED_HOSTS``."""
    names = environ.get("MIHARU_ALLOWED_HOSTS", "").split(",")
    return tuple(name for name in names if name.strip())


def name_of(host: str) -> str:
    """The name in a Host header, without the port."""
    return _PORT.sub("", host)


def is_local(host: str) -> bool:
    """Whether only a browser on this machine can mean us by that name."""
    return bool(_LOCAL.fullmatch(name_of(host)))


def is_loopback(address: str | None) -> bool:
    """Whether this address of a visitor, or of a server's socket, is reached from this machine alone."""
    ip = _ip(address)
    return ip is not None and ip.is_loopback


def may_be_rebound(host: str, client: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a page of a stranger may be asking, in a browser that a name of his has led to us.

    Such a name is one that can be registered, and the browser is on a network that he cannot reach himself.
    Browsers send no ``Sec-Fetch-Site`` to such an address, which is not encrypted, and no page can.
    """
    name = name_of(host).strip("[]").rstrip(".").lower()
    registrable = "." in name and not is_local(host) and _ip(name) is None
    ip = _ip(client)
    return (
        registrable
        and not name.endswith(tuple(f".{end}" for end in _UNREGISTERED))
        and ip is not None
        and ip.is_private
        and "sec-fetch-site" not in headers
    )


def _ip(address: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
