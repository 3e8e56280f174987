"""Bedrock's agents and knowledge bases, which call models on the caller's behalf.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Agents_for_Amazon_Bedrock_Runtime.html.
They say what that took only in a trace, which has to be asked for; their streams have no end marker.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.aws._usage import error_of, frame_error
from miharu.providers.base import Reading, Rule, Wire
from miharu.wire.eventstream import frames
from miharu.wire.json import count, dumps, loads, mapping, text

__all__ = ("BedrockAgents",)

_PATH = re.compile(r"/agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text$|/retrieveAndGenerate(?:Stream)?$")


class BedrockAgents:
    """Reads ``InvokeAgent``, ``RetrieveAndGenerate`` and ``RetrieveAndGenerateStream``."""

    api = "bedrock.agents"
    rules = (Rule("/text"), Rule("/retrieveAndGenerate"), Rule("/retrieveAndGenerateStream"))

    def read(self, wire: Wire) -> Reading | None:
        if wire.provider != "aws.bedrock" or not _PATH.search(wire.path.rstrip("/")):
            return None
        streamed = not wire.path.rstrip("/").endswith("Generate")
        if streamed and (wire.status is None or wire.status < 400):
            return _stream(wire)
        kind, message = error_of(wire, wire.answered)
        return Reading(
            terminated=bool(wire.answered),
            request_model=_requested_model(wire),
            stream=streamed,
            error_type=kind,
            error_message=message,
        )


def _stream(wire: Wire) -> Reading:
    usages: list[dict[str, Any]] = []
    models: set[str] = set()
    ttft = model = kind = message = None
    began = False
    for frame in frames(wire.body):
        began = True
        if frame.event in {"chunk", "output"}:
            ttft = wire.ms_at(frame.end) if ttft is None else ttft
            continue
        payload = mapping(loads(frame.payload))
        if error := frame_error(frame, payload):
            kind, message = error
        for step in _steps(payload):
            model = text(mapping(step.get("modelInvocationInput")).get("foundationModel")) or model
            models |= {model} if model else set()
            output = mapping(step.get("modelInvocationOutput"))
            if usage := mapping(mapping(output.get("metadata")).get("usage")):
                usages.append(usage)
    return Reading(
        terminated=began and wire.end == "eof",
        usage=_sum(usages),
        # their tokens are summed, and each has a price of its own
        quantities={"other_models": len(models) - 1} if len(models) > 1 else {},
        model=model,
        request_model=_requested_model(wire),
        stream=True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
    )


def _steps(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The steps of a trace event, such as orchestration or routing; each may have called a model."""
    yield from map(mapping, mapping(payload.get("trace")).values())


def _sum(usages: list[dict[str, Any]]) -> Usage:
    """One usage for all models that were called: unlike a stream's, these do not contain each other."""
    if not usages:
        return Usage()
    prompt, completion = (
        [found for usage in usages if (found := count(usage, name)) is not None]
        for name in ("inputTokens", "outputTokens")
    )
    return Usage(
        prompt_tokens=sum(prompt) if prompt else None,
        completion_tokens=sum(completion) if completion else None,
        usage_source="provider",
        usage_raw=dumps(usages),
    )


def _requested_model(wire: Wire) -> str | None:
    """The model that is to write the answer from what was retrieved; an agent keeps its own to itself."""
    how = mapping(wire.asked.get("retrieveAndGenerateConfiguration"))
    for part in ("knowledgeBaseConfiguration", "externalSourcesConfiguration"):
        if model := text(mapping(how.get(part)).get("modelArn")):
            return model
    return None
