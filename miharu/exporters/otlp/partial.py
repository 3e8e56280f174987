"""What a receiver says of a request: how much of it was refused, and why."""

from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from miharu.exporters.otlp.environment import SignalName
from miharu.redaction.text import redacted

__all__ = ("message_of", "rejected_of")

_SHOWN = 200
_RESPONSES: dict[SignalName, tuple[Any, str]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
}


def rejected_of(signal: SignalName, body: bytes) -> tuple[int, str]:
    """How many records were refused although the request was taken, and the receiver's message."""
    kind, field = _RESPONSES[signal]
    try:
        partial = kind.FromString(body).partial_success
    except DecodeError:  # some answer with JSON or with nothing that is meant
        return 0, ""
    return max(0, getattr(partial, field)), _line(partial.error_message)


def message_of(body: bytes) -> str:
    """The message of a refusal: of a ``google.rpc.Status``, or a text."""
    try:  # the two fields that a status begins with are these: a number and a text
        return _line(ExportTracePartialSuccess.FromString(body).error_message)
    except DecodeError:
        return _line(body.decode("utf-8", "replace"))


def _line(text: str) -> str:
    text = " ".join(text.split())
    return redacted("".join(sign for sign in text if sign.isprintable())[:_SHOWN])
