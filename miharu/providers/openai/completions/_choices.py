"""The shape that Chat Completions and the legacy Completions share: a model, choices, a usage."""

from collections.abc import Callable
from typing import Any

from miharu.providers.base import Reading, Wire
from miharu.providers.openai._common import answer_of, items, reading_of
from miharu.providers.openai.completions._chunks import has_content, read_chunks, tools_of
from miharu.wire.json import mapping, text

__all__ = ("has_content", "read_choices")


def read_choices(wire: Wire, begins: Callable[[dict[str, Any]], bool] = has_content) -> Reading:
    """Read an exchange whose answer has choices, plain or streamed.

    Args:
        wire: The exchange.
        begins: Whether content has begun with this choice of a streamed chunk.
    """
    if wire.is_event_stream:
        return read_chunks(wire, begins)
    answer = {**answer_of(wire)}
    choices = [mapping(choice) for choice in items(answer.get("choices"))]
    finish = [text(choice.get("finish_reason")) for choice in choices]
    # OpenRouter may have the error of its upstream in the choice (https://openrouter.ai/docs/api-reference)
    answer["error"] = answer.get("error") or next(filter(None, [c.get("error") for c in choices]), None)
    return reading_of(
        wire,
        answer,
        terminated=bool(answer_of(wire)),
        finish_reason=next(filter(None, finish), None),
        quantities=tools_of(wire, choices),
    )
