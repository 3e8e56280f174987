"""Rate limits, as providers state them with each answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from miharu.wire.json import loads

__all__ = ("Limit", "limits_of")

_LONGEST, _MOST = 16_000, 100
_OPENAI = re.compile(r"x-ratelimit-(?P<fact>limit|remaining|reset)-(?P<what>[a-z-]+)")
_ANTHROPIC = re.compile(r"anthropic-ratelimit-(?P<what>[a-z-]+)-(?P<fact>limit|remaining|reset)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit, such as that of requests or of input tokens."""

    what: str
    limit: int | None
    remaining: int | None
    reset: str
    """As the provider writes it: a length of time, or a moment."""

    @property
    def used(self) -> float | None:
        """The used share in percent; ``None`` where it is not known."""
        if not self.limit or self.remaining is None:
            return None
        return min(100.0, max(0.0, 100 * (self.limit - self.remaining) / self.limit))


def limits_of(rate_limit: str | None) -> list[Limit]:
    """The limits in the stored headers of one answer."""
    headers = loads((rate_limit or "{}")[:_LONGEST])
    if not isinstance(headers, Mapping):
        return []
    found: dict[str, dict[str, str]] = {}
    for name, value in islice(headers.items(), _MOST):
        match = _OPENAI.fullmatch(str(name)) or _ANTHROPIC.fullmatch(str(name))
        if match:
            found.setdefault(match["what"].replace("-", " "), {})[match["fact"]] = str(value)[:100]
    return [
        Limit(
            what=what,
            limit=_number(facts.get("limit")),
            remaining=_number(facts.get("remaining")),
            reset=facts.get("reset", ""),
        )
        for what, facts in found.items()
    ]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else None
