"""Anthropic's messages, wherever they are served."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    add_to,
    as_json,
    asked_in_turn,
    call_part,
    data_part,
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
    return asked_in_turn(request, _content)


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    blocks: dict[Any, dict[str, Any]] = {}
    for one in objects:
        kind = one.get("type")
        if kind == "message" or (kind is None and "content" in one):
            yield message(one.get("role") or "assistant", _content(one.get("content")))
        elif kind == "content_block_start" and isinstance(block := one.get("content_block"), dict):
            blocks[one.get("index")] = dict(block)
        elif kind == "content_block_delta" and isinstance(delta := one.get("delta"), dict):
            _add(blocks.setdefault(one.get("index"), {"type": "text"}), delta)
    if blocks:
        yield message("assistant", _content([joined(block) for block in blocks.values()]))


def _add(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, into in (("text", "text"), ("thinking", "thinking"), ("partial_json", "json")):
        if isinstance(text := delta.get(name), str):
            add_to(block, into, text)


def _content(value: object) -> Iterator[Part | None]:
    if isinstance(value, str):
        yield text_part(value)
        return
    for block in dicts(value or []):
        kind = str(block.get("type") or "")
        if kind == "text":
            yield text_part(block.get("text"))
        elif kind == "thinking":
            yield Part(kind="thinking", text=str(block.get("thinking") or ""))
        elif kind == "redacted_thinking":
            yield Part(kind="thinking", text="The provider keeps these thoughts to itself.")
        elif kind.endswith("tool_use"):
            yield call_part(block.get("name"), block.get("json") or block.get("input"), block.get("id"))
        elif kind.endswith("tool_result"):
            yield result_part(_result(block.get("content")), block.get("tool_use_id"))
        elif kind in {"image", "document"}:
            source = block.get("source")
            held = source if isinstance(source, dict) else {}
            where = next((held[name] for name in ("url", "file_id", "data") if held.get(name)), block)
            yield media(held.get("media_type") or kind, where)
        else:
            yield data_part(kind, block)


def _result(content: object) -> object:
    """Its text where it is nothing else."""
    if isinstance(content, list) and all(isinstance(one, dict) and "text" in one for one in content):
        return "\n".join(str(one["text"]) for one in content)
    return content if isinstance(content, str) else as_json(content)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
