"""What kind of work a span is, in the conventions that there are, and which tools a call asked for."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.ingest.otlp.facts import first
from miharu.ingest.otlp.records import Attributes

__all__ = ("GIVEN", "RETURNED", "operation_of", "tool_name_of", "tools_of")

GIVEN = (
    *("gen_ai.tool.call.arguments", "miharu.input", "input.value", "traceloop.entity.input"),
    *("ai.toolCall.args", "langfuse.observation.input", "tool_arguments"),
)
RETURNED = (
    *("gen_ai.tool.call.result", "miharu.output", "output.value", "traceloop.entity.output"),
    *("ai.toolCall.result", "langfuse.observation.output", "tool_response"),
)
_KINDS: Mapping[str, str] = {"tool": "execute_tool", "agent": "invoke_agent", "workflow": "invoke_workflow"}
_SAID = ("openinference.span.kind", "traceloop.span.kind", "langfuse.observation.type")
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_TOOL_NAMES = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name")
_NAMES = re.compile(
    r"(?:gen_ai\.completion\.\d+\.tool_calls\.\d+\.name"
    r"|llm\.output_messages\.\d+\.message\.tool_calls\.\d+\.tool_call\.function\.name)\Z"
)
_MESSAGES = ("gen_ai.output.messages", "ai.response.toolCalls")
_MOST, _LONGEST_NAME = 64, 100
_LARGEST = 1 << 20


def operation_of(found: Attributes) -> str | None:
    """OpenTelemetry's operation; ``None`` of plain work."""
    said = found.get("gen_ai.operation.name")
    if isinstance(said, str) and _WORD.fullmatch(said):
        return said
    if found.get("ai.operationId") == "ai.toolCall" or "gen_ai.tool.name" in found:
        return _KINDS["tool"]
    word = str(first(found, *_SAID) or "").lower()
    return "retrieval" if word == "retriever" else _KINDS.get(word)


def tool_name_of(found: Attributes) -> str | None:
    """The name of the tool that ran."""
    name = first(found, *_TOOL_NAMES)
    return name if isinstance(name, str) else None


def tools_of(found: Attributes) -> str | None:
    """The names of the tools that the answer asked for, as a JSON list; ``None`` where none is named."""
    names = [value for name, value in found.items() if _NAMES.match(name)]
    for name in () if names else _MESSAGES:
        text = found.get(name)
        if isinstance(text, str) and len(text) <= _LARGEST:
            names += _in_messages(text)
    written = [str(name)[:_LONGEST_NAME] for name in names if name]
    while len(text := json.dumps(written[:_MOST], ensure_ascii=False)) > 2_000:
        written = written[: len(written[:_MOST]) // 2]
    return text if written else None


def _in_messages(text: str) -> Iterator[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    for one in value if isinstance(value, list) else []:
        parts = one.get("parts") if isinstance(one, dict) else None
        if isinstance(parts, list):
            yield from (
                part.get("name")
                for part in parts
                if isinstance(part, dict) and part.get("type") == "tool_call"
            )
        elif isinstance(one, dict):
            yield one.get("toolName")
