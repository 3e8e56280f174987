"""Anthropic Messages, plain and streamed, at Anthropic and wherever else it is spoken.

Vertex AI has the model in the path (https://docs.claude.com/en/api/claude-on-vertex-ai); the others have it
in the body.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from miharu.kept_body import KEPT_HEAD
from miharu.providers.anthropic._stream import has_content, read_events
from miharu.providers.anthropic._tools import paid_tools, tools_of
from miharu.providers.anthropic._usage import error_of, usage_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.openai._usage import stated_cost
from miharu.wire import sse
from miharu.wire.json import loads, mapping, text
from miharu.wire.streams import last_value

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("AnthropicMessages", "message_of", "read_message")

_SERVER_TOOL = re.compile(rb'"type"\s*:\s*"server_tool_use"[^{}]{0,200}?"name"\s*:\s*"(\w{1,40})"')
_MARKS = (b'"message_', b'"error"', b"server_tool_use")
"""What stands in each event from which something is learned, once content has begun."""
_VERTEX = re.compile(r"/publishers/anthropic/models/([^/:]+):(?:streamR|r)awPredict")


class AnthropicMessages:
    """Reads ``POST …/v1/messages``, ``…:rawPredict`` and ``…:streamRawPredict``."""

    api = "anthropic.messages"
    rules = (Rule("/v1/messages"), Rule(":rawPredict"), Rule(":streamRawPredict"))

    def read(self, wire: Wire) -> Reading | None:
        vertex = _VERTEX.search(wire.path)
        if not _is_meant(wire, vertex):
            return None
        model = vertex.group(1) if vertex else text(wire.asked.get("model"))
        if wire.is_event_stream:
            return read_events(wire, _events(wire), model)
        return read_message(wire, message_of(wire), model)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.anthropic._conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "system")


def message_of(wire: Wire) -> Mapping[str, Any]:
    """The answer's JSON object; of one too large to be kept whole, what stands near its end."""
    if wire.answered or len(wire.body) < KEPT_HEAD:
        return wire.answered
    found = {name: last_value(wire.body, name) for name in ("stop_reason", "usage")}
    used = [{"type": "server_tool_use", "name": name.decode()} for name in _SERVER_TOOL.findall(wire.body)]
    found["content"] = used or None
    return {name: value for name, value in found.items() if value is not None}


def read_message(wire: Wire, message: Mapping[str, Any], request_model: str | None) -> Reading:
    """What a whole message says."""
    kind, reason = error_of(message, wire.status)
    usage = message.get("usage")
    return Reading(
        terminated=bool(message),
        usage=usage_of(usage),
        quantities=paid_tools(Counter(tools_of(message.get("content"))), usage, wire.asked),
        model=text(message.get("model")),
        request_model=request_model,
        stream=wire.asked.get("stream") is True,
        error_type=kind,
        error_message=reason,
        finish_reason=text(message.get("stop_reason")),
        service_tier=text(mapping(usage).get("service_tier")),
        response_id=text(message.get("id")),
        stated_cost_usd=stated_cost(usage, wire.headers),
    )


def _events(wire: Wire) -> Iterator[tuple[int, dict[str, Any]]]:
    """All up to the first content, then those that say more than what was generated."""
    body, following = wire.body, sse.events(wire.body)
    for event in following:
        data = mapping(loads(event.data))
        yield event.end, data
        if has_content(data):
            break
    else:
        return
    between = sse.middle(body, event.end) if wire.gap is None else None
    if between is not None:
        following = chain(sse.marked(body, between, _MARKS), sse.events(body, between.stop))
    for event in following:
        if event.name != "content_block_delta":
            yield event.end, mapping(loads(event.data))


def _is_meant(wire: Wire, vertex: re.Match[str] | None) -> bool:
    """Whether this is a call at all: many a messenger has a path that ends in ``/messages``."""
    if vertex is not None:
        return vertex.group(1) != "count-tokens"  # Vertex AI counts tokens by a model of that name
    if wire.provider == "anthropic":
        return True
    if wire.path.rstrip("/").endswith("awPredict"):
        return False  # another publisher's format
    if not isinstance(wire.asked.get("messages"), list) or not text(wire.asked.get("model")):
        return False
    known = wire.provider is not None or wire.status is None or wire.status >= 400
    return known or not wire.body or _is_message(wire)


def _is_message(wire: Wire) -> bool:
    if wire.is_event_stream or not wire.answered:
        return b'"message_start"' in wire.body or b'"error"' in wire.body
    return wire.answered.get("type") in {"message", "error"}
