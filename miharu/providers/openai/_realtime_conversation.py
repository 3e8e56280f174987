"""The responses of OpenAI Realtime."""

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

__all__ = ("messages",)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    """Lay out a response. What was said before it is in the provider's session, not in the call."""
    session: Mapping[str, Any] = {}
    output: list[Mapping[str, Any]] = []
    heard: list[str] = []
    for one in answers:
        if isinstance(one.get("session"), dict):
            session = one["session"]
        if one.get("type") == "response.done" and isinstance(one.get("response"), dict):
            output = list(dicts(one["response"].get("output") or []))
        if isinstance(one.get("transcript"), str):
            heard.append(one["transcript"])
    response = request.get("response")
    asked = response if isinstance(response, dict) else {}
    return Said(
        asked=_asked({**session, **asked}),
        answered=(*(message("user", [text_part(each)]) for each in heard), *map(_item, output)),
        tools=tools({**session, **asked}),
    )


def _asked(told: Mapping[str, Any]) -> Iterator[Message]:
    if isinstance(told.get("instructions"), str) and told["instructions"]:
        yield message("system", [text_part(told["instructions"])])
    for item in dicts(told.get("input") or []):
        yield _item(item)


def _item(item: Mapping[str, Any]) -> Message:
    kind = item.get("type")
    if kind == "function_call":
        return message("assistant", [call_part(item.get("name"), item.get("arguments"), item.get("call_id"))])
    if kind == "function_call_output":
        return message("tool", [result_part(item.get("output"), item.get("call_id"))])
    if kind == "message":
        return message(item.get("role") or "assistant", _content(item.get("content")))
    return message("assistant", [data_part(kind, item)])


def _content(value: object) -> Iterator[Part | None]:
    for one in dicts(value or []):
        said = one.get("transcript") or one.get("text")
        yield text_part(said) if isinstance(said, str) else media(one.get("type"), one.get("image_url") or "")
