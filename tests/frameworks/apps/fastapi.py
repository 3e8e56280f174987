from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse

import miharu
from tests.frameworks.model import aask, ask
from tests.frameworks.places import awaited, chunks, slug, sync_chunks

app = FastAPI()
app.add_middleware(miharu.MiharuMiddleware)
router = APIRouter()


@router.get("/{place}/{key}")
async def in_a_view(place: str, key: int) -> str:
    return await awaited(place)


app.include_router(router, prefix="/await")


@app.get("/sync-view/{key}")
def sync_view(key: int) -> str:
    ask("sync-view")
    return "ok"


async def depended_on() -> AsyncIterator[None]:
    await aask("dependency")
    yield


@app.get("/dependency/{key}")
async def dependency(key: int, _: Annotated[None, Depends(depended_on)]) -> str:
    return "ok"


@app.get("/background-task/{key}")
async def background(key: int, tasks: BackgroundTasks) -> str:
    tasks.add_task(aask, "background-task")
    return "ok"


@app.get("/sync-background-task/{key}")
def sync_background(key: int, tasks: BackgroundTasks) -> str:
    tasks.add_task(ask, "sync-background-task")
    return "ok"


@app.get("/streaming-response/{key}")
async def stream(key: int) -> StreamingResponse:
    return StreamingResponse(chunks("streaming response"))


@app.get("/sync-streaming-response/{key}")
def sync_stream(key: int) -> StreamingResponse:
    return StreamingResponse(sync_chunks("sync streaming response"))


@app.websocket("/websocket/{key}")
async def websocket(socket: WebSocket, key: int) -> None:
    await socket.accept()
    await aask("websocket")
    await socket.close()


inner = FastAPI()


@inner.get("/{key}")
async def mounted(key: int) -> str:
    await aask(slug("mounted app"))
    return "ok"


app.mount("/mounted-app", inner)
