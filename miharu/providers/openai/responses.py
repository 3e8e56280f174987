"""OpenAI Responses (https://platform.openai.com/docs/api-reference/responses), plain and streamed.

A stream ends in ``response.completed``, ``.incomplete`` or ``.failed``, each with the whole response and its
usage; there is no ``[DONE]``. A background response is answered ``queued``, without usage.
"""

from collections.abc import Mapping
from typing import Any

from miharu.providers import _sse
from miharu.providers._json import loads, mapping, text
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import error_of, is_meant, requested_model, usage_of

__all__ = ("OpenAIResponses",)

_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


class OpenAIResponses:
    """Reads ``POST …/responses``."""

    api = "openai.responses"
    rules = (Rule("/responses"),)

    def read(self, wire: Wire) -> Reading | None:
        if wire.is_event_stream:
            return _stream(wire) if is_meant(wire, asked="input", answered="response") else None
        if not is_meant(wire, asked="input", answered="output"):
            return None
        return _reading(wire, wire.answered, terminated=bool(wire.answered))


def _stream(wire: Wire) -> Reading:
    response: Mapping[str, Any] = {}
    terminated, ttft = False, None
    for event in _sse.events(wire.body):
        if ttft is not None and event.name.endswith(".delta"):
            continue  # the bulk of a stream, and nothing of it is needed any more
        data = mapping(loads(event.data))
        kind = text(data.get("type")) or event.name
        if ttft is None and kind.endswith(".delta"):
            ttft = wire.ms_at(event.end)
        response = mapping(data.get("response")) or response
        if kind in _TERMINAL:
            terminated = True
        elif kind == "error":
            # the fields of the error stand in the event itself, beside its type
            fields = mapping(data.get("error")) or {"code": data.get("code"), "message": data.get("message")}
            response = {**response, "error": fields}
    return _reading(wire, response, terminated=terminated, stream=True, ttft_ms=ttft)


def _reading(
    wire: Wire,
    response: Mapping[str, Any],
    *,
    terminated: bool,
    stream: bool = False,
    ttft_ms: int | None = None,
) -> Reading:
    kind, message = error_of(response, wire.status)
    finish = mapping(response.get("incomplete_details")).get("reason") or response.get("status")
    return Reading(
        terminated=terminated,
        usage=usage_of(response.get("usage")),
        model=text(response.get("model")),
        request_model=requested_model(wire),
        stream=stream or wire.asked.get("stream") is True,
        ttft_ms=ttft_ms,
        error_type=kind,
        error_message=message,
        finish_reason=text(finish),
        service_tier=text(response.get("service_tier")),
        response_id=text(response.get("id")),
    )
