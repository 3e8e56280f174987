"""A line for each format of the file."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from miharu.batch import Score
from miharu.call import Call
from miharu.cli.datasets import anthropic, openai
from miharu.cli.datasets.conversation import Unfit, conversation

__all__ = ("FORMATS", "Row")

Row = Callable[[Call, Sequence[Score]], Mapping[str, Any]]


def _openai(call: Call, scores: Sequence[Score]) -> Mapping[str, Any]:  # noqa: ARG001 - as its siblings
    return openai.example(conversation(call))


def _anthropic(call: Call, scores: Sequence[Score]) -> Mapping[str, Any]:  # noqa: ARG001 - as its siblings
    return anthropic.example(conversation(call))


def _dataset(call: Call, scores: Sequence[Score]) -> Mapping[str, Any]:
    asked: Any
    answered: Any
    tools: list[dict[str, Any]] = []
    try:
        said = conversation(call)
        asked, answered, tools = openai.messages(said), openai.answer(said), openai.offered(said)
    except Unfit as unfit:
        if unfit.reason == "content" or call.body is None:
            raise
        asked, answered = _value(call.body.request), _value(call.body.response)
    usage = call.usage
    return {
        "id": call.id,
        "timestamp": call.timestamp,
        "input": asked,
        "output": answered,
        "tools": tools,
        "model": call.model,
        "provider": call.provider,
        "api": call.api,
        "status": call.outcome.status,
        "error": call.outcome.error_message,
        "finish_reason": call.finish_reason,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": None if call.cost is None else call.cost.cost_nanousd / 1e9,
        "duration_ms": call.duration_ms,
        "ttft_ms": call.ttft_ms,
        "scores": {score.name: score.value for score in scores},
        "tags": dict(call.tags or {}),
        "service": call.service,
        "route": call.route,
        "user_id": call.user_id,
        "session_id": call.session_id,
        "trace_id": call.trace_id,
    }


def _value(body: bytes | None) -> Any:
    """The body's JSON, or its text where it is none."""
    if body is None:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


FORMATS: Mapping[str, Row] = {"openai-jsonl": _openai, "anthropic-jsonl": _anthropic, "dataset": _dataset}
