"""OpenAI's responses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    call_part,
    data_part,
    dicts,
    media,
    message,
    result_part,
    text_part,
    tools,
)

__all__ = ("answered", "asked", "messages")

_ENDS = {"response.completed", "response.incomplete", "response.failed"}


def asked(request: Mapping[str, Any]) -> Iterator[Message]:
    if isinstance(told := request.get("instructions"), str) and told:
        yield message("system", [text_part(told)])
    given = request.get("input")
    if isinstance(given, str):
        yield message("user", [text_part(given)])
    else:
        for item in dicts(given or []):
            yield _item(item)


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    items: list[Mapping[str, Any]] = []
    text: list[str] = []
    for one in objects:
        kind = one.get("type")
        if kind in _ENDS and isinstance(whole := one.get("response"), dict) and whole.get("output"):
            items = list(dicts(whole["output"]))
        elif kind == "response.output_item.done":
            items.extend(dicts(one.get("item")))
        elif kind == "response.output_text.delta":
            text.append(str(one.get("delta") or ""))
        elif "output" in one:
            items = list(dicts(one["output"] or []))
    if not items and text:
        yield message("assistant", [text_part("".join(text))])
    for item in items:
        yield _item(item, "assistant")


def _item(item: Mapping[str, Any], role: str = "user") -> Message:
    kind = str(item.get("type") or "message")
    if kind == "message":
        return message(item.get("role") or role, _content(item.get("content")))
    if kind == "reasoning":
        texts = [
            str(one.get("text") or "")
            for one in (*dicts(item.get("summary") or []), *dicts(item.get("content") or []))
        ]
        hidden = "The provider keeps these thoughts to itself." if item.get("encrypted_content") else ""
        return message("assistant", [Part(kind="thinking", text="\n\n".join(filter(None, texts)) or hidden)])
    if kind in {"function_call", "custom_tool_call", "mcp_call"}:
        arguments = item.get("arguments") if "arguments" in item else item.get("input")
        return message("assistant", [call_part(item.get("name"), arguments, item.get("call_id"))])
    if kind.endswith("_output"):
        return message("tool", [result_part(item.get("output"), item.get("call_id"))])
    if kind == "image_generation_call":
        return message("assistant", [media("image", item.get("result") or item.get("id"))])
    return message("assistant" if kind.endswith("_call") else role, [data_part(kind, item)])


def _content(value: object) -> Iterator[Part | None]:
    if isinstance(value, str):
        yield text_part(value)
        return
    for one in dicts(value or []):
        kind = str(one.get("type") or "")
        if kind == "refusal":
            yield Part(kind="refusal", text=str(one.get("refusal")))
        elif isinstance(one.get("text"), str):
            yield text_part(one["text"])
        elif kind in {"input_image", "input_file", "input_audio"}:
            names = ("image_url", "file_url", "file_data", "file_id", "filename", "data")
            yield media(kind.removeprefix("input_"), next((one[n] for n in names if one.get(n)), one))
        else:
            yield data_part(kind, one)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
