"""Cohere's Chat, version 2 (https://docs.cohere.com/reference/chat), plain and streamed.

A stream ends in ``message-end``, which carries the usage; ``[DONE]`` may follow.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.cohere._common import FAILED, is_meant, usage_of
from miharu.providers.fixed import Fixed, fixed_in_messages
from miharu.providers.openai._errors import error_of
from miharu.wire.json import mapping, text
from miharu.wire.streams import answers

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("CohereChat",)

_CONTENT = {"content-delta", "tool-plan-delta", "tool-call-start", "tool-call-delta"}


class CohereChat:
    """Reads ``POST …/v2/chat``."""

    api = "cohere.chat"
    rules = (Rule("/v2/chat"),)

    def read(self, wire: Wire) -> Reading | None:
        # a stream says type where a plain answer says role
        if not is_meant(wire, asked="messages", answered=["message", "finish_reason"]):
            return None
        if wire.is_event_stream:
            return _stream(wire)
        return _reading(wire, wire.answered, terminated=bool(wire.answered))

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.cohere._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_in_messages(request)


def _stream(wire: Wire) -> Reading:
    end: Mapping[str, Any] = {}
    response_id, terminated, ttft = None, False, None
    for answer in answers(wire):
        event = answer.value
        kind = text(event.get("type")) or answer.event
        response_id = text(event.get("id")) or response_id
        if ttft is None and kind in _CONTENT:
            ttft = wire.ms_at(answer.end)
        if kind == "message-end":
            end, terminated = mapping(event.get("delta")), True
        elif event.get("error"):
            end = {**end, "error": event["error"]}
    return _reading(wire, {**end, "id": response_id}, terminated=terminated, stream=True, ttft_ms=ttft)


def _reading(
    wire: Wire,
    answered: Mapping[str, Any],
    *,
    terminated: bool,
    stream: bool = False,
    ttft_ms: int | None = None,
) -> Reading:
    kind, message = error_of(answered, wire.status)
    finish = text(answered.get("finish_reason"))
    if finish in FAILED:
        kind = finish
    return Reading(
        terminated=terminated,
        usage=usage_of(answered.get("usage")),
        request_model=text(wire.asked.get("model")),
        stream=stream or wire.asked.get("stream") is True,
        ttft_ms=ttft_ms,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
        response_id=text(answered.get("id")),
    )
