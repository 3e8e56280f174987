"""The turns of Gemini Live."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.google import _conversation as plain
from miharu.providers.messages import Message, Said, message, text_part

__all__ = ("messages",)


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    """Lay out a turn. What was said before it is in the provider's session, not in the call."""
    setup: Mapping[str, Any] = {}
    content: list[Mapping[str, Any]] = []
    heard: list[str] = []
    spoken: list[str] = []
    for one in answers:
        setup = _object(one, "setup") or setup
        said = _object(one, "serverContent")
        heard.append(str(_object(said, "inputTranscription").get("text") or ""))
        spoken.append(str(_object(said, "outputTranscription").get("text") or ""))
        content.append(_object(said, "modelTurn"))
        calls = _object(one, "toolCall").get("functionCalls")
        content.append({"parts": [{"functionCall": call} for call in calls or []]})
    told = _object(request, "client_content") or _object(request, "clientContent")
    asked = {"systemInstruction": setup.get("systemInstruction"), "contents": told.get("turns")}
    return Said(
        asked=(*plain.asked(asked), *_said("user", heard)),
        answered=(
            *_said("assistant", spoken),
            *plain.answered([{"candidates": [{"content": each}]} for each in content]),
        ),
        tools=plain.tools(setup),
    )


def _said(role: str, pieces: Sequence[str]) -> Iterator[Message]:
    if text := "".join(pieces):
        yield message(role, [text_part(text)])


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}
