"""What was said in a call, laid out as messages, for every format on the wire.

The bodies are read by ``providers/bodies/``; ``fitting.py`` chooses so much of it as a page can show.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from miharu.call import Call
from miharu.dashboard.call.fitting import ANSWERED, ASKED, Room, chosen
from miharu.providers.base import Provider
from miharu.providers.bodies import plain
from miharu.providers.bodies.formats import format_of, shape_of
from miharu.providers.bodies.objects import objects_of, request_of
from miharu.providers.messages import Message, Part

__all__ = ("Conversation", "Message", "Part", "conversation")


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
    """After how many messages of the request some are left out."""
    left_out: int
    """How many messages are left out there."""
    answered: Sequence[Message]
    more_answers: int
    """How many messages of the answer are not shown."""
    cut: bool
    """The bodies are too large to be read whole: their ends are missing."""
    tools: Sequence[str]
    """The names of the tools on offer."""
    settings: Sequence[tuple[str, str]]


def conversation(call: Call, own: Sequence[Provider] = ()) -> Conversation | None:
    """What was said; ``None`` where nothing was kept, or where it cannot be made out.

    Args:
        call: With its body.
        own: Wire formats that the program has brought.
    """
    if call.body is None:
        return None
    try:
        request, request_cut = request_of(call, exactly=True)
        answers, answers_cut = objects_of(call, exactly=True)
        form = format_of(call.api, own) or shape_of(request)
        whole = (form or plain).messages(request, answers)
        asked = chosen(_saying(whole.asked), *ASKED)
        answered = chosen(_saying(whole.answered) if answers else (), *ANSWERED)
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
            tools=[name[:_LONGEST_NAME] for name in islice(whole.tools, _TOOLS)],
            settings=list(_settings(request, is_plain=form is None)),
        )
    except Exception:  # noqa: BLE001 - these bytes are not trusted; they are still shown raw
        return None


def _saying(messages: Iterable[Message]) -> Iterator[Message]:
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


def _settings(request: Mapping[str, Any], *, is_plain: bool) -> Iterator[tuple[str, str]]:
    for name in _SETTINGS:
        value = request.get(name)
        if value is None or (name == "text" and is_plain):
            continue
        text = value if isinstance(value, str) else _compact(value)
        yield name, text if len(text) <= _LONGEST_SETTING else f"{text[:_LONGEST_SETTING]}…"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
