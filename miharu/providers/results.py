"""The results of tools that a message of a request brings, in every wire format that has them.

Nothing is laid out of what the tools returned, which may be much.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from miharu.providers.messages import dicts

__all__ = ("Result", "results_in")

_OF_TOOLS = ("tool", "function")


@dataclass(frozen=True, slots=True)
class Result:
    """What a message says of a tool that was asked for."""

    id: str
    """By which the call of the tool is found; empty where the message names none."""
    name: str = ""
    failed: bool | None = None
    """Whether the model is told that the tool failed; ``None`` where the format has no word for that."""


def results_in(message: Mapping[str, Any]) -> Iterator[Result]:
    """The results in one item of ``messages``, ``contents`` or ``input``."""
    if message.get("role") in _OF_TOOLS and "parts" not in message:  # of OpenAI, Cohere, Mistral, Ollama
        yield Result(
            _text(message.get("tool_call_id")), _text(message.get("name") or message.get("tool_name"))
        )
    elif _text(message.get("type")).endswith("_output"):  # of OpenAI's responses
        yield Result(_text(message.get("call_id")))
    elif isinstance(parts := message.get("parts") or message.get("content"), list | dict):
        for part in dicts(parts):
            yield from _in_part(part)


def _in_part(part: Mapping[str, Any]) -> Iterator[Result]:
    used = part.get("toolResult")
    answered = part.get("functionResponse") or part.get("function_response")
    if _text(part.get("type")).endswith("tool_result"):  # of Anthropic
        yield Result(_text(part.get("tool_use_id")), failed=part.get("is_error") is True)
    elif isinstance(used, dict):  # of Bedrock
        yield Result(_text(used.get("toolUseId")), failed=used.get("status") == "error")
    elif isinstance(answered, dict):  # of Gemini: https://ai.google.dev/api/caching#FunctionResponse
        said = answered.get("response")
        failed = isinstance(said, dict) and said.get("error") is not None
        yield Result(_text(answered.get("id")), _text(answered.get("name")), failed)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
