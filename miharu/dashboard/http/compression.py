"""Pages and files packed for the wire, for browsers that say they can unpack them."""

import zlib
from dataclasses import replace
from functools import lru_cache

from miharu.dashboard.http.page import Page, PageRequest

__all__ = ("packed",)

_LEVEL = 5
_WORTH_IT = 1200
"""Bytes; less than that fits into one packet as it is."""
_TEXT = ("text/", "application/json", "application/openmetrics-text", "image/svg+xml")


def packed(page: Page, request: PageRequest) -> Page:
    """The page in gzip, if that is welcome and makes it smaller."""
    headers, body = dict(page.headers), page.body
    if len(body) < _WORTH_IT or not headers.get("Content-Type", "").startswith(_TEXT):
        return page
    headers["Vary"] = "Accept-Encoding"
    if _is_welcome(request.headers.get("accept-encoding", "")):
        lasting = "immutable" in headers.get("Cache-Control", "")
        body = _keep(body) if lasting else _gzip(body)
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    return replace(page, body=body, headers=tuple(headers.items()))


def _is_welcome(accepted: str) -> bool:
    for offer in accepted.lower().replace(" ", "").split(","):
        name, _, quality = offer.partition(";")
        if name == "gzip":
            return quality not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _gzip(body: bytes) -> bytes:
    # Not the gzip module: it writes the time, and the same page has to be the same bytes.
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


@lru_cache(maxsize=32)
def _keep(body: bytes) -> bytes:
    """The compressed bytes of a file that never changes, made once."""
    return _gzip(body)
