"""A small chat service that watches its own LLM calls.

    uvicorn app:app        then open http://127.0.0.1:8000/miharu/

With OPENAI_API_KEY (and OPENAI_BASE_URL for another provider) it talks to that provider; without, to the
fake one that comes with miharu.
"""

import os
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from openai import APIError, AsyncOpenAI
from pydantic import BaseModel, Field

import miharu
from miharu.testing import FakeProvider

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
TURNS = 20


class Message(BaseModel):
    text: str = Field(min_length=1, max_length=20_000)


class Answer(BaseModel):
    text: str
    trace: str | None = None
    """For ``POST /feedback``."""


class Feedback(BaseModel):
    trace: str
    helpful: bool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        async with AsyncOpenAI(api_key=os.environ.get("OPENAI_API_KEY", "none")) as app.state.openai:
            yield
    else:
        with FakeProvider(latency=0.3, chunk_latency=0.02) as provider:
            async with AsyncOpenAI(base_url=provider.base_url, api_key="none") as app.state.openai:
                yield


def visitor(
    x_user: Annotated[str | None, Header()] = None, x_session: Annotated[str | None, Header()] = None
) -> None:
    """Says to whom the calls of this request belong, wherever they are made."""
    miharu.context(user=x_user, session=x_session)


app = FastAPI(title="Chat", lifespan=lifespan, dependencies=[Depends(visitor)])
app.state.threads = defaultdict(lambda: deque(maxlen=TURNS))
app.state.names = {}

# Every LLM call of this process is recorded from here on,
miharu.init()
# each says which route made it, and the dashboard is part of the app: at /miharu/.
app.add_middleware(miharu.MiharuMiddleware)


@app.post("/chat/{thread_id}")
async def chat(thread_id: str, message: Message, request: Request, later: BackgroundTasks) -> Answer:
    thread = _remember(request, thread_id, message)
    try:
        text = await answer(_openai(request), thread)
    except APIError as error:
        raise HTTPException(502, f"The model did not answer: {error.message}") from error
    thread.append({"role": "assistant", "content": text})
    later.add_task(name_thread, _openai(request), request.app.state.names, thread_id, message.text)
    return Answer(text=text, trace=miharu.trace_id())


@miharu.observe
async def answer(openai: AsyncOpenAI, thread: deque[Any]) -> str:
    """A span of its own in the trace of the request, with whatever calls are made in it."""
    completion = await openai.chat.completions.create(model=MODEL, messages=list(thread))
    return completion.choices[0].message.content or ""


async def name_thread(openai: AsyncOpenAI, names: dict[str, str], thread_id: str, text: str) -> None:
    """Done when the visitor has the answer already; it belongs to the request all the same."""
    with miharu.context(tags={"for": "title"}):
        response = await openai.responses.create(model=MODEL, instructions="Find a title.", input=text)
    names[thread_id] = response.output_text


@app.post("/feedback", status_code=204)
async def feedback(given: Feedback) -> None:
    miharu.score(given.trace, "helpful", given.helpful)


@app.post("/chat/{thread_id}/stream")
async def chat_stream(thread_id: str, message: Message, request: Request) -> StreamingResponse:
    thread = _remember(request, thread_id, message)
    try:
        stream = await _openai(request).chat.completions.create(
            model=MODEL,
            messages=list(thread),
            stream=True,
            # Without it the provider does not say what a stream has used.
            stream_options={"include_usage": True},
        )
    except APIError as error:
        raise HTTPException(502, f"The model did not answer: {error.message}") from error

    async def words() -> AsyncIterator[str]:
        said = []
        async with stream:
            async for chunk in stream:
                piece = chunk.choices[0].delta.content if chunk.choices else None
                if piece:
                    said.append(piece)
                    yield piece
        thread.append({"role": "assistant", "content": "".join(said)})

    return StreamingResponse(words(), media_type="text/plain; charset=utf-8")


@app.post("/summarise")
async def summarise(message: Message, request: Request) -> Answer:
    try:
        response = await _openai(request).responses.create(
            model=MODEL, instructions="Summarise in one sentence.", input=message.text
        )
    except APIError as error:
        raise HTTPException(502, f"The model did not answer: {error.message}") from error
    return Answer(text=response.output_text)


def _openai(request: Request) -> AsyncOpenAI:
    client: AsyncOpenAI = request.app.state.openai
    return client


def _remember(request: Request, thread_id: str, message: Message) -> deque[Any]:
    thread: deque[Any] = request.app.state.threads[thread_id]
    thread.append({"role": "user", "content": message.text})
    return thread
