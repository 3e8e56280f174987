from typing import Any

from quart import Blueprint, Quart, Response, stream_with_context, websocket

import miharu
from tests.frameworks.model import aask, ask
from tests.frameworks.places import awaited, chunks, slug, sync_chunks

quart = Quart(__name__)
views = Blueprint("views", __name__, url_prefix="/await")


@views.get("/<place>/<int:key>")
async def in_a_view(place: str, key: int) -> str:
    return await awaited(place)


quart.register_blueprint(views)


@quart.get("/sync-view/<int:key>")
def sync_view(key: int) -> str:
    ask("sync-view")
    return "ok"


@quart.before_request
async def depended_on() -> None:
    from quart import request

    if request.path.startswith("/dependency"):
        await aask("dependency")


@quart.get("/dependency/<int:key>")
async def dependency(key: int) -> str:
    return "ok"


@quart.get("/background-task/<int:key>")
async def background(key: int) -> str:
    quart.add_background_task(aask, "background-task")
    return "ok"


@quart.get("/sync-background-task/<int:key>")
async def sync_background(key: int) -> str:
    quart.add_background_task(ask, "sync-background-task")
    return "ok"


@quart.get("/streaming-response/<int:key>")
async def stream(key: int) -> Response:
    return Response(chunks("streaming response"))


@quart.get("/sync-streaming-response/<int:key>")
async def sync_stream(key: int) -> Any:
    return sync_chunks("sync streaming response")


@quart.websocket("/websocket/<int:key>")
async def in_a_websocket(key: int) -> None:
    await websocket.accept()
    await aask("websocket")


inner = Blueprint("inner", __name__)


@inner.get("/<int:key>")
async def mounted(key: int) -> Any:
    async def words() -> Any:
        await aask(slug("mounted app"))
        yield b"ok"

    return stream_with_context(words)()


quart.register_blueprint(inner, url_prefix="/mounted-app")
quart.asgi_app = miharu.MiharuMiddleware(quart.asgi_app)  # type: ignore[method-assign, assignment, arg-type]
app = quart
