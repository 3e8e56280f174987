"""Many routes, users and sessions at once, on asyncio and on trio. A call is named after its visitor."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header
from fastapi.responses import StreamingResponse

import miharu
from tests.frameworks.model import aask, ask

app = FastAPI()
app.add_middleware(miharu.MiharuMiddleware)


def visitor(x_user: Annotated[str, Header()], x_session: Annotated[str, Header()]) -> str:
    """A plain dependency, which runs in a thread: whose the request is holds for all of it."""
    miharu.context(user=x_user, session=x_session, tags={"plan": f"plan of {x_user}"})
    return x_user


Visitor = Annotated[str, Depends(visitor)]
router = APIRouter(prefix="/chat")


@router.get("/{thread_id}")
async def chat(thread_id: int, user: Visitor) -> str:
    await answer(user)
    return "ok"


@miharu.observe(name="answer")
async def answer(user: str) -> None:
    await aask(f"{user}.first")
    async with anyio.create_task_group() as group:
        group.start_soon(aask, f"{user}.second")
        group.start_soon(anyio.to_thread.run_sync, ask, f"{user}.third")


@app.get("/sync/{document}")
def sync(document: str, user: Visitor) -> str:
    with miharu.span("answer"):
        for name in ("first", "second", "third"):
            ask(f"{user}.{name}")
    return "ok"


@app.get("/later/{job}")
async def later(job: int, user: Visitor, tasks: BackgroundTasks) -> str:
    tasks.add_task(answer, user)
    return "ok"


@app.get("/words/{thread_id}")
async def words(thread_id: int, user: Visitor) -> StreamingResponse:
    return StreamingResponse(stream(user))


@miharu.observe(name="answer")
async def stream(user: str) -> AsyncIterator[bytes]:
    for name in ("first", "second", "third"):
        await aask(f"{user}.{name}")
        yield name.encode()


app.include_router(router, prefix="/v1")
inner = FastAPI()
inner.include_router(router)
app.mount("/tenants/{tenant}", inner)
