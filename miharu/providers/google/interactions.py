"""Gemini's Interactions (https://ai.google.dev/api/interactions-api), plain, streamed and in the background.

One in the background is answered ``in_progress``, without usage; a later ``GET`` carries it. A stream ends in
``interaction.completed`` (``interaction.complete`` before May 2026), then ``[DONE]``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.google._common import error_of, is_meant, modality_tokens, total
from miharu.providers.google._grounding import tool_counts
from miharu.wire.json import count, dumps, later, mapping, text
from miharu.wire.streams import answers

__all__ = ("GeminiInteractions",)

_GOOGLE = {"gcp.gemini", "gcp.vertex_ai"}
_OPEN = {None, "queued", "in_progress"}
_FAILED = {"failed", "budget_exceeded"}
_ENDS = {"interaction.completed", "interaction.complete"}
_CONTENT = {"step.delta", "content.delta"}


class GeminiInteractions:
    """Reads ``POST …/interactions``, and the ``GET`` that fetches one which has ended since."""

    api = "gemini.interactions"
    rules = (Rule("/interactions"), Rule("/interactions", method="GET"))

    def read(self, wire: Wire) -> Reading | None:
        if wire.method == "GET":
            return _fetched(wire)
        if wire.provider not in _GOOGLE and not (
            ("model" in wire.asked or "agent" in wire.asked)
            and is_meant(wire, asked=["input"], answered=["interaction", "interaction_id"])
        ):
            return None
        return _read(wire)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "system_instruction")


def _fetched(wire: Wire) -> Reading | None:
    """The end of one that was opened in the background; polls before it, and failed ones, say nothing."""
    if wire.status != 200 or wire.provider not in _GOOGLE:
        return None
    reading = _read(wire, completes=True)
    return None if reading.finish_reason in _OPEN or reading.response_id is None else reading


def _read(wire: Wire, *, completes: bool = False) -> Reading:
    interaction: Mapping[str, Any] = {}
    steps: list[Mapping[str, Any]] = []
    ended, ttft, failure = False, None, None
    for answer in answers(wire):
        if not wire.is_event_stream:
            interaction, ended = answer.value, True
            continue
        event = answer.value
        name = text(event.get("event_type")) or answer.event
        # the completed one comes without what earlier events have said
        newer = mapping(event.get("interaction"))
        usage = later(mapping(interaction.get("usage")), mapping(newer.get("usage")))
        interaction = {**interaction, **newer, **({"usage": usage} if usage else {})}
        if step := mapping(event.get("step")) or mapping(event.get("content")):
            steps.append(step)
        if delta := mapping(event.get("delta")):
            steps.append(delta)
        if status := text(event.get("status")):
            interaction = {**interaction, "status": status}
        if ttft is None and name in _CONTENT:
            ttft = wire.ms_at(answer.end)
        if name == "error":
            failure = event.get("error")
        ended = ended or name in _ENDS
    kind, message = error_of({**interaction, "error": failure or interaction.get("error")}, wire.status)
    finish = text(interaction.get("status"))
    began, updated = _ms(interaction.get("created")), _ms(interaction.get("updated"))
    if kind is None and finish in _FAILED:
        kind = finish
    return Reading(
        terminated=ended,
        usage=_usage(interaction.get("usage")),
        quantities=tool_counts(interaction.get("usage"), [*steps, *_steps(interaction)]),
        model=text(interaction.get("model")),
        # an agent is not a model, and uses several
        request_model=text(wire.asked.get("model")),
        stream=wire.is_event_stream or wire.asked.get("stream") is True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
        service_tier=text(interaction.get("service_tier")),
        response_id=text(interaction.get("id")),
        completes=completes,
        began_ms=began,
        lasted_ms=updated - began if began is not None and updated is not None and updated >= began else None,
    )


def _steps(interaction: Mapping[str, Any]) -> list[Any]:
    """What it did on the way; ``outputs`` before May 2026."""
    listed = (interaction.get(name) for name in ("steps", "outputs"))
    return [step for steps in listed if isinstance(steps, list) for step in steps]


def _usage(raw: Any) -> Usage:
    """The normal form: what tools put in is outside the input, and thoughts are outside the output."""
    if not isinstance(raw, dict) or not raw:
        return Usage()
    inputs = ("input_tokens_by_modality", "tool_use_tokens_by_modality")
    return Usage(
        prompt_tokens=total(raw, "total_input_tokens", "total_tool_use_tokens"),
        completion_tokens=total(raw, "total_output_tokens", "total_thought_tokens"),
        cached_tokens=count(raw, "total_cached_tokens"),
        reasoning_tokens=count(raw, "total_thought_tokens"),
        audio_input_tokens=modality_tokens(raw, "AUDIO", *inputs, tokens="tokens"),
        audio_output_tokens=modality_tokens(raw, "AUDIO", "output_tokens_by_modality", tokens="tokens"),
        image_input_tokens=modality_tokens(raw, "IMAGE", *inputs, tokens="tokens"),
        image_output_tokens=modality_tokens(raw, "IMAGE", "output_tokens_by_modality", tokens="tokens"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def _ms(value: Any) -> int | None:
    """Unix milliseconds of a moment in ISO 8601."""
    try:
        return round(datetime.fromisoformat(value).timestamp() * 1000) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
