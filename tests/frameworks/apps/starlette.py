from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

import miharu
from tests.frameworks.model import aask, ask
from tests.frameworks.places import awaited, chunks, slug, sync_chunks


async def in_a_view(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await awaited(request.path_params["place"]))


def sync_view(request: Request) -> PlainTextResponse:
    ask("sync-view")
    return PlainTextResponse("ok")


async def background(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", background=BackgroundTask(aask, "background-task"))


async def sync_background(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", background=BackgroundTask(ask, "sync-background-task"))


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(chunks("streaming response"))


async def sync_stream(request: Request) -> StreamingResponse:
    return StreamingResponse(sync_chunks("sync streaming response"))


async def websocket(socket: WebSocket) -> None:
    await socket.accept()
    await aask("websocket")
    await socket.close()


async def mounted(request: Request) -> PlainTextResponse:
    await aask(slug("mounted app"))
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/await/{place}/{key:int}", in_a_view),
        Route("/sync-view/{key:int}", sync_view),
        Route("/background-task/{key:int}", background),
        Route("/sync-background-task/{key:int}", sync_background),
        Route("/streaming-response/{key:int}", stream),
        Route("/sync-streaming-response/{key:int}", sync_stream),
        WebSocketRoute("/websocket/{key:int}", websocket),
        Mount("/mounted-app", routes=[Route("/{key:int}", mounted)]),
    ],
    middleware=[Middleware(miharu.MiharuMiddleware)],
)
