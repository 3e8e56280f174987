"""The shape that Chat Completions and the legacy Completions share: a model, choices, a usage."""

from collections.abc import Callable
from typing import Any

from miharu.call import Usage
from miharu.providers import _sse
from miharu.providers._json import loads, mapping, text
from miharu.providers.base import Reading, Wire
from miharu.providers.openai._common import error_of, requested_model, usage_of

__all__ = ("read_choices",)


def read_choices(wire: Wire, has_content: Callable[[dict[str, Any]], bool]) -> Reading:
    """Read an exchange whose answer has choices, plain or streamed.

    Args:
        wire: The exchange.
        has_content: Whether a choice of a streamed chunk carries generated content, not just its role.
    """
    if wire.is_event_stream:
        return _stream(wire, has_content)
    answer = wire.answered
    kind, message = error_of(answer, wire.status)
    finish = [mapping(choice).get("finish_reason") for choice in _list(answer.get("choices"))]
    return Reading(
        terminated=bool(answer),
        usage=usage_of(answer.get("usage")),
        model=text(answer.get("model")),
        request_model=requested_model(wire),
        stream=wire.asked.get("stream") is True,
        error_type=kind,
        error_message=message,
        finish_reason=next((text(reason) for reason in finish if reason), None),
        service_tier=text(answer.get("service_tier")),
        response_id=text(answer.get("id")),
    )


def _stream(wire: Wire, has_content: Callable[[dict[str, Any]], bool]) -> Reading:
    """Read a stream. The last of each fact holds: usage may stand in any chunk, with or without choices."""
    terminated, usage, ttft = False, Usage(), None
    model = response_id = finish = tier = kind = message = None
    for event in _sse.events(wire.body):
        if event.data.strip() == b"[DONE]":
            terminated = True
            continue
        chunk = loads(event.data)
        if not isinstance(chunk, dict):
            continue
        model = text(chunk.get("model")) or model
        response_id = text(chunk.get("id")) or response_id
        tier = text(chunk.get("service_tier")) or tier
        if chunk.get("usage"):
            usage = usage_of(chunk["usage"])
        if chunk.get("error"):
            kind, message = error_of(chunk, None)
        for choice in map(mapping, _list(chunk.get("choices"))):
            finish = text(choice.get("finish_reason")) or finish
            if ttft is None and has_content(choice):
                ttft = wire.ms_at(event.end)
    return Reading(
        terminated=terminated,
        usage=usage,
        model=model,
        request_model=requested_model(wire),
        stream=True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
        service_tier=tier,
        response_id=response_id,
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
