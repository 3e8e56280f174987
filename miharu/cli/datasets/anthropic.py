"""A conversation as Anthropic's messages (https://docs.anthropic.com/en/api/messages)."""

import json
from collections.abc import Iterator
from typing import Any

from miharu.cli.datasets.conversation import Conversation, Turn
from miharu.cli.datasets.tools import tools
from miharu.providers.messages import Part

__all__ = ("example",)


def example(said: Conversation) -> dict[str, Any]:
    """``{"system": …, "messages": […]}``, with ``tools`` where some were on offer."""
    found: dict[str, Any] = {}
    told = [part.text for turn in said.turns if turn.role == "system" for part in turn.parts]
    if told:
        found["system"] = "\n\n".join(told)
    found["messages"] = list(_messages(said))
    if offers := [_tool(tool) for tool in tools(said.request)]:
        found["tools"] = offers
    return found


def _tool(tool: Any) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": tool.schema}


def _messages(said: Conversation) -> Iterator[dict[str, Any]]:
    """The two sides in turn: results of tools are said by the user."""
    role, blocks = "", list[dict[str, Any]]()
    for turn in said.turns:
        side = _side(turn)
        if not side:
            continue
        if role and side != role:
            yield _message(role, blocks)
            blocks = []
        role = side
        blocks.extend(_block(part) for part in turn.parts)
    yield _message(role, blocks)


def _side(turn: Turn) -> str:
    return {"system": "", "assistant": "assistant"}.get(turn.role, "user")


def _message(role: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A message; its content is a text where it is one."""
    alone = len(blocks) == 1 and blocks[0]["type"] == "text"
    return {"role": role, "content": blocks[0]["text"] if alone else list(blocks)}


def _block(part: Part) -> dict[str, Any]:
    if part.kind == "call":
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": _arguments(part.text)}
    if part.kind == "result":
        return {"type": "tool_result", "tool_use_id": part.id, "content": part.text}
    return {"type": "text", "text": part.text}


def _arguments(text: str) -> Any:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": text}
