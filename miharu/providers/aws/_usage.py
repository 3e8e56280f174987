"""Usage and errors in Amazon's words."""

from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.anthropic._usage import error_of as inner_error
from miharu.providers.base import Wire
from miharu.wire.eventstream import Frame
from miharu.wire.json import count, dumps, mapping, text

__all__ = ("error_of", "frame_error", "metered_by_headers", "metered_by_metrics", "usage_of")

_HEADERS = {
    "inputTokenCount": "x-amzn-bedrock-input-token-count",
    "outputTokenCount": "x-amzn-bedrock-output-token-count",
    "cacheReadInputTokenCount": "x-amzn-bedrock-cache-read-input-token-count",
    "cacheWriteInputTokenCount": "x-amzn-bedrock-cache-write-input-token-count",
}


def usage_of(raw: Any) -> Usage:
    """The normal form of a ``TokenUsage``, as Converse and Nova have it.

    ``inputTokens`` leaves out what was read from or written to the cache, although the reference calls it
    the tokens of the request: ``totalTokens`` is the sum of all four
    (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html). Nova's own format
    has the cache's counts with ``Count`` at the end.
    """
    if not isinstance(raw, dict) or not raw:
        return Usage()
    read = _first(raw, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _first(raw, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    return Usage(
        prompt_tokens=_prompt(count(raw, "inputTokens"), read, written),
        completion_tokens=count(raw, "outputTokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_5m_tokens=_written(raw, "5m"),
        cache_write_1h_tokens=_written(raw, "1h"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def metered_by_headers(headers: Mapping[str, str]) -> Usage:
    """What Bedrock counts itself, whichever format the model answers in: often the only counts there are."""
    raw = {name: headers[name] for name in _HEADERS.values() if name in headers}
    counts = {key: int(raw[name]) for key, name in _HEADERS.items() if _is_number(raw.get(name, ""))}
    return _metered(counts, raw)


def metered_by_metrics(metrics: Any) -> Usage:
    """The same in ``amazon-bedrock-invocationMetrics``, which comes with the last chunk of a stream."""
    return _metered(mapping(metrics), mapping(metrics))


def error_of(wire: Wire, answered: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Type and message. The type stands in a header, or in the body where a proxy has dropped the header.

    Both may carry more than the name: ``ValidationException:http://…``, ``com.amazon.coral#…``
    (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization).
    """
    if wire.status is None or wire.status < 400:
        return inner_error(answered, None)  # the model's own, which came with status 200
    kind = (
        text(wire.headers.get("x-amzn-errortype"))
        or text(answered.get("__type"))
        or text(answered.get("code"))
    )
    message = text(answered.get("message")) or text(answered.get("Message"))
    return _name(kind) if kind else str(wire.status), message


def frame_error(frame: Frame, payload: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Type and message of an exception inside a stream that began well."""
    if frame.error is None:
        return None
    kind, message = frame.error
    return kind, message or text(payload.get("message")) or text(payload.get("originalMessage"))


def _metered(counts: Mapping[str, Any], raw: Mapping[str, Any]) -> Usage:
    prompt, completion = count(counts, "inputTokenCount"), count(counts, "outputTokenCount")
    if prompt is None and completion is None:
        return Usage()
    read, written = count(counts, "cacheReadInputTokenCount"), count(counts, "cacheWriteInputTokenCount")
    return Usage(
        prompt_tokens=_prompt(prompt, read, written),
        completion_tokens=completion,
        cached_tokens=read,
        cache_write_tokens=written,
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def _prompt(uncached: int | None, read: int | None, written: int | None) -> int | None:
    return None if uncached is None else uncached + (read or 0) + (written or 0)


def _written(raw: Mapping[str, Any], ttl: str) -> int | None:
    """Cache writes of that lifetime: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html."""
    details = raw.get("cacheDetails")
    details = [mapping(detail) for detail in details] if isinstance(details, list) else []
    counts = [count(detail, "inputTokens") or 0 for detail in details if detail.get("ttl") == ttl]
    return sum(counts) if counts else None


def _first(raw: Mapping[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := count(raw, name)) is not None), None)


def _name(kind: str) -> str:
    return kind.partition(":")[0].rpartition("#")[2]


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 16
