"""Calls of a model without a server: what a call belongs to does not depend on who answers it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

__all__ = ("ANSWER", "ASKED", "URL", "aask", "ask", "rows")

URL = "https://api.openai.com/v1/chat/completions"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


def _transport(library: Any = httpx2, answer: object = ANSWER) -> Any:
    content = json.dumps(answer).encode()
    return library.MockTransport(lambda request: library.Response(200, content=content))


def _asked(question: str) -> dict[str, Any]:
    return ASKED | {"messages": [{"role": "user", "content": question}]}


def ask(question: str = "hi", library: Any = httpx2, url: str = URL, answer: object = ANSWER) -> Any:
    with library.Client(transport=_transport(library, answer)) as client:
        return client.post(url, json=_asked(question)).raise_for_status()


async def aask(question: str = "hi") -> None:
    async with httpx2.AsyncClient(transport=_transport()) as client:
        (await client.post(URL, json=_asked(question))).raise_for_status()


def rows(database: Path, table: str = "llm_calls") -> list[dict[str, Any]]:
    """What was stored."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY timestamp, id")]
