"""Chat completions and the older text completions, as OpenAI and Azure OpenAI put them on the wire."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, count_tokens

_FILTERED = {"hate": {"filtered": False, "severity": "safe"}}


def chat_prompt(asked: Mapping[str, Any]) -> Prompt:
    messages = asked.get("messages") or []
    tokens, said = PER_PROMPT, []
    for message in messages:
        text, images = content_text(message.get("content"))
        if message.get("tool_calls"):
            text += json.dumps(message["tool_calls"])
        tokens += PER_MESSAGE + count_tokens(text) + PER_IMAGE * images
        said.append(f"{message.get('role', 'user')}: {text}")
    tools = [
        Tool(name=tool["function"]["name"], schema=tool["function"].get("parameters") or {})
        for tool in asked.get("tools") or []
        if tool.get("type") == "function"
    ]
    if asked.get("tools"):
        tokens += count_tokens(json.dumps(asked["tools"]))
    choice = asked.get("tool_choice", "auto")
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    answered = bool(messages) and messages[-1].get("role") == "tool"
    return Prompt(
        model=asked["model"],
        text="\n".join(said),
        question=said[-1].partition(": ")[2] if said else "",
        tokens=tokens,
        tools=[] if answered or choice == "none" else [t for t in tools if wanted in {None, t.name}],
        schema=_schema(asked.get("response_format")),
        limit=asked.get("max_completion_tokens") or asked.get("max_tokens"),
        effort=asked.get("reasoning_effort"),
    )


def content_text(content: Any) -> tuple[str, int]:
    """The words of a message, and how many images it has."""
    if not isinstance(content, list):
        return content or "", 0
    parts = [part for part in content if isinstance(part, dict)]
    images = sum(part.get("type") in {"image_url", "input_image"} for part in parts)
    return "\n".join(part["text"] for part in parts if isinstance(part.get("text"), str)), images


def chat_completion(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": made.text, "refusal": None, "annotations": []}
    if made.tool:
        call = {
            "id": f"call_{id_}",
            "type": "function",
            "function": {"name": made.tool, "arguments": made.text},
        }
        message |= {"content": None, "tool_calls": [call]}
    choices = asked.get("n") or 1
    return {
        "id": f"chatcmpl-{id_}",
        "object": "chat.completion",
        "created": created,
        "model": made.model,
        "choices": [
            {"index": index, "message": message, "logprobs": None, "finish_reason": _finish(made)}
            for index in range(choices)
        ],
        "usage": usage(made, choices),
        "service_tier": _tier(asked),
        "system_fingerprint": "fp_miharu",
    }


def chat_chunks(
    asked: Mapping[str, Any], made: Generation, id_: str, created: int, *, azure: bool = False
) -> Iterator[dict[str, Any]]:
    """The same answer, in the chunks of a stream."""
    with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
    base: dict[str, Any] = {
        "id": f"chatcmpl-{id_}",
        "object": "chat.completion.chunk",
        "created": created,
        "model": made.model,
        "service_tier": _tier(asked),
        "system_fingerprint": "fp_miharu",
    }
    nothing_yet = {"usage": None} if with_usage else {}

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return base | {"choices": [choice]} | nothing_yet

    if azure:
        filtered = [{"prompt_index": 0, "content_filter_results": _FILTERED}]
        yield {
            "choices": [],
            "created": 0,
            "id": "",
            "model": "",
            "object": "",
            "prompt_filter_results": filtered,
        }
    choices = asked.get("n") or 1
    for index in range(choices):
        if made.tool:
            call = {"index": 0, "id": f"call_{id_}", "type": "function"}
            opened = {"role": "assistant", "content": None, "refusal": None}
            yield chunk(
                index, opened | {"tool_calls": [call | {"function": {"name": made.tool, "arguments": ""}}]}
            )
            for piece in pieces(made.text):
                yield chunk(index, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            yield chunk(index, {"role": "assistant", "content": "", "refusal": None})
            for piece in pieces(made.text):
                yield chunk(index, {"content": piece})
        yield chunk(index, {}, _finish(made))
    if with_usage:
        yield base | {"choices": [], "usage": usage(made, choices)}


def text_prompt(asked: Mapping[str, Any]) -> Prompt:
    given = asked.get("prompt") or ""
    text = "\n".join(map(str, given)) if isinstance(given, list) else given
    return Prompt(
        model=asked["model"],
        text=text,
        question=text,
        tokens=count_tokens(text),
        limit=asked.get("max_tokens", 16),
    )


def text_completion(made: Generation, id_: str, created: int) -> dict[str, Any]:
    return _text_base(made, id_, created) | {
        "choices": [{"text": made.text, "index": 0, "logprobs": None, "finish_reason": _finish(made)}],
        "usage": usage(made, 1),
    }


def text_chunks(
    asked: Mapping[str, Any], made: Generation, id_: str, created: int
) -> Iterator[dict[str, Any]]:
    base = _text_base(made, id_, created)
    with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
    nothing_yet = {"usage": None} if with_usage else {}
    for piece in pieces(made.text):
        choice = {"text": piece, "index": 0, "logprobs": None, "finish_reason": None}
        yield base | {"choices": [choice]} | nothing_yet
    last = {"text": "", "index": 0, "logprobs": None, "finish_reason": _finish(made)}
    yield base | {"choices": [last]} | nothing_yet
    if with_usage:
        yield base | {"choices": [], "usage": usage(made, 1)}


def usage(made: Generation, choices: int) -> dict[str, Any]:
    completion = made.completion_tokens * choices
    return {
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": made.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": made.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": made.reasoning_tokens * choices,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _text_base(made: Generation, id_: str, created: int) -> dict[str, Any]:
    return {"id": f"cmpl-{id_}", "object": "text_completion", "created": created, "model": made.model}


def _finish(made: Generation) -> str:
    return "length" if made.cut else "tool_calls" if made.tool else "stop"


def _tier(asked: Mapping[str, Any]) -> str:
    tier = asked.get("service_tier")
    return "default" if tier in {None, "auto"} else str(tier)


def _schema(wanted: Any) -> Mapping[str, Any] | None:
    if not isinstance(wanted, dict) or wanted.get("type") == "text":
        return None
    schema: Mapping[str, Any] = (wanted.get("json_schema") or {}).get("schema") or {}
    return schema
