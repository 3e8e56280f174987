from typing import Any

from litestar import Litestar, Router, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.di import Provide
from litestar.response import Response, Stream

import miharu
from tests.frameworks.model import aask, ask
from tests.frameworks.places import awaited, chunks, slug, sync_chunks


@get("/{place:str}/{key:int}")
async def in_a_view(place: str, key: int) -> str:
    return await awaited(place)


@get("/sync-view/{key:int}", sync_to_thread=True)
def sync_view(key: int) -> str:
    ask("sync-view")
    return "ok"


async def depended_on() -> str:
    await aask("dependency")
    return "ok"


@get("/dependency/{key:int}", dependencies={"needed": Provide(depended_on)})
async def dependency(key: int, needed: str) -> str:
    return needed


@get("/background-task/{key:int}")
async def background(key: int) -> Response[str]:
    return Response("ok", background=BackgroundTask(aask, "background-task"))


@get("/sync-background-task/{key:int}")
async def sync_background(key: int) -> Response[str]:
    return Response("ok", background=BackgroundTask(ask, "sync-background-task"))


@get("/streaming-response/{key:int}")
async def stream(key: int) -> Stream:
    return Stream(chunks("streaming response"))


@get("/sync-streaming-response/{key:int}")
async def sync_stream(key: int) -> Stream:
    return Stream(sync_chunks("sync streaming response"))


@websocket("/websocket/{key:int}")
async def in_a_websocket(socket: WebSocket[Any, Any, Any], key: int) -> None:
    await socket.accept()
    await aask("websocket")
    await socket.close()


@get("/{key:int}")
async def mounted(key: int) -> str:
    await aask(slug("mounted app"))
    return "ok"


litestar = Litestar(
    route_handlers=[
        Router("/await", route_handlers=[in_a_view]),
        Router("/mounted-app", route_handlers=[mounted]),
        *(sync_view, dependency, background, sync_background, stream, sync_stream, in_a_websocket),
    ],
    openapi_config=None,
)
app = miharu.MiharuMiddleware(litestar)  # type: ignore[arg-type] # its scope is a TypedDict of its own
