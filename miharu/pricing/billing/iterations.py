"""Claude's iterations: models that were asked beside the answer, and are not part of the usage's own counts.

``message`` entries add up to the usage itself. A ``compaction`` is billed beside it at the model's own price,
an ``advisor_message`` at that of the model it names (anthropic's ``BetaUsage.iterations``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.call import Usage

__all__ = ("beside", "requests")

_MESSAGES = {"message", None}
_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")

Used = tuple[str | None, Usage]
"""Another model than the call's own, or ``None``; and its usage."""


def beside(raw: Mapping[str, Any]) -> Sequence[Used] | None:
    """What is billed beside the usage's own counts; ``None`` where an entry is of an unknown kind."""
    found: list[Used] = []
    own = dict.fromkeys(_COUNTS, 0)
    entries = _entries(raw)
    for entry in entries:
        kind, model = entry.get("type"), entry.get("model")
        if kind in _MESSAGES:
            for name in _COUNTS:
                own[name] += _count(entry, name)
        elif kind == "compaction" and model is None:
            found.append((None, _usage(entry)))
        elif kind == "advisor_message" and isinstance(model, str):
            found.append((model, _usage(entry)))
        else:
            return None  # a fallback, of which it is not told which hops are billed; or what is new
    if entries and any(own[name] != _count(raw, name) for name in _COUNTS):
        return None
    return found


def requests(raw: Mapping[str, Any]) -> int:
    """In how many requests the usage's own counts were used: the length of a prompt is that of one."""
    return max(1, sum(entry.get("type") in _MESSAGES for entry in _entries(raw)))


def _entries(raw: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    listed = raw.get("iterations")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _usage(entry: Mapping[str, Any]) -> Usage:
    read, written = _count(entry, "cache_read_input_tokens"), _count(entry, "cache_creation_input_tokens")
    parts = entry.get("cache_creation")
    parts = parts if isinstance(parts, dict) else {}
    short, long = (_count(parts, f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    return Usage(
        prompt_tokens=_count(entry, "input_tokens") + read + written,
        completion_tokens=_count(entry, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_5m_tokens=short if short + long == written else None,
        cache_write_1h_tokens=long if short + long == written else None,
    )


def _count(holder: Mapping[str, Any], name: str) -> int:
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0
