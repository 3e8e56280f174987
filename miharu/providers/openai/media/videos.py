"""Videos of OpenAI (https://platform.openai.com/docs/api-reference/videos) and xAI (https://docs.x.ai/docs).

A video is made after its answer; a later ``GET`` that finds it ended completes the call. OpenAI states
seconds and size, and xAI what it cost.
"""

import re
from collections.abc import Mapping
from typing import Any

from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, asked_of, requested_model
from miharu.providers.openai._errors import error_of
from miharu.providers.openai._usage import stated_cost
from miharu.wire.json import count, mapping, text

__all__ = ("OpenAIVideos",)

_ENDED = {"completed", "failed", "done", "expired", "cancelled"}
_FAILED = {"failed", "expired"}
_PATHS = ("/videos", "/videos/generations", "/videos/edits", "/videos/extensions", "/remix")
_ID = re.compile(r"/videos/([^/]+)/?\Z")


class OpenAIVideos:
    """Reads ``POST …/videos`` and what edits, extends or remixes one, and ``GET …/videos/{id}``."""

    api = "openai.videos"
    rules = tuple(
        rule
        for host in (".openai.com", ".openai.azure.com", "api.x.ai")
        for rule in (*(Rule(path, host=host) for path in _PATHS), Rule("/videos", host=host, method="GET"))
    )

    def read(self, wire: Wire) -> Reading | None:
        answer = answer_of(wire)
        ends, status = wire.method == "GET", text(answer.get("status"))
        if (wire.path.endswith("/remix") and "/videos/" not in wire.path) or (
            ends and (status not in _ENDED or wire.status != 200)
        ):
            return None
        kind, message = error_of(answer, wire.status)
        if status in _FAILED and kind is None and message is None:
            kind = status
        seconds = _seconds(answer, asked_of(wire))
        cost = stated_cost(answer.get("usage"), wire.headers)
        video, created, completed = mapping(answer.get("video")), *_moments(answer)
        of_path = _ID.search(wire.path)
        failed = kind is not None or message is not None
        return Reading(
            terminated=bool(answer),
            usage=stated(seconds=seconds, size=answer.get("size"), **mapping(answer.get("usage")))
            if answer and not failed
            else stated(),
            quantities={"output_video_seconds": seconds} if seconds and not failed else {},
            model=text(answer.get("model")),
            request_model=requested_model(wire),
            error_type=kind,
            error_message=message,
            finish_reason=status or ("queued" if answer and not failed and not video else None),
            response_id=text(answer.get("id"))
            or text(answer.get("request_id"))
            or (of_path.group(1) if ends and of_path else None),
            stated_cost_usd=cost,
            opens=not ends and status not in _ENDED,
            completes=ends,
            began_ms=created * 1000 if ends and created else None,
            lasted_ms=max(0, completed - created) * 1000 if ends and created and completed else None,
        )


def _seconds(answer: Mapping[str, Any], asked: Mapping[str, Any]) -> float | None:
    """How long the video is: OpenAI says it as text, xAI as a number of the video."""
    for value in (
        answer.get("seconds"),
        mapping(answer.get("video")).get("duration"),
        asked.get("seconds"),
        asked.get("duration"),
    ):
        try:
            seconds = float(value or 0)
        except (TypeError, ValueError):
            continue
        if 0 < seconds < 2**31:
            return seconds
    return None


def _moments(answer: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return count(answer, "created_at"), count(answer, "completed_at")
