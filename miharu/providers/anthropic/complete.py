"""Anthropic's legacy Text Completions (https://docs.claude.com/en/api/complete). They never state a usage."""

from miharu.providers.anthropic._usage import error_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.wire import sse
from miharu.wire.json import loads, mapping, text

__all__ = ("AnthropicComplete",)


class AnthropicComplete:
    """Reads ``POST …/v1/complete``."""

    api = "anthropic.complete"
    rules = (Rule("/v1/complete"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _is_meant(wire):
            return None
        if wire.is_event_stream:
            return _stream(wire)
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            model=text(wire.answered.get("model")),
            request_model=text(wire.asked.get("model")),
            stream=wire.asked.get("stream") is True,
            error_type=kind,
            error_message=message,
            finish_reason=text(wire.answered.get("stop_reason")),
            response_id=text(wire.answered.get("id")),
        )


def _stream(wire: Wire) -> Reading:
    """Read a stream: its last event is the one with a stop reason."""
    ttft = model = response_id = finish = kind = message = None
    for event in sse.events(wire.body):
        data = mapping(loads(event.data))
        model = text(data.get("model")) or model
        response_id = text(data.get("id")) or response_id
        finish = text(data.get("stop_reason")) or finish
        if data.get("error"):
            kind, message = error_of(data, None)
        elif ttft is None and data.get("completion"):
            ttft = wire.ms_at(event.end)
    return Reading(
        terminated=finish is not None,
        model=model,
        request_model=text(wire.asked.get("model")),
        stream=True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
        response_id=response_id,
    )


def _is_meant(wire: Wire) -> bool:
    if wire.provider == "anthropic":
        return True
    if not (text(wire.asked.get("prompt")) and text(wire.asked.get("model"))):
        return False
    return wire.status is None or wire.status >= 400 or b'"completion"' in wire.body or not wire.body
