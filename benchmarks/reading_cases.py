"""Ordinary calls as a client leaves them, each with ids and a prompt of its own: what most programs make."""

import json
from collections.abc import Callable
from typing import Any

import httpx2

from miharu.interceptor.httpx import HttpxExchange

__all__ = ("CASES", "made")

_OPENAI = {
    "date": "Tue, 03 Nov 2026 10:00:00 GMT",
    "content-type": "application/json",
    "transfer-encoding": "chunked",
    "connection": "keep-alive",
    "access-control-expose-headers": "X-Request-ID",
    "openai-organization": "acme-1",
    "openai-processing-ms": "412",
    "openai-project": "proj_1",
    "openai-version": "2020-10-01",
    "x-envoy-upstream-service-time": "420",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "1999990",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "0s",
    "x-request-id": "req_0c1f",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "cf-cache-status": "DYNAMIC",
    "x-content-type-options": "nosniff",
    "server": "cloudflare",
    "cf-ray": "98c1-FRA",
    "alt-svc": 'h3=":443"; ma=86400',
}
_ANTHROPIC = {
    "date": "Tue, 03 Nov 2026 10:00:00 GMT",
    "content-type": "text/event-stream; charset=utf-8",
    "transfer-encoding": "chunked",
    "connection": "keep-alive",
    "cache-control": "no-cache",
    "anthropic-ratelimit-input-tokens-limit": "2000000",
    "anthropic-ratelimit-input-tokens-remaining": "2000000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-03T10:00:00Z",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2026-11-03T10:00:00Z",
    "request-id": "req_011CU",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "anthropic-organization-id": "0f7",
    "via": "1.1 google",
    "cf-cache-status": "DYNAMIC",
    "x-robots-tag": "none",
    "server": "cloudflare",
    "cf-ray": "98c1-FRA",
}
_SDK = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
    "content-type": "application/json",
    "x-stainless-lang": "python",
    "x-stainless-package-version": "3.54.0",
    "x-stainless-os": "Linux",
    "x-stainless-arch": "x64",
    "x-stainless-runtime": "CPython",
    "x-stainless-runtime-version": "3.11.7",
    "x-stainless-async": "false",
    "x-stainless-retry-count": "0",
    "x-stainless-read-timeout": "600",
}
_USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 10,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def made(
    url: str, asked: Any, chunks: list[bytes], headers: dict[str, str], key: dict[str, str]
) -> HttpxExchange:
    """One exchange of httpx2, read to its end in a tenth of a second."""
    request = httpx2.Request("POST", url, headers={**_SDK, **key}, content=json.dumps(asked).encode())
    exchange = HttpxExchange(request)
    exchange.status, exchange.response_headers = 200, httpx2.Headers(headers)
    exchange.chunks = chunks
    step = 100_000_000 // len(chunks)
    exchange.arrivals = [exchange.started + step * (number + 1) for number in range(len(chunks))]
    exchange.ended, exchange.end = exchange.started + 100_000_000, "eof"
    return exchange


def _openai(number: int, prompt: str, chunks: list[bytes], **asked: Any) -> HttpxExchange:
    return made(
        "https://api.openai.com/v1/chat/completions",
        {"model": "gpt-4o", "messages": [{"role": "user", "content": f"{number} {prompt}"}], **asked},
        chunks,
        {**_OPENAI, "x-request-id": f"req_{number:032x}"},
        {
            "authorization": "Bearer sk-proj-T3BlbkFJx0aaa111bbb222ccc333",
            "user-agent": "OpenAI/Python 3.54.0",
        },
    )


def _answer(number: int) -> bytes:
    message = {"role": "assistant", "content": "Hello! How can I help you today?", "refusal": None}
    return json.dumps(
        {
            "id": f"chatcmpl-{number:029x}",
            "object": "chat.completion",
            "created": 1793700000,
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": _USAGE,
            "service_tier": "default",
            "system_fingerprint": "fp_1",
        }
    ).encode()


def _chat(number: int) -> HttpxExchange:
    return _openai(number, "Say hello.", [_answer(number)])


def _long(number: int) -> HttpxExchange:
    return _openai(number, f"{number} lorem ipsum dolor sit amet, " * 1700, [_answer(number)])


def _stream(number: int) -> HttpxExchange:
    head = {
        "id": f"chatcmpl-{number:029x}",
        "object": "chat.completion.chunk",
        "created": 1793700000,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice], "usage": None}

    events = [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        *(chunk({"content": f" word{n}"}) for n in range(197)),
        chunk({}, "stop"),
        {**head, "choices": [], "usage": _USAGE},
    ]
    chunks = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    return _openai(number, "Tell a story.", [*chunks, b"data: [DONE]\n\n"], **asked)


def _anthropic(number: int) -> HttpxExchange:
    usage = {
        "input_tokens": 25,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 1,
        "service_tier": "standard",
    }
    message: dict[str, Any] = {
        "id": f"msg_{number:024x}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    text = {"type": "text", "text": ""}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": text},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" word{n}"}}
            for n in range(194)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 212}},
        {"type": "message_stop"},
    ]
    return made(
        "https://api.anthropic.com/v1/messages",
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "stream": True,
            "messages": [{"role": "user", "content": f"{number} Tell a story."}],
        },
        [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events],
        {**_ANTHROPIC, "request-id": f"req_{number:024x}"},
        {"x-api-key": "sk-ant-api03-aaaabbbbccccdddd1111", "user-agent": "Anthropic/Python 1.12.0"},
    )


CASES: dict[str, Callable[[int], HttpxExchange]] = {
    "a chat": _chat,
    "a stream of 200 chunks": _stream,
    "a prompt of 50 kB": _long,
    "Anthropic, 200 events": _anthropic,
}
