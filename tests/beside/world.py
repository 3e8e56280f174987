"""The calls that every case makes, and miharu as one observer among others."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import miharu
from miharu.testing import FakeProvider

__all__ = ("LIBRARIES", "Miharu", "asked", "both", "rows")

LIBRARIES = ("httpx", "httpx2")
Ask = Callable[[FakeProvider], None]


def asked(*, stream: bool = False) -> dict[str, Any]:
    return {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Does it rain in Hue?"}],
        "stream": stream,
        "stream_options": {"include_usage": True} if stream else None,
    }


def both(provider: FakeProvider) -> None:
    """Four calls: each library, a plain one with the sync client and a streamed one with the async client."""
    url = f"{provider.base_url}/chat/completions"
    for name in LIBRARIES:
        library = import_module(name)
        with library.Client() as client:
            assert client.post(url, json=asked()).json()["usage"]["completion_tokens"]
        asyncio.run(_streamed(library, url))


async def _streamed(library: Any, url: str) -> None:
    async with library.AsyncClient() as client, client.stream("POST", url, json=asked(stream=True)) as answer:
        lines = [line async for line in answer.aiter_lines()]
    assert "data: [DONE]" in lines


class Miharu:
    """The observer that all this is about."""

    name = "miharu"

    def __init__(self, file: Path) -> None:
        self._file = file

    def install(self) -> None:
        miharu.init(self._file)

    def uninstall(self) -> None:
        assert miharu.shutdown()

    def seen(self) -> int:
        """How many calls so far; each was a whole one."""
        assert miharu.flush()
        found = rows(self._file)
        assert all(row["status"] == "success" and row["completion_tokens"] for row in found), found
        return len(found)


def rows(file: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'llm_calls'").fetchone():
            return []
        return [dict(row) for row in database.execute("SELECT * FROM llm_calls ORDER BY timestamp, rowid")]
