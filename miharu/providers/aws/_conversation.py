"""Bedrock's Converse."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    add_to,
    asked_in_turn,
    call_part,
    data_part,
    dicts,
    joined,
    media,
    message,
    result_part,
    text_part,
)

__all__ = ("answered", "asked", "messages", "tools")


def asked(request: Mapping[str, Any]) -> Iterator[Message]:
    return asked_in_turn(request, _content)


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    blocks: dict[Any, dict[str, Any]] = {}
    for one in objects:
        output = one.get("output")
        if isinstance(output, dict) and isinstance(whole := output.get("message"), dict):
            yield message(whole.get("role") or "assistant", _content(whole.get("content")))
        block = blocks.setdefault(one.get("contentBlockIndex"), {}) if "contentBlockIndex" in one else {}
        if isinstance(start := one.get("start"), dict):
            block.update(start)
        if isinstance(delta := one.get("delta"), dict):
            if isinstance(delta.get("text"), str):
                add_to(block, "text", delta["text"])
            if isinstance(tool := delta.get("toolUse"), dict):
                add_to(block, "json", str(tool.get("input") or ""))
            if isinstance(thought := delta.get("reasoningContent"), dict):
                add_to(block, "thought", str(thought.get("text") or ""))
    if blocks:
        yield message("assistant", _content([joined(block) for block in blocks.values()]))


def tools(request: Mapping[str, Any]) -> Iterator[str]:
    """The names of the tools on offer."""
    config = request.get("toolConfig")
    for one in dicts(config.get("tools") or [] if isinstance(config, dict) else []):
        if isinstance(spec := one.get("toolSpec"), dict):
            yield str(spec.get("name"))


def _content(value: object) -> Iterator[Part | None]:
    for block in dicts(value or []):
        if isinstance(block.get("text"), str):
            yield text_part(block["text"])
        elif isinstance(used := block.get("toolUse"), dict):
            yield call_part(used.get("name"), block.get("json") or used.get("input"), used.get("toolUseId"))
        elif isinstance(result := block.get("toolResult"), dict):
            texts = [one.get("text", one.get("json", one)) for one in dicts(result.get("content") or [])]
            yield result_part(texts[0] if len(texts) == 1 else texts, result.get("toolUseId"))
        elif "thought" in block:
            yield Part(kind="thinking", text=block["thought"])
        elif isinstance(thought := block.get("reasoningContent"), dict):
            inner = thought.get("reasoningText")
            yield Part(kind="thinking", text=str(inner.get("text") if isinstance(inner, dict) else ""))
        elif kind := next((name for name in ("image", "document", "video", "audio") if name in block), None):
            held = block[kind] if isinstance(block[kind], dict) else {}
            source = held.get("source")
            where = next(iter(source.values()), "") if isinstance(source, dict) else source
            yield media(held.get("format") or kind, where)
        elif block:
            yield data_part(next(iter(block)), block)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
