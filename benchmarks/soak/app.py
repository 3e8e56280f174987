"""The app: each request makes one call through the real OpenAI SDK. Without a database nobody watches.

MODEL_URL=… [SOAK_DATABASE=…] uvicorn benchmarks.soak.app:app --workers 4
"""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI, OpenAI

ASK: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Say many words. " * 40}],
}
STREAM: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

app = FastAPI()
if database := os.environ.get("SOAK_DATABASE"):
    import miharu

    miharu.init(database)
    app.add_middleware(miharu.MiharuMiddleware)
    app.mount("/miharu", miharu.asgi(auth="off"))

_async = AsyncOpenAI(api_key="sk-x", base_url=os.environ["MODEL_URL"], max_retries=0)
_sync = OpenAI(api_key="sk-x", base_url=os.environ["MODEL_URL"], max_retries=0)


@app.get("/chat")
async def chat() -> dict[str, str | None]:
    answer = await _async.chat.completions.create(**ASK)
    return {"text": answer.choices[0].message.content}


@app.get("/in-a-thread")
def in_a_thread() -> dict[str, str | None]:
    answer = _sync.chat.completions.create(**ASK)
    return {"text": answer.choices[0].message.content}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def words() -> AsyncIterator[str]:
        async for chunk in await _async.chat.completions.create(**ASK, **STREAM):
            for choice in chunk.choices:
                yield choice.delta.content or ""

    return StreamingResponse(words())


@app.get("/stream-in-a-thread")
def stream_in_a_thread() -> StreamingResponse:
    def words() -> Iterator[str]:
        for chunk in _sync.chat.completions.create(**ASK, **STREAM):
            for choice in chunk.choices:
                yield choice.delta.content or ""

    return StreamingResponse(words())
