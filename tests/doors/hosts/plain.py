"""An ASGI app without a framework that hands a part of its paths to the dashboard."""

from typing import Any

import anyio

import miharu
from tests.doors.witness import Inside, Middleware, Outside

miharu.init()
dashboard = Inside(miharu.asgi())
state: dict[str, anyio.Event] = {}


async def host(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await _echo(receive, send)
    else:
        await _answer(scope, send)


async def _live(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup":
            state["released"] = anyio.Event()
        print("the host has", "started" if kind == "lifespan.startup" else "stopped")
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": (await receive())["text"]})
    await send({"type": "websocket.close", "code": 1000})


async def _answer(scope: Any, send: Any) -> None:
    name = scope["path"].rpartition("/")[2]
    known = name in {"hello", "stream", "release"}
    await send({"type": "http.response.start", "status": 200 if known else 404, "headers": []})
    if name == "stream":
        await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
        await state["released"].wait()
        await send({"type": "http.response.body", "body": b"two\n"})
        return
    if name == "release":
        state["released"].set()
    await send({"type": "http.response.body", "body": name.replace("se", "sed").encode()})


async def _stripping(scope: Any, receive: Any, send: Any) -> None:
    path = scope.get("path", "")
    if scope["type"] == "http" and (path == "/miharu" or path.startswith("/miharu/")):
        await dashboard({**scope, "path": path.removeprefix("/miharu") or "/"}, receive, send)
    else:
        await host(scope, receive, send)


async def _telling(scope: Any, receive: Any, send: Any) -> None:
    path, root = scope.get("path", ""), scope.get("root_path", "")
    if scope["type"] == "http" and (path == "/miharu" or path.startswith("/miharu/")):
        await dashboard({**scope, "root_path": f"{root}/miharu"}, receive, send)
    else:
        await host(scope, receive, send)


bare = Outside(host)
stripping = Outside(_stripping)
telling = Outside(_telling)
middleware = Outside(Middleware(host))
