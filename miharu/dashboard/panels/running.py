"""The calls that are being made right now, by the process that the dashboard lives in."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from miharu.attribution.resolve import attribution_of_exchange
from miharu.dashboard.call.rows import split_route
from miharu.dashboard.charts.colors import Palette
from miharu.exchange import Exchange, Request
from miharu.providers.hosts import provider_of
from miharu.wording.names import model_name, provider_name

__all__ = ("Running", "running")

_HEAD, _TAIL = 64 << 10, 4 << 10
_MODEL = re.compile(rb'"model(?:Id|_id)?"\s*:\s*"([^"\\]{1,200})"')
_IN_PATH = re.compile(r"/(?:models?|deployments|engines)/([^/:?]{1,200})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    id: str
    started: int
    """Unix milliseconds."""
    ms: int
    """Milliseconds since the start."""
    answering: bool
    """Whether content is coming; else it waits."""
    received: int
    """Pieces of the answer."""
    model: str
    css: str
    provider: str
    method: str
    route: str


def running(
    exchanges: Iterable[Exchange], colors: Palette, clock: Callable[[], int] = time.perf_counter_ns
) -> list[Running]:
    """The calls that run, with what is known before their end, the longest first."""
    made = []
    for exchange in exchanges:
        if exchange.end is None:
            request = exchange.request()
            provider = provider_of(request.host)
            model = _model(request)
            attribution = attribution_of_exchange(exchange)
            method, route = split_route(attribution.route)
            made.append(
                Running(
                    id=f"{exchange.timestamp:x}-{id(exchange):x}",
                    started=exchange.timestamp,
                    ms=max(0, (clock() - exchange.started) // 1_000_000),
                    answering=bool(exchange.arrivals),
                    received=len(exchange.arrivals),
                    model=model_name(model),
                    css=colors.model(model, provider),
                    provider=provider_name(provider) if provider else request.host,
                    method=method,
                    route=route,
                )
            )
    return sorted(made, key=lambda one: -one.ms)


def _model(request: Request) -> str | None:
    """The model as requested: a name near the start or the end of the body, or in the path."""
    body = request.body or b""
    for part in (body[:_HEAD], body[_HEAD:][-_TAIL:]):
        if found := _MODEL.search(part):
            return found[1].decode("utf-8", "replace")
    in_path = _IN_PATH.search(request.path)
    return in_path[1] if in_path else None
