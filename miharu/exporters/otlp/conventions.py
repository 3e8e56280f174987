"""A call in the words of OpenTelemetry's conventions for generative AI, version 0.1.0.

https://github.com/open-telemetry/semantic-conventions-genai. What has no word there begins with ``miharu.``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from miharu.batch import Span
from miharu.call import Call
from miharu.exporters.otlp.operations import operation_of, provider_of

__all__ = (
    "attributes_of_call",
    "attributes_of_span",
    "cost_usd",
    "dimensions_of",
    "error_of",
    "ids_of_call",
    "name_of",
    "name_of_span",
)


_CONTENT = (
    ("miharu.input", "miharu.output"),
    ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
)
"""What a piece of work was given and returned, if that was captured; and the same of a tool."""


def name_of_span(span: Span) -> str:
    """As it is named, with the operation before the name of a tool."""
    return f"{span.kind} {span.name}" if span.is_tool else span.name


def name_of(call: Call) -> str:
    """The span's name: the operation, and the model that was asked for."""
    return " ".join(filter(None, (operation_of(call.api), call.request_model or call.model)))


def ids_of_call(call_id: str, trace_id: str | None) -> tuple[str, str]:
    """Trace and span of the call; one that belongs to no trace is a trace of its own."""
    digits = call_id.replace("-", "")
    return trace_id or digits, digits[16:]


def cost_usd(call: Call) -> float | None:
    return None if call.cost is None else call.cost.cost_nanousd / 1e9


def attributes_of_call(call: Call) -> dict[str, Any]:
    """What is known of the call, without content; an attribute without a value is left out."""
    return {name: value for name, value in _of_call(call) if value is not None}


def attributes_of_span(span: Span) -> dict[str, Any]:
    """What is known of a piece of the program's own work."""
    failed = span.status == "error"
    given, returned = _CONTENT[span.is_tool]
    found = {
        "gen_ai.operation.name": span.kind,
        "gen_ai.tool.name": span.name if span.is_tool else None,
        given: span.input,
        returned: span.output,
        "error.type": (span.error_type or "_OTHER") if failed else None,
        "miharu.status": span.status,
        **_whose(span),
    }
    return {name: value for name, value in found.items() if value is not None}


def dimensions_of(call: Call) -> Iterator[tuple[str, Any]]:
    """What spans and metrics tell calls apart by; ``None`` where it is not known."""
    address, _, port = (call.host or "").rpartition(":")
    has_port = bool(address) and port.isdecimal()
    yield "gen_ai.operation.name", operation_of(call.api)
    yield "gen_ai.provider.name", provider_of(call.api, call.provider)
    yield "gen_ai.request.model", call.request_model or call.model
    yield "gen_ai.response.model", call.model
    yield "server.address", ((address if has_port else call.host) or "").strip("[]") or None
    yield "server.port", int(port) if has_port else None


def error_of(call: Call) -> str | None:
    """The kind of error that a failed call ended with."""
    return (call.outcome.error_type or "_OTHER") if call.outcome.status == "error" else None


def _of_call(call: Call) -> Iterator[tuple[str, Any]]:
    usage, outcome, cost = call.usage, call.outcome, cost_usd(call)
    yield from dimensions_of(call)
    yield "gen_ai.request.stream", call.stream or None
    yield "gen_ai.response.id", call.response_id
    yield "gen_ai.response.finish_reasons", [call.finish_reason] if call.finish_reason else None
    yield "gen_ai.response.time_to_first_chunk", None if call.ttft_ms is None else call.ttft_ms / 1000
    yield "gen_ai.usage.input_tokens", usage.prompt_tokens
    yield "gen_ai.usage.output_tokens", usage.completion_tokens
    yield "gen_ai.usage.cache_read.input_tokens", usage.cached_tokens
    yield "gen_ai.usage.cache_write.input_tokens", usage.cache_write_tokens
    yield "gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens
    yield "gen_ai.usage.audio.input_tokens", usage.audio_input_tokens
    yield "gen_ai.usage.audio.output_tokens", usage.audio_output_tokens
    yield "gen_ai.usage.image.input_tokens", usage.image_input_tokens
    yield "gen_ai.usage.image.output_tokens", usage.image_output_tokens
    yield "gen_ai.usage.cost", cost
    yield "error.type", error_of(call)
    yield "http.response.status_code", outcome.http_status
    yield "miharu.call.id", call.id
    yield "miharu.api", call.api
    yield "miharu.sdk", call.sdk
    yield "miharu.status", outcome.status
    yield "miharu.cost.usd", cost
    yield "miharu.cost.source", call.cost.cost_source if call.cost else None
    yield "miharu.usage.source", usage.usage_source
    yield "miharu.service_tier", call.service_tier
    yield "miharu.request.id", call.request_id
    yield "miharu.attempt", call.attempt
    yield "miharu.call.group", call.call_group
    yield "miharu.duplicate_of", call.duplicate_of
    yield "gen_ai.prompt.name", call.prompt_name
    yield "miharu.prompt.hash", call.prompt_hash
    yield from _whose(call).items()


def _whose(record: Call | Span) -> Mapping[str, Any]:
    return {
        "gen_ai.conversation.id": record.session_id,
        "session.id": record.session_id,
        "user.id": record.user_id,
        "miharu.route": record.route,
        **{f"miharu.tag.{name}": value for name, value in (record.tags or {}).items()},
    }
