"""Ollama's chat."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    add_to,
    call_part,
    dicts,
    joined,
    media,
    message,
    result_part,
    text_part,
    tools,
)

__all__ = ("answered", "asked", "messages")


def asked(request: Mapping[str, Any]) -> Iterator[Message]:
    for one in dicts(request.get("messages") or []):
        if one.get("role") == "tool":
            yield message("tool", [result_part(one.get("content"), name=one.get("tool_name"))])
        else:
            yield message(one.get("role"), _parts(one))


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    held: dict[str, Any] = {"content": "", "thinking": "", "tool_calls": []}
    for one in objects:
        piece = one.get("message")
        if isinstance(piece, dict):
            for name in ("content", "thinking"):
                add_to(held, name, str(piece.get(name) or ""))
            held["tool_calls"].extend(dicts(piece.get("tool_calls") or []))
    yield message("assistant", _parts(joined(held)))


def _parts(one: Mapping[str, Any]) -> Iterator[Part | None]:
    if one.get("thinking"):
        yield Part(kind="thinking", text=str(one["thinking"]))
    yield text_part(one.get("content"))
    for call in dicts(one.get("tool_calls") or []):
        function = call.get("function")
        if isinstance(function, dict):
            yield call_part(function.get("name"), function.get("arguments"))
    for image in one.get("images") or []:
        yield media("image", image)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
