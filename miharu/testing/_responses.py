"""The Responses API, as OpenAI puts it on the wire."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.testing._chat import content_text
from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, count_tokens


def prompt(asked: Mapping[str, Any]) -> Prompt:
    """The prompt of a request, without the earlier turns that ``previous_response_id`` stands for."""
    given = asked.get("input") or []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    if asked.get("instructions"):
        items.insert(0, {"role": "developer", "content": asked["instructions"]})
    tokens, said = PER_PROMPT, []
    for item in items:
        text, images = content_text(item.get("content"))
        text = text or item.get("output") or item.get("arguments") or ""
        tokens += PER_MESSAGE + count_tokens(text) + PER_IMAGE * images
        said.append(f"{item.get('role', item.get('type'))}: {text}")
    tools = [
        Tool(name=tool["name"], schema=tool.get("parameters") or {})
        for tool in asked.get("tools") or []
        if tool.get("type") == "function"
    ]
    if asked.get("tools"):
        tokens += count_tokens(json.dumps(asked["tools"]))
    choice = asked.get("tool_choice", "auto")
    wanted = choice.get("name") if isinstance(choice, dict) else None
    answered = bool(items) and items[-1].get("type") == "function_call_output"
    kind = (asked.get("text") or {}).get("format") or {}
    return Prompt(
        model=asked["model"],
        text="\n".join(said),
        question=said[-1].partition(": ")[2] if said else "",
        tokens=tokens,
        tools=[] if answered or choice == "none" else [t for t in tools if wanted in {None, t.name}],
        schema=kind.get("schema") or {} if kind.get("type") in {"json_schema", "json_object"} else None,
        limit=asked.get("max_output_tokens"),
        effort=(asked.get("reasoning") or {}).get("effort"),
    )


def response(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> dict[str, Any]:
    return _open(asked, made, id_, created) | {
        "status": "incomplete" if made.cut else "completed",
        "completed_at": None if made.cut else created,
        "incomplete_details": {"reason": "max_output_tokens"} if made.cut else None,
        "output": _output(made, id_),
        "usage": {
            "input_tokens": made.prompt_tokens,
            "input_tokens_details": {"cached_tokens": made.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": made.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": made.reasoning_tokens},
            "total_tokens": made.prompt_tokens + made.completion_tokens,
        },
    }


def queued(finished: Mapping[str, Any]) -> dict[str, Any]:
    """The first answer to a request in the background, of which that is the last."""
    nothing_yet: dict[str, Any] = {
        "completed_at": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }
    return {**finished, **nothing_yet, "status": "queued"}


def failed(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> dict[str, Any]:
    """A response that broke down half way."""
    error = {"code": "server_error", "message": "The model broke down half way."}
    return _open(asked, made, id_, created) | {"status": "failed", "error": error}


def events(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> Iterator[dict[str, Any]]:
    """The same response, in the events of a stream."""
    for number, event in enumerate(_events(asked, made, id_, created)):
        yield event | {"sequence_number": number}


def _events(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> Iterator[dict[str, Any]]:
    begun = _open(asked, made, id_, created)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    finished = response(asked, made, id_, created)
    for index, item in enumerate(finished["output"]):
        where = {"output_index": index, "item_id": item["id"]}
        empty = item | {"status": "in_progress"}
        if item["type"] == "message":
            empty |= {"content": []}
        elif item["type"] == "function_call":
            empty |= {"arguments": ""}
        yield {"type": "response.output_item.added", "output_index": index, "item": empty}
        if item["type"] == "message":
            yield from _text_events(item["content"][0], where | {"content_index": 0})
        elif item["type"] == "function_call":
            for piece in pieces(made.text):
                yield where | {"type": "response.function_call_arguments.delta", "delta": piece}
            yield where | {
                "type": "response.function_call_arguments.done",
                "arguments": made.text,
                "name": made.tool,
            }
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{finished['status']}", "response": finished}


def _text_events(part: Mapping[str, Any], where: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**where, "type": "response.content_part.added", "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {**where, "type": "response.output_text.delta", "delta": piece, "logprobs": []}
    yield {**where, "type": "response.output_text.done", "text": part["text"], "logprobs": []}
    yield {**where, "type": "response.content_part.done", "part": part}


def _output(made: Generation, id_: str) -> list[dict[str, Any]]:
    status = "incomplete" if made.cut else "completed"
    thought = [{"id": f"rs_{id_}", "type": "reasoning", "summary": []}] if made.reasoning_tokens else []
    if made.tool:
        call = {"call_id": f"call_{id_}", "name": made.tool, "arguments": made.text}
        return [*thought, {"id": f"fc_{id_}", "type": "function_call", "status": status, **call}]
    text = {"type": "output_text", "text": made.text, "annotations": [], "logprobs": []}
    return [
        *thought,
        {"id": f"msg_{id_}", "type": "message", "status": status, "role": "assistant", "content": [text]},
    ]


def _open(asked: Mapping[str, Any], made: Generation, id_: str, created: int) -> dict[str, Any]:
    tier = asked.get("service_tier")
    return {
        "id": f"resp_{id_}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": bool(asked.get("background")),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "metadata": asked.get("metadata") or {},
        "model": made.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": asked.get("previous_response_id"),
        "reasoning": {"effort": (asked.get("reasoning") or {}).get("effort"), "summary": None},
        "service_tier": "default" if tier in {None, "auto"} else tier,
        "store": asked.get("store", True),
        "temperature": asked.get("temperature", 1.0),
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools") or [],
        "top_p": asked.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
        "user": asked.get("user"),
    }
