"""OpenAI Images (https://platform.openai.com/docs/api-reference/images), plain and streamed.

The GPT image models state their usage behind megabytes of base64; DALL·E has none.
"""

import re
from typing import Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, asked_of, reading_of, requested_model
from miharu.providers.openai.media._events import note
from miharu.wire import sse
from miharu.wire.json import loads, mapping, text
from miharu.wire.large import LARGE, salvaged

__all__ = ("OpenAIImages",)

_IMAGES = re.compile(rb'"(?:data|images|b64_json|url)"\s*:')


class OpenAIImages:
    """Reads ``POST …/images/generations``, ``…/edits``, ``…/variations``, and OpenRouter's ``…/images``."""

    api = "openai.images"
    rules = (
        *(Rule(path) for path in ("/images/generations", "/images/edits", "/images/variations")),
        Rule("/images", host="openrouter.ai"),  # https://openrouter.ai/docs
    )

    def read(self, wire: Wire) -> Reading | None:
        if wire.provider is None and not _is_meant(wire):
            return None
        return _stream(wire) if wire.is_event_stream else reading_of(wire, answer_of(wire))


def _is_meant(wire: Wire) -> bool:
    """On an unknown host: a model and a prompt were asked for, and images came back."""
    if not requested_model(wire) or not text(asked_of(wire).get("prompt")):
        return False
    failed = wire.status is None or wire.status >= 400
    return failed or not wire.body or _IMAGES.search(wire.body, 0, LARGE) is not None


def _stream(wire: Wire) -> Reading:
    """``…partial_image`` events, then ``…completed`` with the usage, one for each image."""
    seen: dict[str, Any] = {}
    terminated, ttft = False, None
    for event in sse.events(wire.body):
        data = mapping(loads(event.data))
        kind = text(data.get("type")) or event.name
        if ttft is None and kind.endswith((".partial_image", ".completed")):
            ttft = wire.ms_at(event.end)
        terminated = terminated or kind.endswith(".completed") or event.data.strip() == b"[DONE]"
        note(seen, data, kind)
    if wire.gap is not None and not terminated:
        # the last event has lost its beginning, and still ends in its usage
        seen |= salvaged(b"", wire.body[wire.gap :])
        terminated = "usage" in seen and wire.body.rstrip().endswith(b"}")
    return reading_of(wire, seen, terminated=terminated, stream=True, ttft_ms=ttft)
