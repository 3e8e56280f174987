"""Prompts and answers of a span, as JSON. They are kept only with ``capture_content``."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from miharu.call import Body
from miharu.ingest.otlp.records import LogRecord, OtelSpan

__all__ = ("MARKS", "body_of")

_ASKED = (
    *(
        "gen_ai.system_instructions",
        "gen_ai.input.messages",
        "gen_ai.prompt",
        "ai.prompt.messages",
        "ai.prompt",
    ),
    *("input.value", "langfuse.observation.input", "request_data", "gen_ai.tool.definitions"),
)
_ANSWERED = (
    *("gen_ai.output.messages", "gen_ai.completion", "ai.response.text", "ai.response.object"),
    *("ai.response.toolCalls", "output.value", "langfuse.observation.output", "response_data"),
)
_PARTS = (
    (re.compile(r"gen_ai\.prompt\.|llm\.input_messages\.|llm\.prompts\."), 0),
    (re.compile(r"gen_ai\.completion\.|llm\.output_messages\."), 1),
)
"""Messages whose parts are attributes of their own."""
MARKS = ("gen_ai.",)
"""How the names of events begin that carry messages."""
_ANSWERS = {"gen_ai.choice"}

Sides = tuple[dict[str, Any], dict[str, Any]]
"""What was asked, and what was answered."""


def body_of(span: OtelSpan, records: Iterable[LogRecord] = ()) -> Body | None:
    """Both sides, each as a JSON object of the names under which they were sent."""
    sides = _of_attributes(span)
    for event in span.events:
        if event.name.startswith(MARKS):
            _add(sides, event.name, event.attributes)
    for record in records:
        body = {} if record.body is None else {"body": record.body}
        _add(sides, record.name, {**record.attributes, **body})
    if not any(sides):
        return None
    request, response = (_written(side) for side in sides)
    return Body(request=request, response=response)


def _of_attributes(span: OtelSpan) -> Sides:
    sides: Sides = ({}, {})
    for name, value in span.attributes.items():
        if name in _ASKED or name in _ANSWERED:
            sides[name in _ANSWERED][name] = _unfolded(value)
        for pattern, side in _PARTS:
            if pattern.match(name):
                sides[side][name] = value
    return sides


def _add(sides: Sides, name: str, said: Mapping[str, Any]) -> None:
    asked = {key: _unfolded(value) for key, value in said.items() if key in _ASKED}
    answered = {key: _unfolded(value) for key, value in said.items() if key in _ANSWERED}
    if asked or answered:
        sides[0].update(asked)
        sides[1].update(answered)
    else:
        sides[name in _ANSWERS].setdefault("events", []).append({"event": name, **said})


def _unfolded(value: Any) -> Any:
    """JSON within a text, as JSON."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _written(side: Mapping[str, Any]) -> bytes | None:
    return json.dumps(side, ensure_ascii=False).encode("utf-8", "replace") if side else None
