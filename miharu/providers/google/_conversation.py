"""Google's generateContent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
)

__all__ = ("answered", "asked", "messages", "tools")


def asked(request: Mapping[str, Any]) -> Iterator[Message]:
    told = request.get("systemInstruction") or request.get("system_instruction")
    if isinstance(told, dict):
        yield message("system", _parts(told.get("parts")))
    elif isinstance(told, str):
        yield message("system", [text_part(told)])
    given = request.get("contents")
    if isinstance(given, str):
        yield message("user", [text_part(given)])
    for one in dicts(given or []):
        parts = tuple(_parts(one.get("parts")))
        results = bool(parts) and all(part is not None and part.kind == "result" for part in parts)
        role = {"model": "assistant"}.get(str(one.get("role")), one.get("role"))
        yield message("tool" if results else role, parts)


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    held: dict[Any, list[tuple[Part, list[str]]]] = {}
    for one in objects:
        for candidate in dicts(one.get("candidates") or []):
            content = candidate.get("content")
            parts = held.setdefault(candidate.get("index") or 0, [])
            for part in _parts(content.get("parts") if isinstance(content, dict) else None):
                if part is None:
                    continue
                if parts and part.kind == parts[-1][0].kind in {"text", "thinking"}:
                    parts[-1][1].append(part.text)
                else:
                    parts.append((part, [part.text]))
        feedback = one.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            why = feedback.get("blockReasonMessage") or feedback["blockReason"]
            held.setdefault("blocked", []).append((Part(kind="refusal"), [str(why)]))
    for said in held.values():
        yield message("assistant", (replace(part, text="".join(texts)) for part, texts in said))


def tools(request: Mapping[str, Any]) -> Iterator[str]:
    """The names of the tools on offer."""
    for one in dicts(request.get("tools") or []):
        functions = one.get("functionDeclarations") or one.get("function_declarations")
        if functions is None:
            yield from map(str, one)
        for function in dicts(functions or []):
            yield str(function.get("name"))


def _parts(value: object) -> Iterator[Part | None]:
    for one in dicts(value or []):
        if isinstance(one.get("text"), str):
            yield Part(kind="thinking", text=one["text"]) if one.get("thought") else text_part(one["text"])
            continue
        for names, make in _MAKERS:
            found = next((one[name] for name in names if isinstance(one.get(name), dict)), None)
            if found is not None:
                yield make(found)
                break
        else:
            if one:
                yield data_part(next(iter(one)), one)


def _blob(one: Mapping[str, Any]) -> Part:
    kind = one.get("mimeType") or one.get("mime_type")
    return media(kind, one.get("data") or one.get("fileUri") or one.get("file_uri"))


_MAKERS = (
    (
        ("functionCall", "function_call"),
        lambda one: call_part(one.get("name"), one.get("args"), one.get("id")),
    ),
    (
        ("functionResponse", "function_response"),
        lambda one: result_part(one.get("response"), one.get("id"), one.get("name")),
    ),
    (("inlineData", "inline_data", "fileData", "file_data"), _blob),
)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
