"""The definitions of the tools on offer, as most formats write them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from miharu.providers.messages import dicts

__all__ = ("Tool", "tools")


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str | None
    schema: Any


def tools(request: Mapping[str, Any]) -> Iterator[Tool]:
    """The functions on offer; what a provider runs itself is none of them."""
    config = request.get("toolConfig")
    offered = request.get("tools") or request.get("functions")
    if not offered and isinstance(config, dict):  # Bedrock's Converse
        offered = config.get("tools")
    for one in dicts(offered or []):
        declared = one.get("functionDeclarations") or one.get("function_declarations")  # Gemini's
        for each in dicts(declared) if declared else (one,):
            if tool := _tool(each):
                yield tool


def _tool(one: Mapping[str, Any]) -> Tool | None:
    inner = next((one[name] for name in ("function", "toolSpec") if isinstance(one.get(name), dict)), one)
    name = inner.get("name")
    schema = next(
        (
            inner[key]
            for key in (
                "parameters",
                "input_schema",
                "inputSchema",
                "parametersJsonSchema",
                "parameter_definitions",
            )
            if inner.get(key) is not None
        ),
        None,
    )
    if isinstance(schema, dict) and set(schema) == {"json"}:
        schema = schema["json"]
    if not isinstance(name, str) or (schema is None and inner is one and one.get("type") != "function"):
        return None
    described = inner.get("description")
    return Tool(name, described if isinstance(described, str) else None, schema or {"type": "object"})
