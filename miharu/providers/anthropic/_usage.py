"""Usage and errors in Anthropic's words."""

from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.wire.json import count, dumps, text

__all__ = ("error_of", "usage_of")


def usage_of(raw: Any) -> Usage:
    """The normal form of a usage object.

    ``input_tokens`` leaves out what was read from or written to the cache
    (https://docs.claude.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance).

    ``iterations`` are not added up. With compaction and the advisor tool they sum to more than the top level,
    which leaves those steps out (https://docs.claude.com/en/docs/build-with-claude/compaction); the advisor's
    are even another model's tokens. A row has one model, so its tokens are those of the answer; what the
    other steps took stays readable in ``usage_raw``, and is in the cost.
    """
    if not isinstance(raw, dict) or not raw:
        return Usage()
    uncached = count(raw, "input_tokens")
    read = count(raw, "cache_read_input_tokens")
    written = count(raw, "cache_creation_input_tokens")
    five, hour = (count(raw, "cache_creation", f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    if (five or 0) + (hour or 0) != (written or 0):
        # message_delta has revised the sum and does not repeat its parts: known where there is only one
        only_five, only_hour = bool(five) and not hour, bool(hour) and not five
        five = written if only_five else 0 if only_hour else None
        hour = written if only_hour else 0 if only_five else None
    return Usage(
        prompt_tokens=None if uncached is None else uncached + (read or 0) + (written or 0),
        completion_tokens=count(raw, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        reasoning_tokens=count(raw, "output_tokens_details", "thinking_tokens"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def error_of(answered: Mapping[str, Any], status: int | None) -> tuple[str | None, str | None]:
    """Type and message of ``{"type": "error", "error": {…}}``, or of what a gateway answers instead."""
    error = answered.get("error")
    failed = status is not None and status >= 400
    if isinstance(error, dict):
        kind = text(error.get("type")) or error.get("code") or status
        return str(kind) if kind else "error", text(error.get("message"))
    if text(error):
        return str(status) if failed else "error", str(error)
    if not failed:
        return None, None
    return str(status), text(answered.get("message")) or text(answered.get("detail"))
