"""What was said in a call, laid out as messages, whatever the format on the wire.

parts.py      messages and their parts
objects.py    the JSON of an answer, whole or in pieces
chat.py, responses.py, anthropic.py, gemini.py, bedrock.py, cohere.py, ollama.py    one format each
plain.py      all others
fitting.py    so much of it as a page can show
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from miharu.call import Call
from miharu.dashboard.conversation import anthropic, bedrock, chat, cohere, gemini, ollama, plain, responses
from miharu.dashboard.conversation.fitting import ANSWERED, ASKED, Room, chosen
from miharu.dashboard.conversation.objects import objects_of, request_of
from miharu.dashboard.conversation.parts import Message, Part

__all__ = ("Conversation", "Message", "Part", "conversation")


_FORMATS: Mapping[str, Any] = {
    "openai.chat": chat,
    "writer.chat": chat,
    "watsonx.chat": chat,
    "openai.responses": responses,
    "anthropic.messages": anthropic,
    "bedrock.converse": bedrock,
    "gemini.generate": gemini,
    "cohere.chat": cohere,
    "ollama.chat": ollama,
}
_SETTINGS = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "n",
    "seed",
    "stop",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "verbosity",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "text",
    "service_tier",
    "dimensions",
    "encoding_format",
    "size",
    "quality",
    "voice",
    "presence_penalty",
    "frequency_penalty",
    "generationConfig",
    "inferenceConfig",
)
_LONGEST_SETTING = 400
_TOOLS, _LONGEST_NAME = 100, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was said, as far as a page can show it."""

    asked: Sequence[Message]
    before_gap: int
    """After how many of what was asked the messages are missing that were too many."""
    left_out: int
    """How many these are."""
    answered: Sequence[Message]
    more_answers: int
    """How many messages of the answer are not shown."""
    cut: bool
    """The bodies are too large to be read whole: their ends are missing."""
    tools: Sequence[str]
    """The names of the tools on offer."""
    settings: Sequence[tuple[str, str]]


def conversation(call: Call) -> Conversation | None:
    """What was said; ``None`` where nothing was kept, or where it cannot be made out."""
    if call.body is None:
        return None
    try:
        (request, request_cut), (answers, answers_cut) = request_of(call), objects_of(call)
        form = _form(call.api, request)
        asked = chosen(_said(form.asked(request)), *ASKED)
        answered = chosen(_said(form.answered(answers)) if answers else (), *ANSWERED)
        room = Room()
        said = room.fit(answered.messages)  # what comes last is what is looked for
        heard = room.fit(_named(asked.messages))
        if not heard and not said:
            return None
        return Conversation(
            asked=heard,
            before_gap=asked.before_gap,
            left_out=asked.left_out,
            answered=said,
            more_answers=answered.left_out,
            cut=request_cut or answers_cut,
            tools=[name[:_LONGEST_NAME] for name in islice(_tools(form, request), _TOOLS)],
            settings=list(_settings(request, form)),
        )
    except Exception:  # noqa: BLE001 - anybody may have written these bytes; they are still shown raw
        return None


def _form(api: str, request: Mapping[str, Any]) -> Any:
    known = _FORMATS.get(api)
    if known is None and isinstance(request.get("messages"), list):  # a model of Bedrock's or a gateway's own
        if "schemaVersion" in request or "inferenceConfig" in request:  # Amazon's Nova
            return bedrock
        return anthropic if "anthropic_version" in request else chat
    return known or plain


def _said(messages: Iterable[Message]) -> Iterator[Message]:
    return (message for message in messages if message.parts)


def _named(messages: Sequence[Message]) -> list[Message]:
    """Results of tools with the name of their tool, which formats give only where it is called."""
    names = {part.id: part.name for one in messages for part in one.parts if part.kind == "call" and part.id}
    return [
        replace(
            one,
            parts=tuple(
                replace(part, name=names[part.id])
                if part.kind == "result" and not part.name and part.id in names
                else part
                for part in one.parts
            ),
        )
        for one in messages
    ]


def _tools(form: Any, request: Mapping[str, Any]) -> Iterable[str]:
    return getattr(form, "tools", chat.tools)(request)


def _settings(request: Mapping[str, Any], form: Any) -> Iterator[tuple[str, str]]:
    for name in _SETTINGS:
        value = request.get(name)
        if value is None or (name == "text" and form is plain):
            continue
        text = value if isinstance(value, str) else _compact(value)
        yield name, text if len(text) <= _LONGEST_SETTING else f"{text[:_LONGEST_SETTING]}…"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
