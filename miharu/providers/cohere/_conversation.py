"""Cohere's chat, second version."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    add_to,
    call_part,
    dicts,
    joined,
    message,
    said,
    tools,
)
from miharu.providers.openai.completions import _conversation as chat

__all__ = ("answered", "asked", "messages")

asked = chat.asked
_KINDS: tuple[Literal["thinking", "text"], ...] = ("thinking", "text")


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    pieces: dict[str, Any] = {}
    calls: dict[Any, dict[str, Any]] = {}
    for one in objects:
        if isinstance(whole := one.get("message"), dict):
            yield message("assistant", _whole(whole))
        delta = one.get("delta")
        held = delta.get("message") if isinstance(delta, dict) else None
        if isinstance(held, dict):
            _add(pieces, held)
            for call in dicts(held.get("tool_calls") or []):
                _add_call(calls.setdefault(one.get("index"), {"arguments": ""}), call)
    texts = joined(pieces)
    parts = [Part(kind=kind, text=texts[kind]) for kind in _KINDS if texts.get(kind)]
    parts += [
        call_part(call.get("name"), call["arguments"], call.get("id")) for call in map(joined, calls.values())
    ]
    if parts:
        yield message("assistant", parts)


def _add(pieces: dict[str, Any], held: Mapping[str, Any]) -> None:
    content = held.get("content")
    for name in _KINDS:
        if isinstance(content, dict) and isinstance(content.get(name), str):
            add_to(pieces, name, content[name])
    if isinstance(held.get("tool_plan"), str):
        add_to(pieces, "thinking", held["tool_plan"])


def _add_call(known: dict[str, Any], call: Mapping[str, Any]) -> None:
    function = call.get("function")
    known["id"] = call.get("id") or known.get("id")
    if isinstance(function, dict):
        known["name"] = function.get("name") or known.get("name")
        add_to(known, "arguments", str(function.get("arguments") or ""))


def _whole(whole: Mapping[str, Any]) -> Iterator[Part]:
    if isinstance(plan := whole.get("tool_plan"), str) and plan:
        yield Part(kind="thinking", text=plan)
    for one in dicts(whole.get("content") or []):
        if isinstance(thought := one.get("thinking"), str):
            yield Part(kind="thinking", text=thought)
        else:
            yield from said(one)
    for call in dicts(whole.get("tool_calls") or []):
        function = call.get("function")
        held = function if isinstance(function, dict) else call
        yield call_part(held.get("name"), held.get("arguments"), call.get("id"))


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
