"""A conversation as OpenAI's chat messages (https://platform.openai.com/docs/guides/fine-tuning)."""

from collections.abc import Iterator
from typing import Any

from miharu.cli.datasets.conversation import Conversation, Turn
from miharu.cli.datasets.tools import tools
from miharu.providers.messages import Part

__all__ = ("answer", "example", "messages", "offered")


def example(said: Conversation) -> dict[str, Any]:
    """``{"messages": […]}``, with ``tools`` where some were on offer."""
    found: dict[str, Any] = {"messages": [*messages(said), answer(said)]}
    if offers := offered(said):
        found["tools"] = offers
    return found


def messages(said: Conversation) -> list[dict[str, Any]]:
    """What was asked."""
    return [message for turn in said.asked for message in _messages(turn)]


def answer(said: Conversation) -> dict[str, Any]:
    [message] = _messages(said.answer)
    return message


def offered(said: Conversation) -> list[dict[str, Any]]:
    """The tools that the model could call."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                "parameters": tool.schema,
            },
        }
        for tool in tools(said.request)
    ]


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    """One message, and one for each result of a tool."""
    for part in turn.parts:
        if part.kind == "result":
            yield {"role": "tool", "tool_call_id": part.id, "content": part.text}
    rest = [part for part in turn.parts if part.kind != "result"]
    if not rest:
        return
    message: dict[str, Any] = {"role": "user" if turn.role == "tool" else turn.role}
    texts = [part.text for part in rest if part.kind == "text"]
    calls = [_call(part) for part in rest if part.kind == "call"]
    refused = "\n".join(part.text for part in rest if part.kind == "refusal")
    message["content"] = "\n".join(texts) if texts or not (calls or refused) else None
    if calls:
        message["tool_calls"] = calls
    if refused:
        message["refusal"] = refused
    yield message


def _call(part: Part) -> dict[str, Any]:
    return {
        "id": part.id,
        "type": "function",
        "function": {"name": part.name, "arguments": part.text or "{}"},
    }
