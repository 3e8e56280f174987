"""What an exchange costs, from its bytes on: read by the built-in formats, priced by the built-in list."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.costing.costs import priced
from miharu.recorder.reading.reader import Reader
from tests.world import exchange, sse

__all__ = ("CHAT", "CLAUDE", "GEMINI", "PRICES", "answer", "chat", "claude", "gemini", "nano", "paid")

PRICES = GenaiPrices()
FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]

CHAT = "https://api.openai.com/v1/chat/completions"
CLAUDE = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/{}:generateContent"


def paid(
    url: str,
    asked: Mapping[str, Any],
    answered: Any = None,
    *,
    events: Sequence[Any] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    estimate: bool = False,
    **facts: Any,
) -> Call:
    """The call with its cost.

    Args:
        url: Of the request.
        asked: Its JSON.
        answered: The answer's JSON.
        events: A stream, in place of it.
        body: Bytes, in place of both.
        headers: Of the answer.
        estimate: Whether tokens that are not told are guessed.
        facts: More of the exchange.
    """
    kind = "text/event-stream" if events is not None else "application/json"
    chunks = [body or json.dumps(answered).encode()] if events is None else sse(*events, done=False)
    found = Reader(FORMATS, estimate_usage=estimate).read(
        exchange(url, asked=asked, chunks=chunks, headers={"content-type": kind, **(headers or {})}, **facts)
    )
    assert found is not None
    return priced(found, PRICES)


def nano(*arguments: Any, **facts: Any) -> int | None:
    """Nano-dollars."""
    call = paid(*arguments, **facts)
    return call.cost.cost_nanousd if call.cost else None


def chat(model: str, url: str = CHAT, *, asked: str | None = None, **usage: Any) -> int | None:
    """A chat completion of 1000 and 100 tokens, unless the usage says otherwise."""
    request = {"model": asked or model, "messages": [{"role": "user", "content": "hi"}]}
    return nano(url, request, answer(model, **usage))


def answer(model: str | None, **usage: Any) -> dict[str, Any]:
    """An answer of Chat Completions."""
    return {
        "id": "x",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **usage},
    }


def claude(usage: Mapping[str, Any], model: str = "claude-sonnet-4-6", **message: Any) -> dict[str, Any]:
    """An answer of Messages."""
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "end_turn",
        "usage": usage,
        **message,
    }


def gemini(model: str, grounding: Any = None, **usage: Any) -> dict[str, Any]:
    """An answer of generateContent."""
    candidate = {"content": {"role": "model", "parts": [{"text": "a"}]}, "finishReason": "STOP"}
    if grounding is not None:
        candidate["groundingMetadata"] = grounding
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 200,
            "totalTokenCount": 1200,
            **usage,
        },
        "modelVersion": model,
        "responseId": "r",
    }
