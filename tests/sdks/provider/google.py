"""Gemini's ``generateContent`` and ``streamGenerateContent``, the latter as an event stream with CRLF."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.sdks.provider.base import WORDS, Question, Reply, Told, plain, reply_json, reply_stream

API = "gemini.generate"
_MODEL = "gemini-2.5-flash"
_PATH = re.compile(r"/v1(?:beta)?/models/([^:/]+):(generateContent|streamGenerateContent)")


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    return Question(
        api=API, path=path, model=found[1], stream=found[2] == "streamGenerateContent", asked=asked
    )


async def answer(question: Question) -> tuple[Reply, Told]:
    told = Told(
        api=API,
        model=_MODEL,
        stream=question.stream,
        prompt_tokens=11,
        completion_tokens=12,
        cached_tokens=4,
        finish_reason="STOP",
    )
    chunks = list(_chunks(question))
    if question.stream:
        return reply_stream((plain(chunk, "\r\n") for chunk in chunks), "text/event-stream"), told
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    whole = chunks[-1]
    whole["candidates"][0]["content"]["parts"] = parts
    return reply_json(whole), told


def error(status: int) -> Any:
    kind = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED"}.get(status, "UNAVAILABLE")
    return {"error": {"code": status, "message": "Not now.", "status": kind}}


def _chunks(question: Question) -> Iterator[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": word} for word in WORDS]
    if question.tool:
        tool = question.asked["tools"][0]
        name = (tool.get("functionDeclarations") or tool["function_declarations"])[0]["name"]
        parts = [{"functionCall": {"name": name, "args": {"city": "Hue"}}}]
    for number, part in enumerate(parts, 1):
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        usage = {"promptTokenCount": 11, "totalTokenCount": 11 + number, "candidatesTokenCount": number}
        if number == len(parts):
            candidate["finishReason"] = "STOP"
            usage = {
                "promptTokenCount": 11,
                "candidatesTokenCount": 7,
                "thoughtsTokenCount": 5,
                "cachedContentTokenCount": 4,
                "totalTokenCount": 23,
            }
        details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}]}
        yield {
            "candidates": [candidate],
            "usageMetadata": usage | details,
            "modelVersion": _MODEL,
            "responseId": "resp_01",
        }
