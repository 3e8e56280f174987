"""The messages that are sent: spans, log records and metrics, each under the resource of its service."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from miharu._version import __version__
from miharu.batch import Score, Span
from miharu.call import Call
from miharu.exporters.otlp.content import Messages, content_of
from miharu.exporters.otlp.conventions import (
    attributes_of_call,
    attributes_of_span,
    ids_of_call,
    name_of,
    name_of_span,
)
from miharu.exporters.otlp.encoding import nanoseconds, put
from miharu.exporters.otlp.environment import Environment
from miharu.exporters.otlp.metrics import Instrument, Metrics, Point, Series

__all__ = ("EVALUATION", "Payloads")

EVALUATION = "gen_ai.evaluation.result"
_STEP = 10
"""Records after which the interpreter's lock is given up."""
_SCOPE = InstrumentationScope(name="miharu", version=__version__)


class Payloads:
    """Makes messages; used by one thread."""

    def __init__(self, environment: Environment, messages: Messages) -> None:
        """Prepare; ``messages`` reads what was said in a call from its body."""
        self._environment = environment
        self._messages = messages

    def traces(self, records: Sequence[Call | Span]) -> bytes:
        """Calls and spans."""
        request = ExportTraceServiceRequest()
        scopes: dict[str | None, Any] = {}
        for record in _politely(records):
            if (scope := scopes.get(record.service)) is None:
                scope = scopes[record.service] = self._scope(
                    request.resource_spans, record.service, "scope_spans"
                )
            scope.spans.append(self._call(record) if isinstance(record, Call) else _span(record))
        return bytes(request.SerializeToString())

    def logs(
        self, records: Sequence[Score], place: Callable[[Score], tuple[str, str]], service: str | None
    ) -> bytes:
        """Scores of a service; ``place`` tells the trace and the span of one."""
        request = ExportLogsServiceRequest()
        scope = self._scope(request.resource_logs, service, "scope_logs")
        for score in _politely(records):
            scope.log_records.append(_evaluation(score, *place(score)))
        return bytes(request.SerializeToString())

    def metrics(self, metrics: Metrics) -> bytes:
        """All points as they stand."""
        request = ExportMetricsServiceRequest()
        points, started, now = metrics.take()
        for service, its in points.items():
            scope = self._scope(request.resource_metrics, service, "scope_metrics")
            for instrument, series in _politely(its.items()):
                scope.metrics.append(_metric(instrument, series, started, now, delta=metrics.delta))
        return bytes(request.SerializeToString())

    def _scope(self, resources: Any, service: str | None, scopes: str) -> Any:
        entry = resources.add()
        put(
            entry.resource.attributes,
            {
                **self._environment.resource,
                "service.name": self._environment.service or service or "unknown_service:python",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "miharu",
                "telemetry.sdk.version": __version__,
            },
        )
        scope = getattr(entry, scopes).add()
        scope.scope.CopyFrom(_SCOPE)
        return scope

    def _call(self, call: Call) -> SpanMessage:
        trace, span = ids_of_call(call.id, call.trace_id)
        outcome = call.outcome
        message = SpanMessage(
            trace_id=bytes.fromhex(trace),
            span_id=bytes.fromhex(call.span_id or span),
            parent_span_id=bytes.fromhex(call.parent_id or ""),
            name=name_of(call),
            kind=SpanMessage.SPAN_KIND_CLIENT,
            start_time_unix_nano=nanoseconds(call.timestamp),
            end_time_unix_nano=nanoseconds(call.timestamp + call.duration_ms),
        )
        put(message.attributes, {**attributes_of_call(call), **content_of(call, self._messages)})
        _set_status(message, outcome.status, outcome.error_message or outcome.error_type)
        return message


def _politely(records: Iterable[Any]) -> Iterable[Any]:
    for number, record in enumerate(records, 1):
        yield record
        if not number % _STEP:
            time.sleep(0)


def _span(span: Span) -> SpanMessage:
    message = SpanMessage(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.id),
        parent_span_id=bytes.fromhex(span.parent_id or ""),
        name=name_of_span(span),
        kind=SpanMessage.SPAN_KIND_INTERNAL,
        start_time_unix_nano=nanoseconds(span.timestamp),
        end_time_unix_nano=nanoseconds(span.timestamp + span.duration_ms),
    )
    put(message.attributes, attributes_of_span(span))
    if span.error_stack:
        event = message.events.add(name="exception", time_unix_nano=message.end_time_unix_nano)
        facts = {
            "exception.type": span.error_type,
            "exception.message": span.error_message,
            "exception.stacktrace": span.error_stack,
        }
        put(event.attributes, {name: value for name, value in facts.items() if value is not None})
    _set_status(message, span.status, span.error_message or span.error_type)
    return message


def _set_status(message: SpanMessage, status: str, said: str | None) -> None:
    if status == "error":
        message.status.code = Status.STATUS_CODE_ERROR
        message.status.message = (said or "").encode("utf-8", "replace").decode()


def _evaluation(score: Score, trace: str, span: str) -> LogRecord:
    message = LogRecord(
        time_unix_nano=nanoseconds(score.timestamp),
        observed_time_unix_nano=nanoseconds(score.timestamp),
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        event_name=EVALUATION,
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(span),
    )
    facts = {
        "gen_ai.evaluation.name": score.name,
        "gen_ai.evaluation.score.value": float(score.value),
        "gen_ai.evaluation.explanation": score.comment,
        "miharu.call.id": score.call_id,
        "miharu.score.id": score.id,
    }
    put(message.attributes, {name: value for name, value in facts.items() if value is not None})
    return message


def _metric(
    instrument: Instrument, series: Mapping[Series, Point], started: int, now: int, *, delta: bool
) -> Metric:
    temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        if delta
        else AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    metric = Metric(name=instrument.name, unit=instrument.unit, description=instrument.description)
    if not instrument.bounds:
        metric.sum.aggregation_temporality = temporality
        metric.sum.is_monotonic = True
    else:
        metric.histogram.aggregation_temporality = temporality
    for attributes, point in series.items():
        if instrument.bounds:
            message: Any = HistogramDataPoint(
                count=point.count,
                sum=point.sum,
                bucket_counts=point.buckets,
                explicit_bounds=instrument.bounds,
            )
            metric.histogram.data_points.append(message)
            message = metric.histogram.data_points[-1]
        else:
            whole = instrument.unit != "USD"
            message = (
                NumberDataPoint(as_int=round(point.sum)) if whole else NumberDataPoint(as_double=point.sum)
            )
            metric.sum.data_points.append(message)
            message = metric.sum.data_points[-1]
        message.start_time_unix_nano, message.time_unix_nano = started, now
        put(message.attributes, dict(attributes))
    return metric
