"""What a URL says, for the driver."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

__all__ = ("OPTIONS", "Address", "understood")

CONNECT_TIMEOUT_S = 10
ANSWER_TIMEOUT_S = 60
"""How long a server may be silent: one that has vanished from the network sends nothing."""
_PORTS = {False: 8123, True: 8443}
_PASSED_ON = ("ca_cert", "client_cert", "client_cert_key", "server_host_name", "http_proxy", "https_proxy")
OPTIONS = ("cluster", "connect_timeout", "user", "password", "verify", *_PASSED_ON)
"""What may stand behind the question mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the database is."""

    arguments: dict[str, Any] = field(repr=False)
    """Those of ``clickhouse_connect.get_client``."""
    database: str
    cluster: str | None
    """Whose nodes have the tables; ``None`` for one server."""


def understood(url: str) -> Address:
    """The address behind ``clickhouse://user:password@host:port/database?cluster=name``.

    Raises:
        ValueError: It makes no sense; the message may be shown.
    """
    scheme, _, rest = url.partition("://")
    secure = scheme.partition("+")[0].lower() == "clickhouses"
    end = min((place for mark in "/?" if (place := rest.find(mark)) >= 0), default=len(rest))
    credentials, _, server = rest[:end].rpartition("@")
    path, _, query = rest[end:].partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - set(OPTIONS):
        raise ValueError(f"has the option {min(unknown)[:40]!r}; choose from {', '.join(OPTIONS)}")
    user, _, password = credentials.partition(":")
    host, port = _host_of(server, _PORTS[secure])
    arguments: dict[str, Any] = {
        "host": host,
        "port": port,
        "interface": "https" if secure else "http",
        "username": options.get("user") or unquote(user) or "default",
        "password": options.get("password") or unquote(password),
        "connect_timeout": _seconds(options.get("connect_timeout")),
        "send_receive_timeout": ANSWER_TIMEOUT_S,
    }
    arguments |= {name: options[name] for name in _PASSED_ON if name in options}
    if secure and "verify" in options:
        arguments["verify"] = options["verify"].lower() not in {"0", "false", "no"}
    return Address(
        arguments=arguments,
        database=unquote(path.strip("/")) or "default",
        cluster=_cluster(options.get("cluster")),
    )


def _host_of(server: str, default: int) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = server, str(default)
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("has no host, or not a valid port: write it as clickhouse://host:8123/database")
    return host.strip("[]"), int(port)


def _seconds(text: str | None) -> int:
    if text is None:
        return CONNECT_TIMEOUT_S
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("has a connect_timeout that is not a number of seconds")
    return int(text)


def _cluster(name: str | None) -> str | None:
    if name is not None and not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("has a cluster whose name is not letters, digits, - and _")
    return name
