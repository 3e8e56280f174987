"""A monitor without a worker, a view that says what reached it, and a caller without a server."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from miharu.config import Config
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.recorder.threads.loop import LoopThread


@dataclass
class StandIn:
    """What a door uses of a monitor."""

    config: Config
    broken: Exception | None = None
    questions: str = "the store"
    read_only: bool = True
    loop: LoopThread = field(default_factory=lambda: LoopThread("miharu-test"))
    """On which views run, as they do on one of a monitor's: a page may block that, and not the host's."""

    async def read(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        if self.broken:
            raise self.broken
        return await self.loop.call(ask, *args)

    def read_sync(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return anyio.run(self.read, ask, *args)

    def stats(self) -> dict[str, Any]:
        return {"dropped": 3, "budgets": ()}


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def seen(self) -> dict[str, Any]:
        """What the view was asked."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def scope_of(path: str, /, **more: Any) -> dict[str, Any]:
    """The scope of a local browser; ``raw_path`` follows the path unless given."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost:8000")],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
    } | more


async def ask(app: Any, path: str = "/", /, **more: Any) -> Answer:
    answer = Answer()

    async def receive() -> Any:
        assert more.get("method", "GET") not in {"GET", "HEAD"}, "it read a body"
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            for name, value in message["headers"]:
                assert name.islower()
                answer.headers[name.decode()] = value.decode()
        else:
            answer.body += message["body"]

    await app(scope_of(path, **more), receive, send)
    return answer


async def echo(request: PageRequest, site: Site) -> Page:
    facts = {
        "path": request.path,
        "params": dict(request.params),
        "repeated": dict(request.repeated),
        "headers": dict(request.headers),
        "method": request.method,
        "access": site.access,
        "database": site.database,
        "losses": site.losses(),
        "store": str(site.store),
    }
    status = 404 if ".." in request.path else 200
    return make_page(json.dumps(facts), status=status, content_type="application/json")
