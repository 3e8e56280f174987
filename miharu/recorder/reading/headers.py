"""What the headers of a request and its answer say of a call, beside what the formats read."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from time import time

from miharu.wire.json import dumps

__all__ = ("attempt_of", "rate_limit_of", "request_id_of", "retry_after_ms", "sdk_of")

_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "x-goog-request-id")
_PRODUCT = re.compile(
    r"(?:^|[\s(;,])(?:Async)?([A-Za-z][\w.-]{0,39})/(?:Python )?"
    r"v?(\d{1,6}(?:\.[\w+-]{1,12}){0,6})(?=$|[\s();,])"
)
_WORDS = re.compile(r"[A-Za-z][A-Za-z ._-]{0,39}")
"""A user agent without a version; one with digits is not kept, since it may be anything."""
_AMAZON = re.compile(r"(?:^|;\s*)attempt=([0-9]{1,4})(?:;|$)")
"""As botocore says it: ``attempt=2; max=5``."""
_LONGEST = 100
"""Characters of a name or a value that are kept."""
_RATE_LIMITS = 40
"""Headers about them that are kept, twice as many as a provider sends."""


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The provider's id of the exchange, for its support desk."""
    for name in _REQUEST_IDS:
        if found := headers.get(name):
            return found
    return None


def sdk_of(headers: Mapping[str, str]) -> str | None:
    """The SDK and its version by the user agent, such as ``openai/3.54.0``."""
    return _sdk(headers.get("user-agent", "")[:200])


@lru_cache(256)
def _sdk(agent: str) -> str | None:
    found = _PRODUCT.search(agent)
    if found:
        return f"{found.group(1).lower()}/{found.group(2)}"
    return agent if _WORDS.fullmatch(agent) else None


def attempt_of(headers: Mapping[str, str]) -> int | None:
    """Which try of its SDK this is, from 1, where the SDK says so."""
    retries = headers.get("x-stainless-retry-count", "")
    if retries.isdecimal() and len(retries) < 5:
        return int(retries) + 1
    found = _AMAZON.search(headers.get("amz-sdk-request", "")[:200])
    return int(found[1]) or None if found else None


def rate_limit_of(headers: Mapping[str, str]) -> str | None:
    """The headers about rate limits, as JSON."""
    names = _about_limits(tuple(headers))
    if not names:
        return None
    values = [headers[name] for name in names]
    if max(map(len, (*names, *values))) > _LONGEST:
        return dumps({name[:_LONGEST]: value[:_LONGEST] for name, value in zip(names, values, strict=True)})
    return dumps(dict(zip(names, values, strict=True)))


@lru_cache(256)
def _about_limits(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these headers that are about rate limits: most answers of a provider have the same."""
    about = (name for name in names if name.startswith(("x-ratelimit-", "anthropic-ratelimit-")))
    return tuple(islice(about, _RATE_LIMITS))


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """Milliseconds to wait, from ``retry-after-ms`` or ``retry-after`` (seconds, or an HTTP date)."""
    if "retry-after" not in headers and "retry-after-ms" not in headers:
        return None
    for name, factor in (("retry-after-ms", 1), ("retry-after", 1000)):
        value = headers.get(name, "")
        try:
            wait = round(float(value) * factor)
        except (ValueError, OverflowError):
            continue
        return wait if 0 <= wait < 2**53 else None
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, OverflowError, LookupError):
        return None
    return max(0, round((at.timestamp() - time()) * 1000))
