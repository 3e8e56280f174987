"""Which prompt a call has, and which version of it: a fingerprint of the fixed part of its request.

The fingerprint tells no word of it, and as little as ``body_hash``: who has the whole text can see that it is
the same. What varies with each call, such as the time of day in a system prompt, would be a version each
time; of so many only a few are told apart in an hour, because sums are kept by them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from miharu.call import Call
from miharu.providers.fixed import Fixed, first_words
from miharu.wire.decoded import Wire
from miharu.wire.json import Facts, dumps, loads

__all__ = ("VARIES", "Prompts", "fixed_of")

VARIES = "varies"
"""Stands for a version where there are too many."""
NEW_AN_HOUR = 200
"""Versions that a process tells apart for the first time."""
REMEMBERED = 4096
SHORT = 8
"""Characters of a version that stand for a name where there is none."""
_HOUR_MS = 3_600_000
_SHORT_ENOUGH = 16 << 10
"""Bytes of a fixed part that is remembered with its fingerprint."""


def fixed_of(provider: Any, request: Mapping[str, Any]) -> Fixed | None:
    """The fixed part; ``None`` where there is none, or where the format does not tell it."""
    fixed = getattr(provider, "fixed", None)
    if fixed is None or not request or isinstance(request, Facts):
        return None
    return fixed(request) or None


class Prompts:
    """Tells versions apart, as many as ``NEW_AN_HOUR`` new ones in an hour; it remembers ``REMEMBERED``."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._hour = self._new = 0

    def version(self, provider: Any, wire: Wire, timestamp: int) -> str | None:
        """The fingerprint of a request, or ``VARIES``; ``None`` where it has no fixed part."""
        if wire.request_gap is not None or (fixed := fixed_of(provider, wire.asked)) is None:
            return None
        version = _fingerprint(fixed)
        if version in self._seen:
            self._seen.move_to_end(version)
            return version
        if (hour := timestamp // _HOUR_MS) != self._hour:
            self._hour, self._new = hour, 0
        if self._new >= NEW_AN_HOUR:
            return VARIES
        self._new += 1
        self._seen[version] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return version

    def name(self, call: Call, provider: Any) -> str | None:
        """What a prompt without a name is called; by its words only as they are stored with the call."""
        version = call.prompt_hash
        if version is None or version == VARIES:
            return version
        if call.body is None or not call.body.request:
            return version[:SHORT]
        request = loads(call.body.request)
        fixed = fixed_of(provider, request) if isinstance(request, dict) else None
        return (fixed and first_words(fixed)) or version[:SHORT]


def _fingerprint(fixed: Fixed) -> str:
    try:
        data = _encoder().encode(fixed)
    except (TypeError, ValueError, OverflowError, RecursionError):
        data = dumps(fixed).encode("utf-8", "replace")
    return _hashed_before(data) if len(data) <= _SHORT_ENOUGH else _hashed(data)


def _hashed(data: bytes) -> str:
    return blake2b(data, digest_size=6, person=b"miharu prompt").hexdigest()


_hashed_before = lru_cache(64)(_hashed)
"""To find the same bytes takes a quarter of the time of hashing them."""


@cache
def _encoder() -> Any:
    import msgspec

    return msgspec.json.Encoder(order="deterministic")
