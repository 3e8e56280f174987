"""The messages in JSON, as the specification has them: ids in hexadecimal, large numbers as texts."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from miharu.ingest.otlp.records import Attributes, LogRecord, OtelSpan, SpanEvent, parent_of
from miharu.wire.batches import NotABatch

__all__ = ("answer", "logs_in", "refusal", "spans_in")

_ERROR = {2, "STATUS_CODE_ERROR"}
_NONSENSE = (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)
"""What reading raises; ``OverflowError`` where a whole number is ``Infinity``."""
_ID = re.compile(r"[0-9a-f]{0,32}")


def spans_in(data: bytes) -> list[OtelSpan]:
    """The spans of an ``ExportTraceServiceRequest``.

    Raises:
        NotABatch: It is none.
    """
    try:
        return [
            _span(span, _attributes(resource.get("resource", {})), scope.get("scope", {}).get("name", ""))
            for resource, scope, span in _items(data, "resourceSpans", "scopeSpans", "spans")
        ]
    except _NONSENSE as error:
        raise NotABatch(f"This is not an ExportTraceServiceRequest in JSON: {error}.") from error


def logs_in(data: bytes) -> list[LogRecord]:
    """The log records of an ``ExportLogsServiceRequest``.

    Raises:
        NotABatch: It is none.
    """
    try:
        return [_log(one) for _, _, one in _items(data, "resourceLogs", "scopeLogs", "logRecords")]
    except _NONSENSE as error:
        raise NotABatch(f"This is not an ExportLogsServiceRequest in JSON: {error}.") from error


def answer(rejected: int, words: str, what: str) -> bytes:
    """The answer: empty, or a partial success. ``what`` is ``Spans`` or ``LogRecords``."""
    if not rejected and not words:
        return b"{}"
    said = {f"rejected{what}": str(rejected), "errorMessage": words}
    return json.dumps({"partialSuccess": said}).encode()


def refusal(words: str) -> bytes:
    return json.dumps({"message": words}).encode()


def _items(data: bytes, *names: str) -> Iterator[tuple[Any, Any, Any]]:
    first, second, third = names
    for resource in json.loads(data).get(first) or ():
        for scope in resource.get(second) or ():
            for one in scope.get(third) or ():
                yield resource, scope, one


def _span(found: Any, resource: Attributes, scope: str) -> OtelSpan:
    status = found.get("status") or {}
    return OtelSpan(
        trace_id=_hexadecimal(found.get("traceId")),
        id=_hexadecimal(found.get("spanId")),
        parent_id=parent_of(_hexadecimal(found.get("spanId")), _hexadecimal(found.get("parentSpanId"))),
        name=str(found.get("name", "")),
        kind=found["kind"] if isinstance(found.get("kind"), int) else 0,
        start=int(found.get("startTimeUnixNano", 0)),
        end=int(found.get("endTimeUnixNano", 0)),
        attributes=_attributes(found),
        events=tuple(
            SpanEvent(
                name=str(event.get("name", "")),
                at=int(event.get("timeUnixNano", 0)),
                attributes=_attributes(event),
            )
            for event in found.get("events") or ()
        ),
        failed=status.get("code") in _ERROR,
        message=str(status.get("message", "")),
        resource=resource,
        scope=str(scope),
    )


def _log(found: Any) -> LogRecord:
    attributes = _attributes(found)
    return LogRecord(
        trace_id=_hexadecimal(found.get("traceId")),
        span_id=_hexadecimal(found.get("spanId")),
        name=str(found.get("eventName") or attributes.get("event.name") or ""),
        at=int(found.get("timeUnixNano") or 0) or int(found.get("observedTimeUnixNano") or 0),
        attributes=attributes,
        body=_value(found.get("body") or {}),
    )


def _hexadecimal(given: Any) -> str:
    text = str(given or "").lower()
    if not _ID.fullmatch(text):
        raise ValueError("an id is not hexadecimal")
    return text


def _attributes(found: Any) -> Attributes:
    return {str(pair["key"]): _value(pair.get("value") or {}) for pair in found.get("attributes") or ()}


def _value(given: Any) -> Any:
    if not given:
        return None
    ((kind, value),) = given.items()
    read = _VALUES.get(kind)
    return None if read is None else read(value)


def _decoded(value: Any) -> str | None:
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except binascii.Error:
        return None


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": int,
    "doubleValue": float,
    "bytesValue": _decoded,
    "arrayValue": lambda value: [_value(one) for one in value.get("values") or ()],
    "kvlistValue": lambda value: {
        str(pair["key"]): _value(pair.get("value") or {}) for pair in value.get("values") or ()
    },
}
