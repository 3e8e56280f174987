"""Prompts and answers in the form of the conventions: messages of parts, as JSON.

Schemas: https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from miharu.call import Call
from miharu.exporters.otlp.operations import SEPARATE_SYSTEM

if TYPE_CHECKING:
    from miharu.providers.messages import Message, Part, Said

__all__ = ("LONGEST", "Messages", "content_of")

Messages = Callable[[Call], "Said | None"]
"""What was said in a call, from its body; ``None`` where that cannot be told."""

LONGEST = 256 << 10
"""Characters of one attribute; receivers refuse spans of many megabytes."""
_MODALITIES = ("image", "audio", "video")


def content_of(call: Call, messages: Messages) -> Mapping[str, str]:
    """The attributes with content; none where the call was recorded without it."""
    said = messages(call) if call.body is not None else None
    if said is None:
        return {}
    asked = list(said.asked)
    system: list[Message] = []
    if call.api in SEPARATE_SYSTEM:
        while asked and asked[0].role == "system":
            system.append(asked.pop(0))
    finish = call.finish_reason or ("error" if call.outcome.status != "success" else "stop")
    answered = [{**_message(one), "finish_reason": finish} for one in said.answered]
    found = {
        "gen_ai.system_instructions": [part for one in system for part in _parts(one.parts)],
        "gen_ai.input.messages": [_message(one) for one in asked],
        "gen_ai.output.messages": answered,
        "gen_ai.tool.definitions": [{"type": "function", "name": name} for name in said.tools],
    }
    return {name: _fitting(values) for name, values in found.items() if values}


def _message(message: "Message") -> dict[str, Any]:
    return {"role": message.role, "parts": list(_parts(message.parts))}


def _parts(parts: "Iterable[Part]") -> Iterator[dict[str, Any]]:
    for part in parts:
        if part.kind in {"text", "refusal"}:
            yield {"type": "text", "content": part.text}
        elif part.kind == "thinking":
            yield {"type": "reasoning", "content": part.text}
        elif part.kind == "call":
            yield {
                "type": "tool_call",
                "id": part.id or None,
                "name": part.name,
                "arguments": _value(part.text),
            }
        elif part.kind == "result":
            yield {"type": "tool_call_response", "id": part.id or None, "response": _value(part.text)}
        elif part.kind == "media":
            yield _medium(part)
        else:
            yield {"type": part.kind if part.kind == "rest" else part.name or "data", "content": part.text}


def _medium(part: "Part") -> dict[str, Any]:
    """A picture, a sound or a file by its address; miharu keeps none of its bytes."""
    modality = next((one for one in _MODALITIES if one in part.name), "document")
    if "://" in part.text:
        return {"type": "uri", "modality": modality, "uri": part.text}
    return {"type": "media", "modality": modality, "content": part.text}


def _value(text: str) -> Any:
    """The value of JSON, which a wire format has laid out for people; a text where it is none."""
    try:
        return json.loads(text) if text[:1] in {"{", "["} else text
    except (ValueError, RecursionError):
        return text


def _fitting(values: list[Any]) -> str:
    """As JSON of a bounded length: the last values, since what was said last is what is looked for."""
    texts: list[str] = []
    room = LONGEST
    for value in reversed(values):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        room -= len(text)
        if room < 0:
            break
        texts.append(text)
    return f"[{','.join(reversed(texts))}]"
