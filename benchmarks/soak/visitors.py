"""Visitors: so many requests a second, whatever becomes of them, and what each of them saw."""

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

__all__ = ("Visit", "Visits")

_PATHS = (
    "/chat",
    "/in-a-thread",
    "/chat",
    "/stream",
    "/chat",
    "/in-a-thread",
    "/chat",
    "/stream-in-a-thread",
)


@dataclass(frozen=True)
class Visit:
    """One request."""

    id: str
    """Its ``x-request-id``, by which its call is found."""
    ended: float
    """Unix seconds."""
    took: float
    status: int | None
    """``None`` where the connection broke."""


@dataclass
class Visits:
    """All of one soak."""

    url: str
    rate: float
    found: list[Visit] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Make them, and wait for the last."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(base_url=self.url, timeout=60, limits=limits, trust_env=False) as client:
            began, number = time.monotonic(), 0
            async with asyncio.TaskGroup() as visits:
                while (due := number / self.rate) < seconds:
                    await asyncio.sleep(max(0.0, began + due - time.monotonic()))
                    visits.create_task(self._visit(client, _PATHS[number % len(_PATHS)]))
                    number += 1

    async def _visit(self, client: httpx.AsyncClient, path: str) -> None:
        id_, start, status = uuid.uuid4().hex, time.monotonic(), None
        with suppress(httpx.TransportError):
            status = (await client.get(path, headers={"x-request-id": id_})).status_code
        self.found.append(Visit(id_, time.time(), time.monotonic() - start, status))
