"""OpenAI's chat completions, and the many who speak them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    add_to,
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
    for one in dicts(request.get("messages")):
        if one.get("role") in {"tool", "function"}:
            content = "\n".join(part.text for part in _content(one.get("content")))
            yield message("tool", [result_part(content, one.get("tool_call_id"), one.get("name"))])
        else:
            yield message(one.get("role"), _parts(one))


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    choices: dict[Any, dict[str, Any]] = {}
    for one in objects:
        for choice in dicts(one.get("choices")):
            index = choice.get("index") or 0
            if isinstance(delta := choice.get("delta"), dict):
                _add(choices.setdefault(index, {}), delta)
            elif isinstance(whole := choice.get("message"), dict):
                choices[index] = whole
    for held in choices.values():
        choice = joined(held)
        if isinstance(calls := choice.get("tool_calls"), dict):
            choice["tool_calls"] = [
                {**call, "function": joined(call["function"])} if "function" in call else call
                for call in calls.values()
            ]
        yield message(choice.get("role") or "assistant", _parts(choice))


def _add(held: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            calls = held.setdefault("tool_calls", {})
            for call in dicts(value):
                known = calls.setdefault(call.get("index") or 0, {"function": {}})
                known["id"] = call.get("id") or known.get("id")
                function = call.get("function")
                for part, text in function.items() if isinstance(function, dict) else ():
                    if isinstance(text, str):
                        add_to(known["function"], part, text)
        elif name == "content" and isinstance(value, list):
            for part in _content(value):
                into = "reasoning_content" if part.kind == "thinking" else "content"
                add_to(held, into, part.text)
        elif isinstance(value, str) and name != "role":
            add_to(held, name, value)
        elif value is not None:
            held[name] = value


def _parts(one: Mapping[str, Any]) -> Iterator[Part | None]:
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(thought := one.get(name), str) and thought:
            yield Part(kind="thinking", text=thought)
            break
    yield from _content(one.get("content"))
    if isinstance(refusal := one.get("refusal"), str) and refusal:
        yield Part(kind="refusal", text=refusal)
    calls = one.get("tool_calls")
    for call in dicts(calls or []):
        function = call.get("function")
        if isinstance(function, dict):
            yield call_part(function.get("name"), function.get("arguments"), call.get("id"))
        else:
            yield call_part(call.get("name") or call.get("type"), call.get("arguments"), call.get("id"))
    if isinstance(legacy := one.get("function_call"), dict):
        yield call_part(legacy.get("name"), legacy.get("arguments"))
    if isinstance(sound := one.get("audio"), dict):
        yield text_part(sound.get("transcript"))
        yield media("audio", sound.get("data") or sound.get("id"))
    for image in dicts(one.get("images") or []):
        yield from _content([image])


def _content(value: object) -> Iterator[Part]:
    if isinstance(value, str):
        if part := text_part(value):
            yield part
        return
    for one in dicts(value or []):
        kind = str(one.get("type") or "")
        held = one.get(kind)
        if isinstance(one.get("text"), str):
            yield Part(kind="text", text=one["text"])
        elif kind == "refusal":
            yield Part(kind="refusal", text=str(held))
        elif kind == "thinking":
            texts = (inner.get("text", "") for inner in dicts(held or []))
            yield Part(kind="thinking", text="".join(map(str, texts)) or str(held))
        elif kind in {"image_url", "input_audio", "audio_url", "video_url", "file", "document_url"}:
            source = (
                held
                if not isinstance(held, dict)
                else next(
                    (
                        held[name]
                        for name in ("url", "data", "file_data", "file_id", "filename")
                        if held.get(name)
                    ),
                    held,
                )
            )
            yield media(kind.removesuffix("_url").removeprefix("input_"), source)
        else:
            yield data_part(kind, one)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
