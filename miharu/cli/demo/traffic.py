"""The visitors of the demo: forty at once, so that the page is not empty, then one every second or two."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import anyio.to_thread
import httpx
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI, OpenAIError

from miharu._asgi import MiharuMiddleware
from miharu.cli.demo.app import ROUTES, DemoApp
from miharu.cli.demo.visit import DemoVisit

__all__ = ("Traffic", "latency", "visits")

_AT_FIRST, _AT_ONCE = 40, 8
_OLD_RELEASE = 25
"""So many visitors meet the release before the newest."""
_USERS = ("ann", "ben", "chidi", "dana", "emre", "fumi")
_USERS_COME = (9, 5, 3, 2, 1, 1)
_MODELS = {
    "POST /chat/{thread_id}": ("gpt-4o-mini", "gpt-4o-mini", "gpt-5-mini", "gpt-4o"),
    "POST /orders/assist": ("gpt-4o", "gpt-4.1"),
    "POST /summarise": ("gpt-4.1-mini", "gpt-5-mini"),
    "POST /translate": ("gpt-4.1-nano", "in-house-7b"),
    "GET /search": ("text-embedding-3-small",),
}
_WEIGHTS = (6, 3, 2, 2, 4)
_QUESTIONS = (
    "Where is my order?",
    "Can I change the address on my invoice?",
    "The parcel arrived, but one cup is broken.",
    "Do you deliver to Sendai on Saturdays?",
    "What does the blue one cost?",
    "How do I send it back?",
)
_FAULTS = ("error-429-then-ok", "error-then-ok", "error-500", "error-429", "cut-mid-stream")
_SECONDS = {
    "gpt-4o": 0.7,
    "gpt-4.1": 0.6,
    "gpt-5-mini": 1.2,
    "in-house-7b": 0.9,
    "text-embedding-3-small": 0.08,
}


def latency(model: str) -> float:
    """How long a model lets the demo wait before it begins."""
    return _SECONDS.get(model, 0.35) * random.lognormvariate(0, 0.35)


def visits(chance: random.Random, release: str = "1.3") -> DemoVisit:
    """The next visit: one in twelve meets a fault, one in fifteen leaves early."""
    [route] = chance.choices(tuple(ROUTES), _WEIGHTS)
    # A search needs no login.
    [user] = chance.choices(_USERS, _USERS_COME) if route != "GET /search" else (None,)
    return DemoVisit(
        route=route,
        model=chance.choice(_MODELS[route]),
        question=chance.choice(_QUESTIONS),
        user=user,
        session=f"{user}-{chance.randrange(3)}" if user else None,
        release=release,
        fault=chance.choice(_FAULTS) if chance.random() < 1 / 12 else None,
        outages=chance.choice((1, 1, 2)) if chance.random() < 1 / 5 else 0,
        patience=3 if chance.random() < 1 / 15 else None,
        thumb=chance.random() < 0.8 if user and chance.random() < 1 / 3 else None,
    )


class Traffic:
    """Visits the demo's app, and runs a job beside it."""

    def __init__(self, base_url: str, chance: random.Random | None = None) -> None:
        self._options: dict[str, Any] = {"base_url": base_url, "api_key": "demo", "max_retries": 2}
        self._chance = chance or random.Random()  # noqa: S311 - chance, no secret
        self._seen = 0

    async def run(self) -> None:
        """Send visits until cancelled."""
        async with self._app() as app:
            limit = anyio.CapacityLimiter(_AT_ONCE)
            async with anyio.create_task_group() as group:
                for _ in range(_AT_FIRST):
                    group.start_soon(self._limited, app, limit)
            while True:
                await self._visit(app)
                await anyio.sleep(self._chance.uniform(0.6, 1.6))

    @asynccontextmanager
    async def _app(self) -> AsyncIterator[Any]:
        # A proxy of the environment would be asked for 127.0.0.1 as well.
        async with (
            DefaultAsyncHttpxClient(trust_env=False) as http,
            AsyncOpenAI(http_client=http, **self._options) as client,
        ):
            yield MiharuMiddleware(DemoApp(client))

    async def _limited(self, app: Any, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            await self._visit(app)

    async def _visit(self, app: Any) -> None:
        # The dashboard shows what went wrong; the visitor shrugs. openai 2 lets errors of httpx through.
        with suppress(OpenAIError, httpx.TransportError):
            if self._chance.random() < 1 / 8:
                await anyio.to_thread.run_sync(self._job, abandon_on_cancel=True)
            else:
                await self._request(app)

    async def _request(self, app: Any) -> None:
        visit = visits(self._chance, "1.3" if self._seen < _OLD_RELEASE else "1.4")
        self._seen += 1
        method, _, template = visit.route.partition(" ")
        path = template.replace("{thread_id}", str(self._chance.randrange(100, 999)))
        scope = {"type": "http", "method": method, "path": path, "headers": [], "state": {"visit": visit}}
        await app(scope, _nothing, _ignored)

    def _job(self) -> None:
        """A call outside of any request, by the synchronous client."""
        with (
            DefaultHttpxClient(trust_env=False) as http,
            OpenAI(http_client=http, **self._options) as client,
        ):
            client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "user", "content": "Tag this ticket: the cup is broken."}],
            )


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b""}


async def _ignored(message: Any) -> None:
    """Drop the page: the demo's visitor does not read it."""
