"""The web app of the demo: a few routes that talk to a model, in plain ASGI, with the real OpenAI SDK."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import miharu
from miharu.cli.demo.agent import support
from miharu.cli.demo.visit import DemoVisit

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ("ROUTES", "DemoApp")

# Long enough to be cached the second time, as system prompts are. Each release has its own version.
_HANDBOOK = {
    "1.3": "You answer questions about orders, invoices and deliveries, kindly and in two sentences. " * 60,
    "1.4": "You answer questions about orders, invoices and deliveries, in one plain sentence. " * 80,
}


@dataclass(frozen=True, slots=True)
class _Route:
    """What miharu reads from a scope to name the route, as Starlette and FastAPI leave it there."""

    path_format: str


class DemoApp:
    """Answers what is below ``ROUTES``."""

    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        visit: DemoVisit = scope["state"]["visit"]
        scope["route"] = _Route(visit.route.partition(" ")[2])
        tags = {"team": _TEAMS[visit.route], "release": visit.release}
        miharu.context(user=visit.user, session=visit.session, tags=tags)
        await ROUTES[visit.route](self._client, visit)
        if visit.thumb is not None:
            miharu.score(None, "helpful", visit.thumb)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _chat(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    with miharu.context(prompt="shop.chat"):
        stream = await client.chat.completions.create(
            messages=[
                {"role": "system", "content": _HANDBOOK[visit.release]},
                {"role": "user", "content": visit.question},
            ],
            stream=True,
            stream_options={"include_usage": True},
            **visit.options,
        )
    left = visit.patience
    async with stream:
        async for _ in stream:
            if left is not None:
                left -= 1
                if left <= 0:
                    return


async def _summarise(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    await client.responses.create(input=visit.question * 20, **visit.options)


async def _translate(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    stream = await client.responses.create(input=visit.question * 4, stream=True, **visit.options)
    async with stream:
        async for _ in stream:
            pass


async def _search(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    await client.embeddings.create(input=[visit.question, visit.question.upper()], **visit.options)


ROUTES: "dict[str, Callable[[AsyncOpenAI, DemoVisit], Awaitable[None]]]" = {
    "POST /chat/{thread_id}": _chat,
    "POST /orders/assist": support,
    "POST /summarise": _summarise,
    "POST /translate": _translate,
    "GET /search": _search,
}
_TEAMS = {
    "POST /chat/{thread_id}": "support",
    "POST /orders/assist": "support",
    "POST /summarise": "catalogue",
    "POST /translate": "catalogue",
    "GET /search": "search",
}
