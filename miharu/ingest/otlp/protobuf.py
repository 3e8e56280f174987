"""The messages in protobuf, by OpenTelemetry's own package."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from miharu.ingest.answer import Refusal
from miharu.ingest.otlp.records import Attributes, LogRecord, OtelSpan, SpanEvent, parent_of
from miharu.wire.batches import NotABatch

__all__ = ("answer", "logs_in", "refusal", "spans_in")

_ERROR = 2
_SERVICE = "opentelemetry.proto.collector.{0}.v1.{0}_service_pb2"


def spans_in(data: bytes) -> list[OtelSpan]:
    """The spans of an ``ExportTraceServiceRequest``.

    Raises:
        NotABatch: It is none.
        Refusal: The package is not installed.
    """
    request = _parsed("trace", "ExportTraceServiceRequest", data)
    return [
        _span(span, resource, scope.scope.name)
        for group in request.resource_spans
        for resource in (_attributes(group.resource.attributes),)
        for scope in group.scope_spans
        for span in scope.spans
    ]


def logs_in(data: bytes) -> list[LogRecord]:
    """The log records of an ``ExportLogsServiceRequest``.

    Raises:
        NotABatch: It is none.
        Refusal: The package is not installed.
    """
    request = _parsed("logs", "ExportLogsServiceRequest", data)
    return [
        _log(record)
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def answer(rejected: int, words: str, what: str) -> bytes:
    """The answer: empty, or a partial success. ``what`` is ``Spans`` or ``LogRecords``."""
    if not rejected and not words:
        return b""
    if what == "Spans":
        said = _of("trace", "ExportTracePartialSuccess")(rejected_spans=rejected, error_message=words)
        made = _of("trace", "ExportTraceServiceResponse")(partial_success=said)
    else:
        said = _of("logs", "ExportLogsPartialSuccess")(rejected_log_records=rejected, error_message=words)
        made = _of("logs", "ExportLogsServiceResponse")(partial_success=said)
    encoded: bytes = made.SerializeToString()
    return encoded


def refusal(words: str) -> bytes:
    """A ``google.rpc.Status``, whose second field is the message."""
    text = words.encode()[:1000].decode(errors="ignore").encode()
    size, length = len(text), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return b"\x12" + bytes([*length, size]) + text


def _of(signal: str, name: str) -> Any:
    try:
        return getattr(import_module(_SERVICE.format(signal)), name)
    except ImportError as error:
        raise Refusal(
            415,
            'This miharu reads protobuf with opentelemetry-proto: pip install "miharu[otlp]". Without it, it '
            "reads JSON.",
        ) from error


def _parsed(signal: str, name: str, data: bytes) -> Any:
    kind = _of(signal, name)
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise NotABatch(f"This is not an {name} in protobuf.") from error


def _span(found: Any, resource: Attributes, scope: str) -> OtelSpan:
    return OtelSpan(
        trace_id=found.trace_id.hex(),
        id=found.span_id.hex(),
        parent_id=parent_of(found.span_id.hex(), found.parent_span_id.hex()),
        name=found.name,
        kind=found.kind,
        start=found.start_time_unix_nano,
        end=found.end_time_unix_nano,
        attributes=_attributes(found.attributes),
        events=tuple(
            SpanEvent(name=event.name, at=event.time_unix_nano, attributes=_attributes(event.attributes))
            for event in found.events
        ),
        failed=found.status.code == _ERROR,
        message=found.status.message,
        resource=resource,
        scope=scope,
    )


def _log(found: Any) -> LogRecord:
    attributes = _attributes(found.attributes)
    return LogRecord(
        trace_id=found.trace_id.hex(),
        span_id=found.span_id.hex(),
        name=str(getattr(found, "event_name", "") or attributes.get("event.name") or ""),
        at=found.time_unix_nano or found.observed_time_unix_nano,
        attributes=attributes,
        body=_value(found.body),
    )


def _attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(given: Any) -> Any:
    kind = given.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(given, kind)
    if kind == "array_value":
        return [_value(one) for one in value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.values}
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
