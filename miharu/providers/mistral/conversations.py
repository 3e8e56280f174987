"""Mistral's conversations (https://docs.mistral.ai/api/endpoint/beta/conversations), plain and streamed.

A conversation is begun, gone on with or restarted by a ``POST`` each. Usage counts tools by the name of their
connector, and their tokens apart. A stream ends in ``conversation.response.done``, which has the usage.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.openai._common import answer_of, items, reading_of
from miharu.providers.openai._usage import usage_of
from miharu.wire import sse
from miharu.wire.json import count, dumps, loads, mapping, text

__all__ = ("MistralConversations",)

_PATH = re.compile(r"/v1/conversations(?:/[^/]+(?:/restart)?)?/?\Z")
_DONE, _ERROR = "conversation.response.done", "conversation.response.error"


class MistralConversations:
    """Reads ``POST https://api.mistral.ai/v1/conversations…``."""

    api = "mistral.conversations"
    rules = (Rule(host="api.mistral.ai"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _PATH.fullmatch(wire.path):
            return None
        if wire.is_event_stream:
            return _stream(wire)
        answer = answer_of(wire)
        return _reading(wire, answer, terminated=bool(answer))

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "instructions")


def _stream(wire: Wire) -> Reading:
    answer: dict[str, Any] = {}
    terminated, ttft = False, None
    for event in sse.events(wire.body):
        if ttft is not None and event.name.endswith(".delta"):
            continue
        data = mapping(loads(event.data))
        kind = event.name or text(data.get("type")) or ""
        if kind.endswith(".delta"):
            ttft = wire.ms_at(event.end) if ttft is None else ttft
            answer.setdefault("model", data.get("model"))
        answer |= {name: data[name] for name in ("conversation_id", "usage") if data.get(name)}
        terminated = terminated or kind == _DONE
        if kind == _ERROR:
            answer["error"] = {"code": data.get("code"), "message": data.get("message")}
    return _reading(wire, answer, terminated=terminated, stream=True, ttft_ms=ttft)


def _reading(wire: Wire, answer: Mapping[str, Any], **facts: Any) -> Reading:
    outputs = [mapping(output) for output in items(answer.get("outputs"))]
    models = (text(output.get("model")) for output in reversed(outputs))
    connectors = mapping(mapping(answer.get("usage")).get("connectors"))
    quantities = {_unit(name): float(used) for name in connectors if (used := count(connectors, name))}
    return reading_of(
        wire,
        answer,
        usage=_usage(answer.get("usage")),
        quantities=quantities,
        model=text(answer.get("model")) or next(filter(None, models), None),
        request_model=text(wire.asked.get("model")) or text(wire.asked.get("agent_id")),
        response_id=text(answer.get("conversation_id")),
        **facts,
    )


def _usage(raw: Any) -> Usage:
    """Tokens that connectors read are read by the model, beside the prompt's."""
    connected = count(raw, "connector_tokens")
    if not connected:
        return usage_of(raw)
    usage = usage_of({name: raw[name] for name in ("prompt_tokens", "completion_tokens") if name in raw})
    prompt = (usage.prompt_tokens or 0) + connected
    return replace(usage, prompt_tokens=prompt, usage_source="provider", usage_raw=dumps(raw))


def _unit(connector: str) -> str:
    return "web_searches" if connector.startswith("web_search") else f"connector_{connector}"
