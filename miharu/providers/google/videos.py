"""Veo (https://ai.google.dev/gemini-api/docs/video), at AI Studio and Vertex AI.

A video is made after its answer, which names an operation. Asking for that operation, by ``GET`` or by
Vertex AI's ``:fetchPredictOperation``, completes the call when it is done.
"""

from collections.abc import Mapping
from typing import Any

from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.google._common import error_of, is_meant, requested_model
from miharu.providers.openai._common import items
from miharu.wire.json import mapping, text

__all__ = ("GeminiVideos",)

_FETCH = ":fetchPredictOperation"


class GeminiVideos:
    """Reads ``POST …:predictLongRunning``, and what asks for its end."""

    api = "gemini.videos"
    rules = (
        Rule(":predictLongRunning"),
        Rule(_FETCH, host=".googleapis.com"),
        Rule("/operations", host=".googleapis.com", method="GET"),
    )

    def read(self, wire: Wire) -> Reading | None:
        answered = wire.answered
        ends = wire.method == "GET" or wire.path.rstrip("/").endswith(_FETCH)
        if ends and (answered.get("done") is not True or "/models/" not in wire.path or wire.status != 200):
            return None
        if not ends and not is_meant(wire, asked=["instances"], answered=["name"]):
            return None
        kind, message = error_of(answered, wire.status)
        used = _used(wire, mapping(answered.get("response"))) if kind is None and message is None else {}
        return Reading(
            terminated=bool(answered),
            usage=stated(**used),
            # what a second costs depends on size and sound, which no list has by itself
            quantities={"output_videos": used["videos"]} if used.get("videos") else {},
            request_model=requested_model(wire) if not ends else None,
            error_type=kind,
            error_message=message,
            finish_reason="done" if ends else "running" if answered.get("name") else None,
            response_id=text(answered.get("name")),
            opens=not ends,
            completes=ends,
        )


def _used(wire: Wire, response: Mapping[str, Any]) -> dict[str, Any]:
    """How many videos were asked for or came back, and how long, how large and with what sound."""
    asked = mapping(wire.asked.get("parameters"))
    made = mapping(response.get("generateVideoResponse")).get("generatedSamples") or response.get("videos")
    facts: dict[str, Any] = {
        name: asked[name] for name in ("durationSeconds", "resolution", "generateAudio") if name in asked
    }
    if made:
        return {"videos": len(items(made)), **facts}
    return {"videos": asked.get("sampleCount", 1), **facts} if wire.asked.get("instances") else facts
