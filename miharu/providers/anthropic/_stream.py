"""The events of a streamed message: Server-Sent Events at Anthropic's own API, frames of AWS on Bedrock.

https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from miharu.providers.anthropic._tools import paid_tools, tool_of
from miharu.providers.anthropic._usage import error_of, usage_of
from miharu.providers.base import Reading, Wire
from miharu.providers.openai._usage import stated_cost
from miharu.wire.json import count, later, mapping, text

__all__ = ("has_content", "read_events")

_CONTENT = {"text_delta", "thinking_delta", "input_json_delta", "compaction_delta"}


def has_content(event: Mapping[str, Any]) -> bool:
    """Whether the event carries something generated; a signature or a citation is about something."""
    return event.get("type") == "content_block_delta" and mapping(event.get("delta")).get("type") in _CONTENT


_PROMPT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def _revised(usage: Mapping[str, Any], stated: Mapping[str, Any], *, is_relay: bool) -> dict[str, Any]:
    """The usage after a ``message_delta``. Zeros of a relay, and a prompt of nothing, take nothing back.

    Anthropic itself does revise counts to zero: what a compaction read from the cache is not the message's.
    """
    if is_relay or not any(count(stated, name) for name in _PROMPT):
        stated = later(usage, stated)
    return {**usage, **stated}


def read_events(
    wire: Wire, events: Iterable[tuple[int, Mapping[str, Any]]], request_model: str | None
) -> Reading:
    """Read a streamed message.

    ``message_start`` has the usage so far and ``message_delta`` its later state: cumulative, so that it
    replaces and is never added. Server tools and compaction raise even the input counts on the way; early
    versions of the API repeat the output alone.

    Args:
        wire: The exchange.
        events: Each event's data, and the offset of its last byte in the body.
        request_model: The model that was asked for.
    """
    message: Mapping[str, Any] = {}
    usage: dict[str, Any] = {}
    tools: Counter[str] = Counter()
    terminated = revised = False
    ttft = finish = kind = reason = None
    for end, event in events:
        name = event.get("type")
        if name == "message_start":
            message = mapping(event.get("message"))
            usage.update(mapping(message.get("usage")))
        elif name == "message_delta":
            stated = {key: value for key, value in mapping(event.get("usage")).items() if value is not None}
            if (
                not revised and "output_tokens" in stated
            ):  # what message_start says of the output is the first token or two
                usage.pop("output_tokens", None)
            usage = _revised(usage, stated, is_relay=wire.provider is None)
            revised = revised or "output_tokens" in stated
            finish = text(mapping(event.get("delta")).get("stop_reason")) or finish
        elif name == "message_stop":
            terminated = True
        elif event.get("error"):
            kind, reason = error_of(event, None)
        elif ttft is None and has_content(event):
            ttft = wire.ms_at(end)
        elif name == "content_block_start" and (tool := tool_of(event.get("content_block"))):
            tools[tool] += 1
    known = usage_of(usage)
    if not (revised or terminated):
        known = replace(known, completion_tokens=None)  # message_start counts the first token or two
    return Reading(
        # a message_delta that says why it ended, with its usage, is the last of the content: some stop there
        terminated=terminated or (revised and finish is not None),
        usage=known,
        quantities=paid_tools(tools, usage, wire.asked),
        model=text(message.get("model")),
        request_model=request_model,
        stream=True,
        ttft_ms=ttft,
        error_type=kind,
        error_message=reason,
        finish_reason=finish,
        service_tier=text(usage.get("service_tier")),
        response_id=text(message.get("id")),
        stated_cost_usd=stated_cost(usage, wire.headers),
    )
