"""Bedrock's Converse and ConverseStream: one format for every model.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. The answer names no
model, except where a prompt router has chosen one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from miharu.providers.aws._model import model_of
from miharu.providers.aws._terms import guardrails, latency, system_tools
from miharu.providers.aws._usage import error_of, frame_error, usage_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.openai._usage import stated_cost
from miharu.wire.eventstream import frames
from miharu.wire.json import later, loads, mapping, text

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("BedrockConverse",)


class BedrockConverse:
    """Reads ``POST /model/{id}/converse`` and ``…/converse-stream``."""

    api = "bedrock.converse"
    rules = (Rule("/converse"), Rule("/converse-stream"))

    def read(self, wire: Wire) -> Reading | None:
        model = model_of(wire)
        if model is None or (wire.provider is None and not isinstance(wire.asked.get("messages"), list)):
            return None
        streamed = wire.path.rstrip("/").endswith("-stream")
        if streamed and (wire.status is None or wire.status < 400):
            return _stream(wire, model)
        answer = wire.answered
        kind, message = error_of(wire, answer)
        return _reading(
            wire,
            answer,
            model,
            {},
            terminated=bool(answer),
            stream=streamed,
            error_type=kind,
            error_message=message,
            finish_reason=text(answer.get("stopReason")),
        )

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.aws._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        config = request.get("toolConfig")
        tools = config.get("tools") if isinstance(config, dict) else None
        return fixed_beside({"system": request.get("system"), "tools": tools}, "system")


def _stream(wire: Wire, model: str) -> Reading:
    """Read a stream: the answer is whole with ``messageStop``; usage comes after it, with ``metadata``."""
    metadata: Mapping[str, Any] = {}
    tools: dict[str, float] = {}
    ttft = finish = kind = message = None
    for frame in frames(wire.body):
        if frame.event == "contentBlockDelta":
            ttft = wire.ms_at(frame.end) if ttft is None else ttft
            continue
        payload = mapping(loads(frame.payload))
        if error := frame_error(frame, payload):
            kind, message = error
        elif frame.event == "messageStop":
            finish = text(payload.get("stopReason")) or "unknown"
        elif frame.event == "metadata":
            metadata = {
                **payload,
                "usage": later(mapping(metadata.get("usage")), mapping(payload.get("usage"))),
            }
        elif frame.event == "contentBlockStart":
            start = mapping(payload.get("start"))
            tools |= system_tools({"output": {"message": {"content": [start]}}})
    return _reading(
        wire,
        metadata,
        model,
        tools,
        terminated=finish is not None or bool(metadata),
        stream=True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
    )


def _reading(
    wire: Wire, answer: Mapping[str, Any], model: str, tools: Mapping[str, float], **facts: Any
) -> Reading:
    usage = answer.get("usage")
    reading = Reading(
        usage=usage_of(usage),
        # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PromptRouterTrace.html
        model=text(mapping(mapping(answer.get("trace")).get("promptRouter")).get("invokedModelId")),
        request_model=model,
        # https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
        service_tier=text(mapping(answer.get("serviceTier")).get("type")),
        stated_cost_usd=stated_cost(usage, wire.headers),
        terms=latency(wire, answer),
        **facts,
    )
    router = {"prompt_routings": 1} if mapping(answer.get("trace")).get("promptRouter") else {}
    quantities = {**system_tools(answer), **tools, **router, **guardrails(wire, reading)}
    return replace(reading, quantities=quantities)
