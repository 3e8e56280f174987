"""A framework that nobody knows: it leaves nothing in the scope."""

from typing import Any

import miharu
from tests.frameworks.model import aask
from tests.frameworks.places import awaited, chunks


async def framework(scope: Any, receive: Any, send: Any) -> None:
    _, what, *rest = scope["path"].split("/")
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await aask("websocket")
        await send({"type": "websocket.close"})
        return
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if what == "await":
        await awaited(rest[0])
    elif what == "streaming-response":
        async for chunk in chunks("streaming response"):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


app = miharu.MiharuMiddleware(framework)
