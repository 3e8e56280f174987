"""What every exchange may say about its price, in any format: where it ran, how long it caches."""

import re
from collections.abc import Mapping

from miharu.providers.base import Reading, Wire

__all__ = ("served_model", "terms_of")

_LOCATION = re.compile(r"/locations/([a-z0-9-]+)/")
_LIFETIME = re.compile(rb'"(?:ttl|prompt_cache_retention)"\s*:\s*"((?:1|12|24)h)"')
"""Lifetimes that cost more than the shortest one, where a request asks for them."""
_SERVED = "x-ms-served-model"


def served_model(wire: Wire) -> str | None:
    """The model that Azure names in a header, where its answer names the deployment."""
    return wire.headers.get(_SERVED) or None


def terms_of(wire: Wire, reading: Reading) -> Mapping[str, str]:
    """The terms of this exchange, those that its reader has found among them."""
    terms: dict[str, str] = {}
    if wire.provider == "gcp.vertex_ai" and (found := _LOCATION.search(wire.path)):
        location = found.group(1)
        told = (f"{location}-aiplatform.", f"aiplatform.{location}.")
        if not wire.host.startswith(told) and (location != "global" or "-aiplatform" in wire.host):
            terms["location"] = location  # else the host says it, which is kept anyway
    if wire.provider is None and not reading.model and not served_model(wire):
        terms["named_by"] = "request"  # the server has not said which model it is
    if reading.usage.cache_write_tokens and (found_ttl := _LIFETIME.search(wire.request_body or b"")):
        terms["cache_ttl"] = found_ttl.group(1).decode()
    return {**terms, **reading.terms}
