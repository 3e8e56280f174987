"""Runs of OpenAI's Assistants (https://platform.openai.com/docs/api-reference/runs), plain and streamed.

A run that is not streamed is answered ``queued``, without usage, and polled; a poll is not a call.
"""

import re
from collections.abc import Mapping
from typing import Any

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside
from miharu.providers.openai._common import answer_of, reading_of
from miharu.wire import sse
from miharu.wire.json import later, loads, mapping, text

__all__ = ("OpenAIAssistants",)

_PATH = re.compile(r"/threads/(?:[^/]+/)?runs(?:/[^/]+/submit_tool_outputs)?/?\Z")


class OpenAIAssistants:
    """Reads ``POST …/threads/{id}/runs``, ``…/threads/runs`` and ``…/runs/{id}/submit_tool_outputs``."""

    api = "openai.assistants"
    rules = (Rule("/runs"), Rule("/submit_tool_outputs"))

    def read(self, wire: Wire) -> Reading | None:
        if not _PATH.search(wire.path):
            return None
        if wire.provider is None and b'"thread.run' not in wire.body:
            return None  # LangGraph's servers have such paths as well
        if wire.is_event_stream:
            return _stream(wire)
        return _reading(wire, answer_of(wire), stream=False)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return fixed_beside(request, "instructions")


def _stream(wire: Wire) -> Reading:
    """The last event about the run has its end and its usage; ``done`` follows."""
    run: dict[str, Any] = {}
    terminated, ttft = False, None
    for event in sse.events(wire.body):
        if event.data.strip() == b"[DONE]":
            terminated = True
        elif event.name.endswith(".delta"):
            ttft = wire.ms_at(event.end) if ttft is None else ttft
        elif event.name == "error":
            run["error"] = mapping(loads(event.data))
        elif event.name.startswith("thread.run.") and not event.name.startswith("thread.run.step"):
            newer = mapping(loads(event.data))
            usage = later(mapping(run.get("usage")), mapping(newer.get("usage")))
            run = ({**newer, "usage": usage} if usage else newer) or run
    return _reading(wire, run, stream=True, terminated=terminated, ttft_ms=ttft)


def _reading(wire: Wire, run: Any, **facts: Any) -> Reading:
    run = {**run, "error": run.get("error") or run.get("last_error")}
    finish = mapping(run.get("incomplete_details")).get("reason") or run.get("status")
    return reading_of(wire, run, **{"terminated": "id" in run, "finish_reason": text(finish), **facts})
