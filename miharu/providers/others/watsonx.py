"""IBM watsonx.ai, text generation and chat (https://cloud.ibm.com/apidocs/watsonx-ai), plain and streamed.

A generation's stream counts the input in its first event and zero in the others; what is generated adds up
from event to event. It has no end marker: its last event has a stop reason other than ``not_finished``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_in_messages
from miharu.providers.openai._errors import error_of
from miharu.providers.openai.completions._choices import read_choices
from miharu.wire.json import count, dumps, mapping, text
from miharu.wire.streams import answers

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("WatsonxChat", "WatsonxGenerate")

_HOST = Rule(host=".ml.cloud.ibm.com")
_GENERATE = re.compile(r"/ml/v\d[^/]*/.*(?:generation/text|text/generation)(_stream)?/?")
_CHAT = re.compile(r"/ml/v\d[^/]*/.*text/chat(_stream)?/?")


class WatsonxGenerate:
    """Reads ``POST …/text/generation`` and ``…_stream``; ``/generation/text`` until 2024."""

    api = "watsonx.generate"
    rules = (_HOST,)

    def read(self, wire: Wire) -> Reading | None:
        found = _GENERATE.fullmatch(wire.path)
        return _read(wire, is_stream=found.group(1) is not None) if found else None


class WatsonxChat:
    """Reads ``POST …/text/chat`` and ``…_stream``: choices in OpenAI's shape, and a ``model_id``."""

    api = "watsonx.chat"
    rules = (_HOST,)

    def read(self, wire: Wire) -> Reading | None:
        found = _CHAT.fullmatch(wire.path)
        if found is None:
            return None
        reading = read_choices(wire)
        asked = text(wire.asked.get("model_id"))
        return replace(reading, request_model=asked, stream=found.group(1) is not None)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.openai.completions._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_in_messages(request)


def _read(wire: Wire, *, is_stream: bool) -> Reading:
    model = finish = ttft = kind = message = None
    inputs, outputs, is_whole = None, None, False
    for answer in answers(wire):
        model = text(answer.value.get("model_id")) or model
        for result in _objects(answer.value.get("results")):
            is_whole = True
            inputs = _larger(inputs, count(result, "input_token_count"))
            outputs = _larger(outputs, count(result, "generated_token_count"))
            reason = text(result.get("stop_reason"))
            finish = reason if reason not in {None, "not_finished"} else finish
            if ttft is None and is_stream and result.get("generated_text"):
                ttft = wire.ms_at(answer.end)
        if errors := _objects(answer.value.get("errors")):
            kind, message = text(errors[0].get("code")) or "error", text(errors[0].get("message"))
    if kind is None and not is_whole:
        kind, message = error_of(wire.answered, wire.status)
    return Reading(
        terminated=finish is not None or (is_whole and not is_stream),
        usage=_usage(inputs, outputs),
        model=model,
        request_model=text(wire.asked.get("model_id")),
        stream=is_stream,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=finish,
    )


def _usage(inputs: int | None, outputs: int | None) -> Usage:
    if inputs is None and outputs is None:
        return Usage()
    return Usage(
        prompt_tokens=inputs,
        completion_tokens=outputs,
        usage_source="provider",
        usage_raw=dumps({"input_token_count": inputs, "generated_token_count": outputs}),
    )


def _larger(one: int | None, other: int | None) -> int | None:
    return max((number for number in (one, other) if number is not None), default=None)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [mapping(entry) for entry in value] if isinstance(value, list) else []
