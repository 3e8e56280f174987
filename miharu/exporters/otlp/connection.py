"""One connection to a receiver, kept open: HTTP/1.1 by the standard library.

A client library would cost the program its import, and instrumentations of it would trace our own requests.
"""

import encodings.idna  # noqa: F401 - a name is looked up with it, and a fork must not find half of it
import http.client
import ssl
from base64 import b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from os import environ
from time import time
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from miharu._version import __version__
from miharu.exporters.otlp.deadline import Deadline, plain_connection, tls_connection, watch
from miharu.exporters.otlp.environment import Endpoint

__all__ = ("Answer", "Connection", "retry_after")

_SEEN = 64 << 10
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    """Seconds that it asked to wait."""


class Connection:
    """Posts to one address. Used by one thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            OSError: A certificate cannot be read.
        """
        self._endpoint = endpoint
        self._url = urlsplit(endpoint.url)
        self._context = _tls(endpoint) if self._url.scheme == "https" else None
        self._proxy = _proxy_for(self._url)
        self._open: http.client.HTTPConnection | None = None
        self._timeout = endpoint.timeout
        self._deadline = Deadline()

    def hurry(self, timeout: float) -> None:
        """Let a request take no longer than that (seconds), on a new connection."""
        self._timeout = min(self._timeout, timeout)
        self.close()

    def post(self, body: bytes) -> Answer:
        """Send the message; one connection that the receiver had closed meanwhile is made anew.

        Raises:
            OSError: There is no answer: the receiver is away, too slow in all, or TLS failed.
            http.client.HTTPException: What answers does not speak HTTP.
        """
        reused = self._open is not None
        self._deadline.begin(self._timeout)
        try:
            return self._post(body)
        except (ConnectionError, http.client.BadStatusLine):  # closed while it was idle
            self.close()
            if not reused:
                raise
        except BaseException:
            self.close()
            raise
        try:
            return self._post(body)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _post(self, body: bytes) -> Answer:
        if self._open is None:
            self._open = self._connection()
        watch(self._open, self._deadline)
        self._open.request("POST", self._target(), body, self._headers())
        response = self._open.getresponse()
        answer = Answer(
            response.status, response.read(_SEEN), retry_after(response.headers.get("retry-after"))
        )
        if response.read(1):  # more than it may say
            self.close()
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        url, deadline = self._proxy or self._url, self._deadline
        host = url.hostname or ""
        if self._context is None:
            return plain_connection(host, url.port or 80, deadline)
        if self._proxy is None:
            return tls_connection(host, url.port or 443, deadline, self._context)
        tunnel = tls_connection(host, url.port or 80, deadline, self._context)
        tunnel.set_tunnel(self._url.hostname or "", self._url.port or 443, dict(_login(self._proxy)))
        return tunnel

    def _target(self) -> str:
        path = self._url.path or "/"
        path = f"{path}?{self._url.query}" if self._url.query else path
        return f"http://{self._url.netloc.rpartition('@')[2]}{path}" if self._is_relayed else path

    def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"OTel-OTLP-Exporter-miharu/{__version__}",
            **dict(_login(self._url, "Authorization")),
            **dict(self._endpoint.headers),
        }
        if self._endpoint.gzip:
            headers["Content-Encoding"] = "gzip"
        if self._is_relayed and self._proxy is not None:
            headers |= dict(_login(self._proxy))
            headers["Host"] = self._url.netloc.rpartition("@")[2]
        return headers

    @property
    def _is_relayed(self) -> bool:
        """Whether a proxy is told the whole address, since there is no TLS to tunnel."""
        return self._proxy is not None and self._context is None


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds to wait, from seconds or from a date."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, moment - (time() if now is None else now))


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=endpoint.certificate)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key)
    return context


def _proxy_for(url: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for this address."""
    if not any(name.lower().endswith("_proxy") and value for name, value in environ.items()):
        return None
    from urllib import request

    names: Any = request  # these two are not in its stubs
    proxies = names.getproxies_environment()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or names.proxy_bypass_environment(url.netloc.rpartition("@")[2]):
        return None
    found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return found if found.scheme == "http" and found.hostname else None


def _login(url: SplitResult, header: str = "Proxy-Authorization") -> list[tuple[str, str]]:
    if url.username is None:
        return []
    login = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
    return [(header, f"Basic {b64encode(login).decode()}")]
