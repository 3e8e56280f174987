"""Where OpenTelemetry data goes, by OpenTelemetry's own environment variables.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from miharu.errors import ConfigError
from miharu.redaction.urls import public_address

__all__ = ("SIGNALS", "Endpoint", "Environment", "SignalName", "environment")

SignalName = Literal["traces", "metrics", "logs"]
SIGNALS: tuple[SignalName, ...] = ("traces", "metrics", "logs")

_PREFIX = "OTEL_EXPORTER_OTLP_"
_LOCAL = "http://localhost:4318"
_FROM_HERE_MILLISECONDS = 1_000
"""OpenTelemetry for Python reads seconds; the specification says milliseconds, and so many are meant."""
_LONGEST_S = 60.0
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where one signal goes, and how."""

    signal: SignalName
    url: str = field(repr=False)
    """With the user, the password and the query that it may have; ``public`` has none of them."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout: float = 10.0
    """Seconds for one request."""
    gzip: bool = False
    certificate: str | None = None
    """A file with the certificates that are trusted instead of the system's."""
    client_certificate: str | None = None
    client_key: str | None = None

    @property
    def public(self) -> str:
        """The address as it may be logged: without user, password and query."""
        return public_address(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All that the variables say."""

    endpoints: tuple[Endpoint, ...]
    """Of the signals that are sent."""
    service: str | None
    """``OTEL_SERVICE_NAME``, or ``service.name`` of ``OTEL_RESOURCE_ATTRIBUTES``."""
    resource: Mapping[str, str]
    """The other attributes of the resource."""
    delay: float
    """Seconds that records wait for others before they are sent."""
    most_waiting: int
    """Records that wait at most."""
    most_at_once: int
    """Records in one request at most."""
    metrics_interval: float
    """Seconds between two requests with metrics."""
    delta: bool
    """Whether metrics say what came since the last request, instead of since the start."""


def environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """What the variables say; the defaults are OpenTelemetry's.

    Raises:
        ConfigError: One is not valid; the message names it and the remedy, and shows no secret.
    """
    attributes = _pairs("OTEL_RESOURCE_ATTRIBUTES", environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    resource = dict(attributes)
    named = resource.pop("service.name", None)
    most = _whole(environ, "OTEL_BSP_MAX_QUEUE_SIZE", 2048)
    temporality = environ.get(f"{_PREFIX}METRICS_TEMPORALITY_PREFERENCE", "").strip().lower()
    return Environment(
        endpoints=tuple(_endpoint(environ, signal) for signal in SIGNALS if _is_sent(environ, signal)),
        service=environ.get("OTEL_SERVICE_NAME", "").strip() or named,
        resource=resource,
        delay=_whole(environ, "OTEL_BSP_SCHEDULE_DELAY", 5_000) / 1000,
        most_waiting=most,
        most_at_once=min(most, _whole(environ, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
        metrics_interval=_whole(environ, "OTEL_METRIC_EXPORT_INTERVAL", 60_000) / 1000,
        delta=temporality in {"delta", "lowmemory"},
    )


def _is_sent(environ: Mapping[str, str], signal: SignalName) -> bool:
    """``OTEL_METRICS_EXPORTER=none`` and the like switch a signal off, ``OTEL_SDK_DISABLED=true`` all."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower() != "none"


def _endpoint(environ: Mapping[str, str], signal: SignalName) -> Endpoint:
    def value(name: str) -> tuple[str, str]:
        """The variable that holds, the signal's own or the general one, and its value."""
        own = f"{_PREFIX}{signal.upper()}_{name}"
        variable = own if environ.get(own, "").strip() else f"{_PREFIX}{name}"
        return variable, environ.get(variable, "").strip()

    _refuse_grpc(*value("PROTOCOL"))
    return Endpoint(
        signal=signal,
        url=_url(*value("ENDPOINT"), signal),
        headers=_pairs(*value("HEADERS"), secret=True),
        timeout=_timeout(*value("TIMEOUT")),
        gzip=_is_gzip(*value("COMPRESSION")),
        certificate=_file(*value("CERTIFICATE")),
        client_certificate=_file(*value("CLIENT_CERTIFICATE")),
        client_key=_file(*value("CLIENT_KEY")),
    )


def _url(variable: str, url: str, signal: SignalName) -> str:
    is_own = variable != f"{_PREFIX}ENDPOINT"
    url = url or _LOCAL
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise _refused(
            variable, public_address(url), "give an http or https address, such as http://localhost:4318"
        )
    return url if is_own else f"{url.rstrip('/')}/v1/{signal}"


def _refuse_grpc(variable: str, protocol: str) -> None:
    if protocol not in {"", "http/protobuf"}:
        raise _refused(
            variable,
            protocol,
            "miharu sends http/protobuf only; unset it, or set it to http/protobuf (collectors take that at "
            "port 4318)",
        )


def _timeout(variable: str, text: str) -> float:
    try:
        seconds = float(text or 10)
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        raise _refused(variable, text, "give seconds, such as 10")
    return min(seconds / 1000 if seconds >= _FROM_HERE_MILLISECONDS else seconds, _LONGEST_S)


def _is_gzip(variable: str, text: str) -> bool:
    if text.lower() not in {"", "none", "gzip"}:
        raise _refused(variable, text, "choose gzip or none")
    return text.lower() == "gzip"


def _file(variable: str, path: str) -> str | None:
    if path and not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a user may not look
        raise _refused(variable, path, "there is no such file")
    return path or None


def _whole(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise _refused(variable, text, "give a whole number above 0")
    return int(text)


def _pairs(variable: str, text: str, *, secret: bool = False) -> tuple[tuple[str, str], ...]:
    """``name=value,name=value`` with values that may be percent-encoded, as W3C Baggage has it."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        name, sign, value = part.partition("=")
        name, value = unquote(name.strip()), unquote(value.strip())
        if not sign or not name or (secret and not _is_header(name, value)):
            raise _refused(variable, "[hidden]" if secret else part, "write it as name=value,name=value")
        found.append((name, value))
    return tuple(found)


def _is_header(name: str, value: str) -> bool:
    """Whether they can stand in a request, and end no line of it."""
    return _TOKEN.fullmatch(name) is not None and value.isascii() and value.isprintable()


def _refused(variable: str, value: str, remedy: str) -> ConfigError:
    return ConfigError(f"{variable}={value!r}: {remedy}.", variable)
