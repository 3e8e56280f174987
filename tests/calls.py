"""Calls of a model without a server: what a call belongs to does not depend on who answers it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

__all__ = ("aask", "ask", "rows")

_URL = "https://api.openai.com/v1/chat/completions"
_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


def _transport() -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda request: httpx2.Response(200, json=_ANSWER))


def _asked(question: str) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}


def ask(question: str = "hi") -> None:
    with httpx2.Client(transport=_transport()) as client:
        client.post(_URL, json=_asked(question)).raise_for_status()


async def aask(question: str = "hi") -> None:
    async with httpx2.AsyncClient(transport=_transport()) as client:
        (await client.post(_URL, json=_asked(question))).raise_for_status()


def rows(database: Path, table: str = "llm_calls") -> list[sqlite3.Row]:
    """What was stored."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(f"SELECT * FROM {table} ORDER BY timestamp, id").fetchall()
