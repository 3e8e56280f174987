"""Bedrock's InvokeModel and InvokeModelWithResponseStream: each model answers in its maker's own format.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html.
Beside it Bedrock counts tokens itself: in headers, and in the last chunk of a stream.
"""

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from miharu.kept_body import KEPT_HEAD
from miharu.providers.anthropic._stream import read_events
from miharu.providers.anthropic._tools import paid_tools, tools_of
from miharu.providers.anthropic._usage import error_of as inner_error
from miharu.providers.anthropic.messages import message_of
from miharu.providers.aws._inner import finish_of, fold, has_content, usage_of
from miharu.providers.aws._model import model_of
from miharu.providers.aws._terms import guardrails, latency
from miharu.providers.aws._usage import error_of, frame_error, metered_by_headers, metered_by_metrics
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside, fixed_in_messages
from miharu.providers.openai._usage import stated_cost
from miharu.wire.eventstream import frames
from miharu.wire.json import loads, mapping, text

__all__ = ("BedrockInvoke",)

Chunk = Mapping[str, Any]

_METRICS = "amazon-bedrock-invocationMetrics"
_LAST = (_METRICS, "totalOutputTextTokenCount")
"""One of them stands in the last chunk; Titan's even where a guardrail left the model unasked."""
_MESSAGES = ("message_", "content_block_", "ping")


class BedrockInvoke:
    """Reads ``POST /model/{id}/invoke`` and ``…/invoke-with-response-stream``."""

    api = "bedrock.invoke"
    rules = (Rule("/invoke"), Rule("/invoke-with-response-stream"))

    def read(self, wire: Wire) -> Reading | None:
        model = model_of(wire)
        if model is None or (wire.provider is None and not wire.asked):
            return None
        streamed = wire.path.rstrip("/").endswith("-stream")
        if streamed and (wire.status is None or wire.status < 400):
            reading = _stream(wire, model)
        else:
            reading = replace(_plain(wire, model), stream=streamed)
        return replace(
            reading,
            service_tier=_tier(wire) or reading.service_tier,
            quantities={**reading.quantities, **guardrails(wire, reading)},
            terms={**reading.terms, **latency(wire)},
        )

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "system") if request.get("system") else fixed_in_messages(request)


def _tier(wire: Wire) -> str | None:
    """Bedrock's own tier (https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html).

    It decides the price, over the tier that the model reports; the default one leaves that to the model.
    """
    tier = text(wire.headers.get("x-amzn-bedrock-service-tier"))
    return tier if tier != "default" else None


def _plain(wire: Wire, model: str) -> Reading:
    answer = message_of(wire)
    kind, message = error_of(wire, answer)
    return Reading(
        terminated=bool(answer) or _is_huge(wire.body),
        usage=usage_of(answer, metered_by_headers(wire.headers)),
        quantities=paid_tools(Counter(tools_of(answer.get("content"))), answer.get("usage"), wire.asked),
        model=text(answer.get("model")),
        request_model=model,
        error_type=kind,
        error_message=message,
        finish_reason=finish_of(answer),
        service_tier=text(mapping(answer.get("usage")).get("service_tier"))
        or text(answer.get("service_tier")),
        response_id=text(answer.get("id")),
        stated_cost_usd=stated_cost(answer.get("usage"), wire.headers),
    )


def _is_huge(body: bytes) -> bool:
    """Whether it is a picture, say, that was not kept whole and yet ended well."""
    return len(body) >= KEPT_HEAD and body.rstrip().endswith(b"}")


def _stream(wire: Wire, model: str) -> Reading:
    chunks = _chunks(wire.body)
    first = next(chunks, None)
    if first is None:
        return Reading(terminated=False, request_model=model, stream=True)
    chunks = chain((first,), chunks)
    kind = text(first[1].get("type"))
    if kind and kind.startswith(_MESSAGES):
        return read_events(wire, chunks, model)
    ttft, terminated = None, False
    error: Chunk = {}

    def watched() -> Iterator[Chunk]:
        nonlocal ttft, terminated, error
        for end, chunk in chunks:
            if ttft is None and has_content(chunk):
                ttft = wire.ms_at(end)
            terminated = terminated or any(chunk.get(name) is not None for name in _LAST)
            error = chunk if chunk.get("error") else error
            yield chunk

    answer = fold(watched())
    problem, message = inner_error(error, None)
    return Reading(
        terminated=terminated,
        usage=usage_of(answer, metered_by_metrics(answer.get(_METRICS))),
        model=text(answer.get("model")),
        request_model=model,
        stream=True,
        ttft_ms=ttft,
        error_type=problem,
        error_message=message,
        finish_reason=finish_of(answer),
        service_tier=text(answer.get("service_tier")),
        response_id=text(answer.get("id")),
    )


def _chunks(body: bytes) -> Iterator[tuple[int, Chunk]]:
    """The model's own chunks, and exceptions in the shape that Anthropic gives to an error."""
    for frame in frames(body):
        payload = mapping(loads(frame.payload))
        if error := frame_error(frame, payload):
            yield frame.end, {"type": "error", "error": {"type": error[0], "message": error[1]}}
            continue
        try:
            yield frame.end, mapping(loads(b64decode(payload.get("bytes") or "")))
        except (binascii.Error, TypeError, ValueError):
            continue
