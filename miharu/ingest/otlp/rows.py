"""A span of OpenTelemetry as a call, or as a span of ours."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from miharu._ids import new_id
from miharu.batch import TOOL, Span
from miharu.call import Call, Outcome, Status
from miharu.ingest.otlp.content import body_of
from miharu.ingest.otlp.facts import (
    cost_of,
    finish_of,
    first,
    first_token_ms,
    parameters_of,
    provider_named,
    response_id_of,
    tags_of,
    usage_of,
)
from miharu.ingest.otlp.records import LogRecord, OtelSpan
from miharu.ingest.otlp.work import GIVEN, RETURNED, operation_of, tool_name_of, tools_of

__all__ = ("as_call", "as_span", "id_of")

_USER = (
    *("user.id", "enduser.id", "langfuse.user.id", "ai.telemetry.metadata.userId"),
    *("traceloop.association.properties.user_id", "gen_ai.user.id"),
)
_SESSION = (
    *("session.id", "gen_ai.conversation.id", "langfuse.session.id", "ai.telemetry.metadata.sessionId"),
    "traceloop.association.properties.session_id",
)
_PROMPT = ("gen_ai.prompt.name", "langfuse.observation.prompt.name", "langfuse.prompt.name")
_PROMPT_VERSION = ("miharu.prompt.hash", "langfuse.observation.prompt.version", "langfuse.prompt.version")
_STREAMED = (
    "gen_ai.request.stream",
    "gen_ai.request.is_stream",
    "gen_ai.is_streaming",
    "llm.is_streaming",
    "llm.request.is_streaming",
)
_MODEL = ("llm.model_name", "embedding.model_name", "langfuse.observation.model.name")
"""As the answer names it, or as it was asked for: they do not say which."""
_NS = 1_000_000


def as_call(span: OtelSpan, records: Iterable[LogRecord] = (), *, content: bool = False) -> Call:
    """The call that it was. Its id is made of those of trace and span: the same, however often it is sent."""
    found, timestamp = span.attributes, _start(span) // _NS
    identity = id_of(span, timestamp)
    named = _text(first(found, *_MODEL))
    asked = _text(first(found, "gen_ai.request.model", "ai.model.id") or parameters_of(found).get("model"))
    model = _text(first(found, "gen_ai.response.model", "ai.response.model")) or named or asked
    return Call(
        id=identity,
        timestamp=timestamp,
        api=f"otel.{_operation(span)}",
        outcome=_outcome(span),
        usage=usage_of(found),
        cost=cost_of(found),
        model=model,
        request_model=asked or named,
        provider=provider_named(found),
        host=_text(found.get("server.address")),
        sdk=span.scope or None,
        stream=_is_streamed(span),
        duration_ms=(span.end - _start(span)) // _NS,
        ttft_ms=first_token_ms(span),
        finish_reason=finish_of(found),
        service_tier=_text(
            first(found, "openai.response.service_tier", "gen_ai.openai.response.service_tier")
        ),
        response_id=response_id_of(found),
        attempt=1,
        call_group=identity,
        trace_id=span.trace_id,
        span_id=span.id,
        parent_id=span.parent_id or None,
        tags=tags_of(found),
        tools=tools_of(found),
        prompt_name=_text(first(found, *_PROMPT)),
        prompt_hash=_text(first(found, *_PROMPT_VERSION)),
        body=body_of(span, records) if content else None,
        **_whose(span),
    )


def id_of(span: OtelSpan, timestamp: int) -> str:
    """The id of a call that began then (Unix milliseconds) and that this span tells of."""
    return new_id(timestamp, blake2b(f"{span.trace_id}{span.id}".encode(), digest_size=10).digest())


def as_span(span: OtelSpan, *, content: bool = False) -> Span:
    """The piece of work that it was."""
    outcome, found = _outcome(span), span.attributes
    kind = operation_of(found)
    failure = next((event.attributes for event in span.events if event.name == "exception"), {})
    return Span(
        id=span.id,
        trace_id=span.trace_id,
        name=(tool_name_of(found) if kind == TOOL else None) or span.name or "span",
        kind=kind,
        input=_text(first(found, *GIVEN)) if content else None,
        output=_text(first(found, *RETURNED)) if content else None,
        error_stack=_text(failure.get("exception.stacktrace")) if outcome.status == "error" else None,
        timestamp=span.start // _NS,
        duration_ms=(span.end - span.start) // _NS,
        status=outcome.status,
        parent_id=span.parent_id or None,
        error_type=outcome.error_type,
        error_message=outcome.error_message,
        tags=tags_of(span.attributes),
        **_whose(span),
    )


def _whose(span: OtelSpan) -> dict[str, Any]:
    service = _text(span.resource.get("service.name"))
    route = _text(span.attributes.get("miharu.route"))
    return {
        "service": None if service is None or service.startswith("unknown_service") else service,
        "route": route,
        "user_id": _text(first(span.attributes, *_USER)),
        "session_id": _text(first(span.attributes, *_SESSION)),
    }


def _operation(span: OtelSpan) -> str:
    found = span.attributes
    kind = first(found, "gen_ai.operation.name", "llm.request.type")
    if kind is None:
        kind = first(found, "openinference.span.kind", "ai.operationId", "langfuse.observation.type")
    word = str(kind or "chat").lower()
    if "embed" in word:
        return "embeddings"
    return word if word.isidentifier() and word not in {"llm", "generation"} else "chat"


def _outcome(span: OtelSpan) -> Outcome:
    failure = next((event.attributes for event in span.events if event.name == "exception"), {})
    kind = _text(span.attributes.get("error.type"))
    status: Status = "error" if span.failed or kind else "success"
    if status == "success":
        return Outcome(status=status, http_status=_status(span))
    return Outcome(
        status=status,
        http_status=_status(span),
        error_type=kind or _text(failure.get("exception.type")) or "error",
        error_message=span.message or _text(failure.get("exception.message")),
    )


def _status(span: OtelSpan) -> int | None:
    said = first(span.attributes, "http.response.status_code", "http.status_code")
    kind = span.attributes.get("error.type")
    if said is None and isinstance(kind, str) and kind.isdecimal() and len(kind) == 3:
        said = int(kind)
    return said if isinstance(said, int) and 100 <= said < 600 else None


def _is_streamed(span: OtelSpan) -> bool:
    said = first(span.attributes, *_STREAMED) or parameters_of(span.attributes).get("stream")
    return (
        said in (True, "true")
        or _is_record(span)
        or str(span.attributes.get("ai.operationId", "")).endswith(".doStream")
    )


def _is_record(span: OtelSpan) -> bool:
    """Whether it is Logfire's record of a stream that has ended, which says how long that took."""
    found = span.attributes
    return found.get("logfire.span_type") == "log" and isinstance(found.get("duration"), float)


def _start(span: OtelSpan) -> int:
    """Unix nanoseconds."""
    took = span.attributes["duration"] if _is_record(span) else 0.0
    if not took > 0:  # nor a number at all
        return span.start
    return max(0, span.start - int(min(took, 86_400.0) * 1e9))


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
