"""What a URL says, for the driver: as libpq reads it, because it is libpq's URL that people have."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

__all__ = ("connect_arguments",)

CONNECT_TIMEOUT_S = 10.0
_TLS = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
"""What people write for ``ssl=``, which SQLAlchemy has in place of ``sslmode=``."""
_UNKNOWN = frozenset(
    {
        *("channel_binding", "gssencmode", "sslcompression", "sslsni", "client_encoding"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        *("fallback_application_name", "load_balance_hosts", "pgbouncer"),
        *("prepared_statement_cache_size", "statement_cache_size"),
    }
)
"""Of libpq or of other clients; the driver would send them to the server, which refuses the unknown."""


def connect_arguments(url: str) -> dict[str, Any]:
    """The arguments of ``asyncpg.connect``.

    TLS, several hosts, sockets, a service file, ``PGPASSWORD`` and ``~/.pgpass`` are left to the driver,
    which reads them as libpq does.
    """
    rest = url.partition("://")[2]
    end = min((place for mark in "/?" if (place := rest.find(mark)) >= 0), default=len(rest))
    credentials, _, hosts = rest[:end].rpartition("@")
    path, _, query = rest[end:].partition("?")
    options = _options(query)
    arguments: dict[str, Any] = {"timeout": float(options.pop("connect_timeout", 0)) or CONNECT_TIMEOUT_S}
    user, colon, password = credentials.partition(":")
    if user:
        arguments["user"] = unquote(user)
    if colon:
        arguments["password"] = unquote(password)
    arguments |= {name: options.pop(name) for name in ("user", "password") if name in options}
    options.setdefault("application_name", "miharu")
    arguments["dsn"] = f"postgresql://{hosts}{path}?{urlencode(options, quote_via=quote)}"
    return arguments


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in _known(query):
        if name == "host" and name in options:
            options[name] += f",{value}"  # as SQLAlchemy writes several
        else:
            options[name] = value
    return options


def _known(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "ssl":
            yield "sslmode", _TLS.get(value.lower(), value)
        elif name not in _UNKNOWN:
            yield name, value
